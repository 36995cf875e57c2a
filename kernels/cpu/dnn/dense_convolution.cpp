#include "dnn/dense_convolution.h"

#include <omp.h>

#include <algorithm>
#include <exception>
#include <map>
#include <memory>
#include <mutex>
#include <tuple>

#include "dnn/dense_primitive.h"
#include "dnn/filter_layout.h"
#include "dnn/onednn.h"
#include "numbers.h"
#include "runtime/execution.h"
#include "scratch.h"

namespace sltt_cpu {
namespace {

using dnnl::memory;

constexpr int MAX_PIECES = 64;
constexpr double MIN_FLOPS = 4e6;          // of a piece: less takes not much longer than starting the primitive
constexpr int MIN_PIXELS = 64;             // outputs of a piece: with fewer, reading the filter takes too large a share of the time
constexpr size_t STAGE_BYTES = 1 << 20;    // of a piece's float buffers: an L2 cache
constexpr int MAX_GROUPS = 32, MIN_GROUPS = 2;
constexpr size_t GROUPS_BYTES = 5 << 20;   // of the groups' gradients, unless MIN_GROUPS need more

enum class Way { Direct, DirectSum, Staged };

int parts(int whole, int part) { return (whole + part - 1) / part; }

// f(item, thread) for every item, among the threads. oneDNN runs on one thread inside. An exception goes to the caller.
template <class F> void among_threads(int threads, int items, F f) {
    std::exception_ptr failure;
#pragma omp parallel num_threads(std::min(threads, items))
    {
        OpenMpThreads one(1);
#pragma omp for schedule(dynamic)
        for (int i = 0; i < items; ++i) try {
                f(i, omp_get_thread_num());
            } catch (...) {
#pragma omp critical
                failure = std::current_exception();
            }
    }
    if (failure) std::rethrow_exception(failure);
}

class Plan {
public:
    Plan(ConvolutionPass pass, const ConvolutionShape& shape, Number type, Way way)
        : pass_(pass), shape_(shape), type_(type), gradient_(pass == ConvolutionPass::BackwardFilter),
          staged_(way == Way::Staged), x_staged_(staged_ && (type != Number::Float || pass == ConvolutionPass::BackwardData)),
          y_staged_(staged_ && (type != Number::Float || pass == ConvolutionPass::Forward)) {
        cut();
        int rest = shape.n - (pieces_ - 1) * images_;
        memory::data_type number = staged_ ? memory::data_type::f32 : onednn_type(type);
        whole_ = DensePrimitive(pass, shape, images_, number, way == Way::DirectSum, {});
        if (rest != images_) rest_ = DensePrimitive(pass, shape, rest, number, way == Way::DirectSum, whole_.filter());
        wrong_ = whole_.is_wrong() || rest_.is_wrong();
        if (gradient_ && wrong_) {
            whole_.replace_by_loop();
            if (rest != images_) rest_.replace_by_loop();
        }
        filter_ = FilterLayout(shape, type, whole_.filter(), gradient_);
        lay_out();
    }

    size_t workspace() const { return workspace_; }
    // Whether this bfloat16 plan is faster than float, and right.
    bool serves_bfloat16() const { return whole_.has_native_bfloat16() && !wrong_; }

    void prepare() {
        std::call_once(prepared_, [this] {
            OpenMpThreads threads(thread_count());
            filter_.prepare();
            whole_.prepare();
            rest_.prepare();
        });
    }

    void run(const ConvolutionCall& call, int threads) const {
        char* workspace = static_cast<char*>(call.workspace);
        void* filter = workspace + filter_at_;
        void* scratchpad = workspace + scratchpad_at_;
        char* scratch = scratch_memory(std::min(threads, gradient_ ? groups_ : pieces_) * thread_bytes_);
        if (!gradient_) {
            // A direct pass applies alpha to the filter; a staged one applies it when it rounds.
            filter_.pack(filter, call.filter, staged_ ? 1 : call.alpha, scratchpad);
            among_threads(threads, pieces_,
                          [&](int piece, int thread) { convolve(call, piece, filter, scratch + thread * thread_bytes_); });
            return;
        }
        among_threads(threads, groups_, [&](int group, int thread) { add_up(call, group, scratch + thread * thread_bytes_); });
        if (groups_ > 1) add_parallel(static_cast<float*>(filter), filter_bytes_ / sizeof(float), groups_);
        filter_.unpack(call.filter, filter, call.alpha, call.beta, scratchpad);
    }

private:
    // Sizes of pieces and groups: nearly equal ones.
    void cut() {
        groups_ = MAX_GROUPS;
        while (groups_ > MIN_GROUPS && groups_ * shape_.filter_count() * sizeof(float) > GROUPS_BYTES) groups_ /= 2;
        double flops = shape_.flops() / shape_.n;
        int min = std::max((int)std::min(MIN_FLOPS / flops + 1, (double)shape_.n), parts(MIN_PIXELS, shape_.p * shape_.q));
        images_ = std::max(min, parts(shape_.n, gradient_ ? groups_ : MAX_PIECES));
        size_t image = ((x_staged_ ? shape_.x_image() : 0) + (y_staged_ ? shape_.y_image() : 0)) * sizeof(float);
        if (image > 0) images_ = std::min(images_, std::max(1, (int)(STAGE_BYTES / image)));
        images_ = parts(shape_.n, parts(shape_.n, images_));
        pieces_ = parts(shape_.n, images_);
        groups_ = gradient_ ? std::min(groups_, pieces_) : 0;
    }

    void lay_out() {
        auto place = [](size_t* end, size_t bytes) {
            size_t at = *end;
            *end += whole_lines(bytes);
            return at;
        };
        filter_bytes_ = whole_lines(filter_.blocked_bytes());
        filter_at_ = place(&workspace_, std::max(groups_, 1) * filter_bytes_);
        scratchpad_at_ = place(&workspace_, filter_.scratchpad_bytes());
        primitive_scratchpad_at_ = place(&thread_bytes_, std::max(whole_.scratchpad_bytes(), rest_.scratchpad_bytes()));
        if (x_staged_) x_at_ = place(&thread_bytes_, images_ * shape_.x_image() * sizeof(float));
        if (y_staged_) y_at_ = place(&thread_bytes_, images_ * shape_.y_image() * sizeof(float));
        if (groups_ < pieces_ && gradient_) term_at_ = place(&thread_bytes_, filter_bytes_);
    }

    const DensePrimitive& primitive(int images) const { return images == images_ ? whole_ : rest_; }

    // Forward and backward data of a piece. A staged pass widens the input, convolves it, and rounds the output.
    void convolve(const ConvolutionCall& call, int piece, const void* filter, char* scratch) const {
        bool forward = pass_ == ConvolutionPass::Forward;
        size_t in_image = forward ? shape_.x_image() : shape_.y_image(), out_image = forward ? shape_.y_image() : shape_.x_image();
        int first = piece * images_, images = std::min(images_, shape_.n - first);
        const void* in = element(forward ? call.x : call.y, type_, first * in_image);
        void* result = element(forward ? call.y : call.x, type_, first * out_image);
        void* out = staged_ ? scratch + (forward ? y_at_ : x_at_) : result;
        if (staged_ && type_ != Number::Float) in = widened(scratch + (forward ? x_at_ : y_at_), in, images * in_image);
        primitive(images).run(forward ? in : out, filter, forward ? out : in, scratch + primitive_scratchpad_at_);
        if (staged_) blend(result, type_, static_cast<const float*>(out), call.alpha, call.beta, images * out_image);
    }

    // The gradient of a group of pieces, in float and oneDNN's layout.
    void add_up(const ConvolutionCall& call, int group, char* scratch) const {
        void* sum = static_cast<char*>(call.workspace) + filter_at_ + group * filter_bytes_;
        int begin = pieces_ * group / groups_, end = pieces_ * (group + 1) / groups_;
        for (int piece = begin; piece < end; ++piece) {
            int first = piece * images_, images = std::min(images_, shape_.n - first);
            const void* x = element(call.x, type_, first * shape_.x_image());
            const void* y = element(call.y, type_, first * shape_.y_image());
            if (x_staged_) x = widened(scratch + x_at_, x, images * shape_.x_image());
            if (y_staged_) y = widened(scratch + y_at_, y, images * shape_.y_image());
            void* term = piece == begin ? sum : scratch + term_at_;
            primitive(images).run(x, term, y, scratch + primitive_scratchpad_at_);
            if (term != sum)
                blend(sum, Number::Float, static_cast<const float*>(term), 1, 1, filter_.blocked_bytes() / sizeof(float));
        }
    }

    const void* widened(void* to, const void* from, size_t count) const {
        widen(static_cast<float*>(to), from, type_, count);
        return to;
    }

    const ConvolutionPass pass_;
    const ConvolutionShape shape_;
    const Number type_;
    const bool gradient_, staged_, x_staged_, y_staged_;
    int images_, pieces_, groups_;  // images of each piece but the last; groups of a gradient's pieces
    DensePrimitive whole_, rest_;   // of a piece, of the last piece where it is smaller
    bool wrong_;
    FilterLayout filter_;
    // In the workspace: the filter or the groups' gradients, and the repacking's scratchpad. For each thread: a scratchpad, the stages and
    // a piece's gradient.
    size_t filter_bytes_ = 0, filter_at_ = 0, scratchpad_at_ = 0, workspace_ = 0;
    size_t primitive_scratchpad_at_ = 0, x_at_ = 0, y_at_ = 0, term_at_ = 0, thread_bytes_ = 0;
    std::once_flag prepared_;
};

// Plans live as long as the process: a model has some dozens. They are never destroyed, as oneDNN may be gone by then.
Plan& plan(ConvolutionPass pass, const ConvolutionShape& shape, Number type, Way way) {
    static std::mutex mutex;
    static auto& plans = *new std::map<std::tuple<ConvolutionPass, Number, Way, ConvolutionShape>, std::unique_ptr<Plan>>();
    std::lock_guard<std::mutex> lock(mutex);
    std::unique_ptr<Plan>& found = plans[{pass, type, way, shape}];
    if (!found) {
        OpenMpThreads planned(thread_count());
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

std::function<void()> dense_convolution(const ConvolutionCall& call, int threads) {
    Way way = way_for(call.pass, call.shape, call.type, call.alpha, call.beta);
    Plan* planned = &plan(call.pass, call.shape, call.type, way);
    planned->prepare();
    return [planned, call, threads] { planned->run(call, threads); };
}

}  // namespace sltt_cpu
