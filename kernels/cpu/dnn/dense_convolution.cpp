#include "dnn/dense_convolution.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <mutex>
#include <tuple>

#include "dnn/filter_layout.h"
#include "dnn/onednn.h"
#include "numbers.h"

namespace sltt_cpu {
namespace {

using dnnl::memory;

constexpr size_t STAGE_BYTES = 4 << 20;  // of a staged pass's float buffers: a share of the L2 and L3 caches

enum class Way { Direct, DirectSum, Staged };

// Whether oneDNN's bfloat16 kernels run on instructions that multiply bfloat16 (AVX512_BF16, AMX). Without them it emulates, slower
// than float. oneDNN names the instruction set after the colon. SLTT_CPU_BF16=native|float overrides it.
bool native_bfloat16(const char* implementation) {
    static const char* const choice = getenv("SLTT_CPU_BF16");
    if (choice != nullptr && strcmp(choice, "native") == 0) return true;
    if (choice != nullptr && strcmp(choice, "float") == 0) return false;
    const char* instruction_set = strchr(implementation, ':');
    return instruction_set != nullptr && (strstr(instruction_set, "bf16") != nullptr || strstr(instruction_set, "amx") != nullptr);
}

// oneDNN's descriptors of a pass over `images` images: activations in NHWC, the filter in the layout that oneDNN prefers.
class Descriptors {
public:
    Descriptors(const ConvolutionShape& s, int images, memory::data_type type)
        : x({images, s.c, s.h, s.w}, type, memory::format_tag::nhwc),
          y({images, s.k, s.p, s.q}, type, memory::format_tag::nhwc),
          filter_({s.k, s.c, s.r, s.s}, type, memory::format_tag::any),
          filter_gradient_({s.k, s.c, s.r, s.s}, memory::data_type::f32, memory::format_tag::any),
          stride_{s.stride_h, s.stride_w}, dilation_{s.dilation_h - 1, s.dilation_w - 1}, pad_{s.pad_h, s.pad_w},
          end_pad_{end_pad(s.p, s.stride_h, s.r, s.dilation_h, s.h, s.pad_h), end_pad(s.q, s.stride_w, s.s, s.dilation_w, s.w, s.pad_w)} {}

    // oneDNN 2.6 ranks its batch-reduced-gemm kernels first. On NHWC the direct ones are as fast or faster (up to 1.6 times where the
    // output is 4x4), need no scratchpad and generate far less code.
    dnnl::convolution_forward::primitive_desc forward(bool sum) const {
        dnnl::primitive_attr attr = user_scratchpad();
        if (sum) {
            dnnl::post_ops ops;
            ops.append_sum();
            attr.set_post_ops(ops);
        }
        dnnl::convolution_forward::desc desc(dnnl::prop_kind::forward_training, dnnl::algorithm::convolution_direct, x, filter_, y,
                                             stride_, dilation_, pad_, end_pad_);
        dnnl::convolution_forward::primitive_desc first(desc, attr, onednn_engine());
        if (strncmp(first.impl_info_str(), "brgconv", 7) != 0) return first;
        dnnl::convolution_forward::primitive_desc next(desc, attr, onednn_engine());
        if (next.next_impl() && strncmp(next.impl_info_str(), "jit", 3) == 0 && strstr(next.impl_info_str(), "avx512")) return next;
        return first;
    }
    dnnl::convolution_backward_data::primitive_desc backward_data() const {
        dnnl::convolution_backward_data::desc desc(dnnl::algorithm::convolution_direct, x, filter_, y, stride_, dilation_, pad_, end_pad_);
        return {desc, user_scratchpad(), onednn_engine(), forward(false)};
    }
    dnnl::convolution_backward_weights::primitive_desc backward_filter() const {
        dnnl::convolution_backward_weights::desc desc(dnnl::algorithm::convolution_direct, x, filter_gradient_, y, stride_, dilation_,
                                                      pad_, end_pad_);
        return {desc, user_scratchpad(), onednn_engine(), forward(false)};
    }

    const memory::desc x, y;

private:
    // How far the last window reaches beyond the input; negative where no window reaches the input's end.
    static int end_pad(int outputs, int stride, int taps, int dilation, int input, int pad) {
        return (outputs - 1) * stride + (taps - 1) * dilation + 1 - input - pad;
    }

    const memory::desc filter_, filter_gradient_;
    const memory::dims stride_, dilation_, pad_, end_pad_;
};

// gradient (k, c) of a 1x1 filter without padding: the sum over output pixels of y (k) times the x (c) under the pixel.
void pointwise_gradient(const ConvolutionShape& s, int images, const float* x, const float* y, float* gradient) {
#pragma omp parallel for schedule(static)
    for (int k = 0; k < s.k; ++k) {
        float* sum = gradient + (size_t)k * s.c;
        std::fill(sum, sum + s.c, 0.0f);
        for (int n = 0; n < images; ++n)
            for (int p = 0; p < s.p; ++p)
                for (int q = 0; q < s.q; ++q) {
                    float dy = y[(((size_t)n * s.p + p) * s.q + q) * s.k + k];
                    const float* under = x + (((size_t)n * s.h + p * s.stride_h) * s.w + q * s.stride_w) * s.c;
                    for (int c = 0; c < s.c; ++c) sum[c] += dy * under[c];
                }
    }
}

class Plan {
public:
    Plan(ConvolutionPass pass, const ConvolutionShape& shape, Number type, Way way)
        : pass_(pass), shape_(shape), type_(type), staged_(way == Way::Staged),
          x_staged_(staged_ && (type != Number::Float || pass == ConvolutionPass::BackwardData)),
          y_staged_(staged_ && (type != Number::Float || pass == ConvolutionPass::Forward)),
          images_(staged_ ? stage_images() : shape.n),
          descriptors_(shape, images_, staged_ ? memory::data_type::f32 : onednn_type(type)) {
        switch (pass) {
        case ConvolutionPass::Forward:
            describe(forward_ = descriptors_.forward(way == Way::DirectSum));
            blocked_ = forward_.weights_desc();
            break;
        case ConvolutionPass::BackwardData:
            describe(data_ = descriptors_.backward_data());
            blocked_ = data_.weights_desc();
            break;
        case ConvolutionPass::BackwardFilter:
            describe(gradient_ = descriptors_.backward_filter());
            blocked_ = gradient_.diff_weights_desc();
            if (onednn_is_wrong()) {
                pointwise_ = true;
                blocked_ = memory::desc({shape.k, shape.c, 1, 1}, memory::data_type::f32, memory::format_tag::ohwi);
                scratchpad_ = memory::desc();
            }
            break;
        }
        filter_ = FilterLayout(shape, type, blocked_, pass == ConvolutionPass::BackwardFilter);
        lay_out();
    }

    size_t workspace() const { return workspace_; }
    // Whether this bfloat16 plan is faster than float, and right.
    bool serves_bfloat16() const { return native_bfloat16(implementation_) && !onednn_is_wrong(); }

    void prepare() {
        std::call_once(prepared_, [this] {
            PlannedThreads threads;
            filter_.prepare();
            switch (pass_) {
            case ConvolutionPass::Forward: primitive_ = dnnl::convolution_forward(forward_); break;
            case ConvolutionPass::BackwardData: primitive_ = dnnl::convolution_backward_data(data_); break;
            case ConvolutionPass::BackwardFilter:
                if (!pointwise_) primitive_ = dnnl::convolution_backward_weights(gradient_);
                break;
            }
        });
    }

    void run(const ConvolutionCall& call) const {
        char* workspace = static_cast<char*>(call.workspace);
        void* filter = workspace + filter_at_;
        void* scratchpad = workspace + scratchpad_at_;
        if (pass_ != ConvolutionPass::BackwardFilter) {
            // A direct pass applies alpha to the filter; a staged one applies it when it rounds.
            filter_.pack(filter, call.filter, staged_ ? 1 : call.alpha, scratchpad);
            if (!staged_) return convolve(call.x, filter, call.y, scratchpad);
            return in_stages(call, filter, scratchpad);
        }
        if (!staged_)
            convolve(call.x, filter, call.y, scratchpad);
        else
            filter = sum_in_stages(call, filter, scratchpad);
        filter_.unpack(call.filter, filter, call.alpha, call.beta, scratchpad);
    }

private:
    void describe(const dnnl::primitive_desc& desc) {
        scratchpad_ = desc.scratchpad_desc();
        implementation_ = desc.impl_info_str();
    }

    // As many images as fit the stage, at least one, in stages of nearly equal size.
    int stage_images() const {
        size_t image = ((x_staged_ ? shape_.x_image() : 0) + (y_staged_ ? shape_.y_image() : 0)) * sizeof(float);
        int max_images = (int)std::min<size_t>(std::max<size_t>(STAGE_BYTES / image, 1), shape_.n);
        int stages = (shape_.n + max_images - 1) / max_images;
        return (shape_.n + stages - 1) / stages;
    }

    void lay_out() {
        auto place = [this](size_t bytes) {
            size_t at = workspace_;
            workspace_ += whole_lines(bytes);
            return at;
        };
        filter_at_ = place(filter_.blocked_bytes());
        scratchpad_at_ = place(std::max(scratchpad_.get_size(), filter_.scratchpad_bytes()));
        if (x_staged_) x_at_ = place(images_ * shape_.x_image() * sizeof(float));
        if (y_staged_) y_at_ = place(images_ * shape_.y_image() * sizeof(float));
        if (pass_ == ConvolutionPass::BackwardFilter && images_ < shape_.n) sum_at_ = place(filter_.blocked_bytes());
    }

    // Two errors of oneDNN 2.6's 1x1 kernels. The gradient of strided filters whose channels are no multiple of 16 is wrong on AVX2 and
    // writes beyond its scratchpad on AVX-512. bfloat16 sums over an odd number of channels are wrong.
    bool onednn_is_wrong() const {
        bool bfloat16 = strncmp(implementation_, "jit_bf16_1x1", 12) == 0;
        switch (pass_) {
        case ConvolutionPass::Forward: return bfloat16 && shape_.c % 2 != 0;
        case ConvolutionPass::BackwardData: return bfloat16 && shape_.k % 2 != 0;
        default:
            return (bfloat16 || strncmp(implementation_, "jit_1x1", 7) == 0) && (shape_.stride_h > 1 || shape_.stride_w > 1) &&
                   shape_.c % 16 != 0;
        }
    }

    void convolve(const void* x, const void* filter, const void* y, void* scratchpad) const {
        if (pointwise_)
            return pointwise_gradient(shape_, images_, static_cast<const float*>(x), static_cast<const float*>(y),
                                      static_cast<float*>(const_cast<void*>(filter)));
        bool forward = pass_ == ConvolutionPass::Forward, gradient = pass_ == ConvolutionPass::BackwardFilter;
        execute(primitive_, {{pass_ == ConvolutionPass::BackwardData ? DNNL_ARG_DIFF_SRC : DNNL_ARG_SRC, descriptors_.x, x},
                             {gradient ? DNNL_ARG_DIFF_WEIGHTS : DNNL_ARG_WEIGHTS, blocked_, filter},
                             {forward ? DNNL_ARG_DST : DNNL_ARG_DIFF_DST, descriptors_.y, y},
                             {DNNL_ARG_SCRATCHPAD, scratchpad_, scratchpad}});
    }

    // Calls f(first, skip) for each stage: images [first, first + images_). All stages have one length, so the last one may overlap
    // the stage before by `skip` images.
    template <class F> void for_stages(F f) const {
        for (int at = 0; at < shape_.n; at += images_) {
            int first = std::min(at, shape_.n - images_);
            f(first, at - first);
        }
    }

    // Forward and backward data: widens a stage of the input, convolves it, and rounds the stage of the output.
    void in_stages(const ConvolutionCall& call, const void* filter, void* scratchpad) const {
        bool forward = pass_ == ConvolutionPass::Forward;
        size_t in_image = forward ? shape_.x_image() : shape_.y_image(), out_image = forward ? shape_.y_image() : shape_.x_image();
        char* workspace = static_cast<char*>(call.workspace);
        float* in_stage = reinterpret_cast<float*>(workspace + (forward ? x_at_ : y_at_));
        float* out_stage = reinterpret_cast<float*>(workspace + (forward ? y_at_ : x_at_));
        const void* input = forward ? call.x : call.y;
        void* output = forward ? call.y : call.x;
        for_stages([&](int first, int skip) {
            const void* piece = element(input, type_, first * in_image);
            if (type_ != Number::Float) {
                widen_parallel(in_stage, piece, type_, images_ * in_image);
                piece = in_stage;
            }
            if (forward)
                convolve(piece, filter, out_stage, scratchpad);
            else
                convolve(out_stage, filter, piece, scratchpad);
            blend_parallel(element(output, type_, (first + skip) * out_image), type_, out_stage + skip * out_image, call.alpha, call.beta,
                           (images_ - skip) * out_image);
        });
    }

    // Backward filter: adds the stages' gradients in float, in oneDNN's layout. Returns the sum's place.
    void* sum_in_stages(const ConvolutionCall& call, void* filter, void* scratchpad) const {
        char* workspace = static_cast<char*>(call.workspace);
        float* x = reinterpret_cast<float*>(workspace + x_at_);
        float* y = reinterpret_cast<float*>(workspace + y_at_);
        float* sum = reinterpret_cast<float*>(workspace + sum_at_);
        size_t count = filter_.blocked_bytes() / sizeof(float);
        for_stages([&](int first, int skip) {
            widen_parallel(x, element(call.x, type_, first * shape_.x_image()), type_, images_ * shape_.x_image());
            widen_parallel(y, element(call.y, type_, first * shape_.y_image()), type_, images_ * shape_.y_image());
            memset(y, 0, skip * shape_.y_image() * sizeof(float));  // the stage before has added these
            convolve(x, filter, y, scratchpad);
            if (images_ < shape_.n)
                blend_parallel(sum, Number::Float, static_cast<const float*>(filter), 1, first == 0 ? 0 : 1, count);
        });
        return images_ < shape_.n ? sum : filter;
    }

    const ConvolutionPass pass_;
    const ConvolutionShape shape_;
    const Number type_;
    const bool staged_, x_staged_, y_staged_;
    bool pointwise_ = false;  // by pointwise_gradient(), where oneDNN is wrong
    const int images_;
    const Descriptors descriptors_;
    dnnl::convolution_forward::primitive_desc forward_;
    dnnl::convolution_backward_data::primitive_desc data_;
    dnnl::convolution_backward_weights::primitive_desc gradient_;
    memory::desc blocked_, scratchpad_;
    const char* implementation_ = nullptr;
    FilterLayout filter_;
    size_t filter_at_ = 0, scratchpad_at_ = 0, x_at_ = 0, y_at_ = 0, sum_at_ = 0, workspace_ = 0;
    std::once_flag prepared_;
    dnnl::primitive primitive_;
};

// Plans live as long as the process: a model has some dozens. They are never destroyed, as oneDNN may be gone by then.
Plan& plan(ConvolutionPass pass, const ConvolutionShape& shape, Number type, Way way) {
    static std::mutex mutex;
    static auto& plans = *new std::map<std::tuple<ConvolutionPass, Number, Way, ConvolutionShape>, std::unique_ptr<Plan>>();
    std::lock_guard<std::mutex> lock(mutex);
    std::unique_ptr<Plan>& found = plans[{pass, type, way, shape}];
    if (!found) {
        PlannedThreads threads;
        found = std::make_unique<Plan>(pass, shape, type, way);
    }
    return *found;
}

bool direct_bfloat16(ConvolutionPass pass, const ConvolutionShape& shape) {
    try {
        return plan(pass, shape, Number::Bfloat16, Way::Direct).serves_bfloat16();
    } catch (const dnnl::error&) {
        return false;  // no bfloat16 kernels for this processor
    }
}

Way way_for(ConvolutionPass pass, const ConvolutionShape& shape, Number type, float alpha, float beta) {
    if (type == Number::Float) {
        if (pass == ConvolutionPass::BackwardFilter || beta == 0) return Way::Direct;
        return pass == ConvolutionPass::Forward && beta == 1 ? Way::DirectSum : Way::Staged;
    }
    bool blends = alpha != 1 || beta != 0;
    if (type == Number::Half || (blends && pass != ConvolutionPass::BackwardFilter)) return Way::Staged;
    return direct_bfloat16(pass, shape) ? Way::Direct : Way::Staged;
}

}  // namespace

bool computes_natively(ConvolutionPass pass, const ConvolutionShape& shape, Number type) {
    return type == Number::Bfloat16 && direct_bfloat16(pass, shape);
}

size_t dense_workspace(ConvolutionPass pass, const ConvolutionShape& shape, Number type) {
    size_t bytes = 0;
    for (float beta : {0.0f, 1.0f, 2.0f}) bytes = std::max(bytes, plan(pass, shape, type, way_for(pass, shape, type, 1, beta)).workspace());
    return bytes;
}

std::function<void()> dense_convolution(const ConvolutionCall& call) {
    Plan* planned = &plan(call.pass, call.shape, call.type, way_for(call.pass, call.shape, call.type, call.alpha, call.beta));
    planned->prepare();
    return [planned, call] { planned->run(call); };
}

}  // namespace sltt_cpu
