#include "dnn/dense_primitive.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "dnn/onednn.h"

namespace sltt_cpu {
namespace {

using dnnl::memory;

// How far the last window reaches beyond the input; negative where no window reaches the input's end.
int end_pad(int outputs, int stride, int taps, int dilation, int input, int pad) {
    return (outputs - 1) * stride + (taps - 1) * dilation + 1 - input - pad;
}

// oneDNN's descriptors of a pass.
class Descriptors {
public:
    Descriptors(const ConvolutionShape& s, memory::data_type type, const memory::desc& x, const memory::desc& y)
        : x_(x), y_(y), any_filter_({s.k, s.c, s.r, s.s}, type, memory::format_tag::any),
          any_gradient_({s.k, s.c, s.r, s.s}, memory::data_type::f32, memory::format_tag::any),
          stride_{s.stride_h, s.stride_w}, dilation_{s.dilation_h - 1, s.dilation_w - 1}, pad_{s.pad_h, s.pad_w},
          end_pad_{end_pad(s.p, s.stride_h, s.r, s.dilation_h, s.h, s.pad_h), end_pad(s.q, s.stride_w, s.s, s.dilation_w, s.w, s.pad_w)} {}

    // The filter of a pass, where oneDNN chooses its layout.
    const memory::desc& any_filter(ConvolutionPass pass) const {
        return pass == ConvolutionPass::BackwardFilter ? any_gradient_ : any_filter_;
    }

    // oneDNN 2.6 ranks its batch-reduced-gemm kernels first. On NHWC the direct ones are as fast or faster (up to 1.6 times where the
    // output is 4x4), need no scratchpad and generate far less code.
    dnnl::convolution_forward::primitive_desc forward(const memory::desc& filter, bool sum) const {
        dnnl::primitive_attr attr = user_scratchpad();
        if (sum) {
            dnnl::post_ops ops;
            ops.append_sum();
            attr.set_post_ops(ops);
        }
        dnnl::convolution_forward::desc desc(dnnl::prop_kind::forward_training, dnnl::algorithm::convolution_direct, x_, filter, y_,
                                             stride_, dilation_, pad_, end_pad_);
        dnnl::convolution_forward::primitive_desc first(desc, attr, onednn_engine());
        if (strncmp(first.impl_info_str(), "brgconv", 7) != 0) return first;
        dnnl::convolution_forward::primitive_desc next(desc, attr, onednn_engine());
        if (next.next_impl() && strncmp(next.impl_info_str(), "jit", 3) == 0 && strstr(next.impl_info_str(), "avx512")) return next;
        return first;
    }
    dnnl::convolution_backward_data::primitive_desc backward_data(const memory::desc& filter) const {
        dnnl::convolution_backward_data::desc desc(dnnl::algorithm::convolution_direct, x_, filter, y_, stride_, dilation_, pad_, end_pad_);
        return {desc, user_scratchpad(), onednn_engine(), forward(any_filter_, false)};
    }
    dnnl::convolution_backward_weights::primitive_desc backward_filter(const memory::desc& gradient) const {
        dnnl::convolution_backward_weights::desc desc(dnnl::algorithm::convolution_direct, x_, gradient, y_, stride_, dilation_, pad_,
                                                      end_pad_);
        return {desc, user_scratchpad(), onednn_engine(), forward(any_filter_, false)};
    }

private:
    const memory::desc &x_, &y_;
    const memory::desc any_filter_, any_gradient_;
    const memory::dims stride_, dilation_, pad_, end_pad_;
};

// gradient (k, c) of a 1x1 filter without padding: the sum over output pixels of y (k) times the x (c) under the pixel.
void pointwise_gradient(const ConvolutionShape& s, const float* x, const float* y, float* gradient) {
    for (int k = 0; k < s.k; ++k) {
        float* sum = gradient + (size_t)k * s.c;
        std::fill(sum, sum + s.c, 0.0f);
        for (int n = 0; n < s.n; ++n)
            for (int p = 0; p < s.p; ++p)
                for (int q = 0; q < s.q; ++q) {
                    float dy = y[(((size_t)n * s.p + p) * s.q + q) * s.k + k];
                    const float* under = x + (((size_t)n * s.h + p * s.stride_h) * s.w + q * s.stride_w) * s.c;
                    for (int c = 0; c < s.c; ++c) sum[c] += dy * under[c];
                }
    }
}

}  // namespace

DensePrimitive::DensePrimitive(ConvolutionPass pass, const ConvolutionShape& shape, int images, memory::data_type type, bool sum,
                               const memory::desc& filter)
    : pass_(pass), shape_(shape),
      x_({images, shape.c, shape.h, shape.w}, type, memory::format_tag::nhwc),
      y_({images, shape.k, shape.p, shape.q}, type, memory::format_tag::nhwc) {
    shape_.n = images;
    OpenMpThreads one(1);
    Descriptors descriptors(shape_, type, x_, y_);
    const memory::desc& asked = filter.get_size() != 0 ? filter : descriptors.any_filter(pass);
    switch (pass) {
    case ConvolutionPass::Forward:
        forward_ = descriptors.forward(asked, sum);
        describe(forward_, forward_.weights_desc());
        break;
    case ConvolutionPass::BackwardData:
        data_ = descriptors.backward_data(asked);
        describe(data_, data_.weights_desc());
        break;
    case ConvolutionPass::BackwardFilter:
        gradient_ = descriptors.backward_filter(asked);
        describe(gradient_, gradient_.diff_weights_desc());
        break;
    }
}

template <class Desc> void DensePrimitive::describe(const Desc& desc, const memory::desc& filter) {
    scratchpad_ = desc.scratchpad_desc();
    implementation_ = desc.impl_info_str();
    filter_ = filter;
}

// Two errors of oneDNN 2.6's 1x1 kernels. The gradient of strided filters whose channels are no multiple of 16 is wrong on AVX2 and
// writes beyond its scratchpad on AVX-512. bfloat16 sums over an odd number of channels are wrong.
bool DensePrimitive::is_wrong() const {
    bool bfloat16 = strncmp(implementation_, "jit_bf16_1x1", 12) == 0;
    switch (pass_) {
    case ConvolutionPass::Forward: return bfloat16 && shape_.c % 2 != 0;
    case ConvolutionPass::BackwardData: return bfloat16 && shape_.k % 2 != 0;
    default:
        return (bfloat16 || strncmp(implementation_, "jit_1x1", 7) == 0) && (shape_.stride_h > 1 || shape_.stride_w > 1) &&
               shape_.c % 16 != 0;
    }
}

// Instructions that multiply bfloat16 are AVX512_BF16 and AMX. Without them oneDNN emulates, slower than float. It names the
// instruction set after the colon.
bool DensePrimitive::has_native_bfloat16() const {
    static const char* const choice = getenv("SLTT_CPU_BF16");
    if (choice != nullptr && strcmp(choice, "native") == 0) return true;
    if (choice != nullptr && strcmp(choice, "float") == 0) return false;
    const char* instruction_set = strchr(implementation_, ':');
    return instruction_set != nullptr && (strstr(instruction_set, "bf16") != nullptr || strstr(instruction_set, "amx") != nullptr);
}

void DensePrimitive::replace_by_loop() {
    loop_ = true;
    filter_ = memory::desc({shape_.k, shape_.c, 1, 1}, memory::data_type::f32, memory::format_tag::ohwi);
    scratchpad_ = memory::desc();
}

void DensePrimitive::prepare() {
    if (loop_ || shape_.n == 0) return;
    OpenMpThreads one(1);
    switch (pass_) {
    case ConvolutionPass::Forward: primitive_ = dnnl::convolution_forward(forward_); break;
    case ConvolutionPass::BackwardData: primitive_ = dnnl::convolution_backward_data(data_); break;
    case ConvolutionPass::BackwardFilter: primitive_ = dnnl::convolution_backward_weights(gradient_); break;
    }
}

void DensePrimitive::run(const void* x, const void* filter, const void* y, void* scratchpad) const {
    if (loop_)
        return pointwise_gradient(shape_, static_cast<const float*>(x), static_cast<const float*>(y),
                                  static_cast<float*>(const_cast<void*>(filter)));
    bool forward = pass_ == ConvolutionPass::Forward, gradient = pass_ == ConvolutionPass::BackwardFilter;
    execute(primitive_, {{pass_ == ConvolutionPass::BackwardData ? DNNL_ARG_DIFF_SRC : DNNL_ARG_SRC, x_, x},
                         {gradient ? DNNL_ARG_DIFF_WEIGHTS : DNNL_ARG_WEIGHTS, filter_, filter},
                         {forward ? DNNL_ARG_DST : DNNL_ARG_DIFF_DST, y_, y},
                         {DNNL_ARG_SCRATCHPAD, scratchpad_, scratchpad}});
}

}  // namespace sltt_cpu
