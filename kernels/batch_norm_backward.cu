// batch_norm_backward_reduce, _apply: backward of batch norm with batch statistics.
//
// With xhat = (x - mean[c]) invstd[c] and dy the gradient of the output, over all rows:
//   reduce:  S0 = sum of dy,  S1 = sum of dy xhat   (batch_norm_lif_backward computes the same of its dy)
//            grad_bias += S0;  grad_weight += S1;  coefficients = (S0/rows, S1/rows)
//   apply:   grad_x = scale[c] (dy - coefficients[0][c] - xhat coefficients[1][c]),   scale = weight invstd
// apply does this for each step.
//
// x, grad_x: (steps, rows, channels), NHWC, type T. grad_y: T in batch_norm_backward_apply; float, a sum over time steps, in
// batch_norm_backward_reduce and batch_norm_backward_apply_sum, which work on one step's x. mean, invstd, scale: (steps, channels).
// partials: (parts, 2, channels) double, the sums over each block's rows. coefficients: (steps, 2, channels). arrived: a counter for each
// 32 channels, 0 before and after the launch; null: the partial sums are all that is wanted.
// Bytes an element (type of b bytes): reduce reads 4 + b. apply reads 2b, writes b. apply_sum reads 4 + b, writes b.
// Overwrites partials, coefficients, grad_x (batch_norm_backward_apply: may be grad_y or x); adds to grad_weight and grad_bias.
// Numerics: sums in float over a few dozen rows, then double; apply in float, rounded once.
// Source: Ioffe and Szegedy 2015, section 3.
#include "common/sltt.cuh"

namespace sltt {

template <class T>
__device__ inline void batch_norm_backward_reduce(double* partials, const float* grad_y, const T* x, const float* mean, const float* invstd,
                                                  int64_t rows, int channels) {
    auto read = [=](auto lanes, int64_t i) {
        constexpr int V = decltype(lanes)::value;
        struct {
            Stored<float, V> grad_y;
            Stored<T, V> x;
        } in = {fetch<V>(grad_y, i), fetch<V>(x, i)};
        return in;
    };
    sum_rows_for_last_block<2, 2, T>(partials, rows, channels, PerChannel<2>{{mean, invstd}}, no_dropout(), read,
                                     [=](auto, int64_t, const auto& norm, const auto&, const auto& in) {
                                         auto dy = from_memory(in.grad_y), xhat = (from_memory(in.x) - norm[0]) * norm[1];
                                         return packs(dy, dy * xhat);
                                     });
}

template <class T, class G>
__device__ inline void batch_norm_backward_apply(T* grad_x, const G* grad_y, const T* x, const float* mean, const float* invstd,
                                                 const float* scale, const float* coefficients, int64_t rows, int channels) {
    PerChannel<5> parameters = {{mean, invstd, scale, coefficients, coefficients + channels}};
    for_rows_channels<T>(rows, channels, parameters, no_dropout(), [=](auto lanes, int64_t i, const auto& params, const auto&) {
        constexpr int V = decltype(lanes)::value;
        Pack<V> dy = load<V, STREAM>(grad_y, i), xhat = (load<V, STREAM>(x, i) - params[0]) * params[1];
        store<V>(grad_x, i, params[2] * ((dy - params[3]) - xhat * params[4]));
    });
}

template <class T>
__device__ inline void batch_norm_backward_apply_steps(T* grad_x, const T* grad_y, const T* x, const float* mean, const float* invstd,
                                                       const float* scale, const float* coefficients, int steps, int64_t rows,
                                                       int channels) {
    for_steps(steps, [=](int step) {
        const int64_t begin = step * rows * channels, c = (int64_t)step * channels;  // of the step's elements, channels
        batch_norm_backward_apply<T, T>(grad_x + begin, grad_y + begin, x + begin, mean + c, invstd + c, scale + c, coefficients + 2 * c,
                                        rows, channels);
    });
}

#define VARIANT(T, suffix)                                                                                                              \
    SLTT_SUM_KERNEL(                                                                                                                    \
        batch_norm_backward_reduce_##suffix,                                                                                            \
        (double* __restrict__ partials, uint32_t* __restrict__ arrived, float* __restrict__ grad_weight, float* __restrict__ grad_bias, \
         float* __restrict__ coefficients, const float* __restrict__ grad_y, const T* __restrict__ x, const float* __restrict__ mean,   \
         const float* __restrict__ invstd, int64_t rows, int channels),                                                                 \
        batch_norm_backward_reduce<T>(partials, grad_y, x, mean, invstd, rows, channels);                                               \
        finish_batch_norm_gradient<T>(arrived, partials, grad_weight, grad_bias, coefficients, 1, rows, channels))                      \
    SLTT_KERNEL(batch_norm_backward_apply_##suffix,                                                                                     \
                (T * grad_x, const T* grad_y, const T* x, const float* __restrict__ mean, const float* __restrict__ invstd,             \
                 const float* __restrict__ scale, const float* __restrict__ coefficients, int steps, int64_t rows, int channels),       \
                batch_norm_backward_apply_steps<T>(grad_x, grad_y, x, mean, invstd, scale, coefficients, steps, rows, channels))        \
    SLTT_KERNEL(                                                                                                                        \
        batch_norm_backward_apply_sum_##suffix,                                                                                         \
        (T * grad_x, const float* __restrict__ grad_y, const T* x, const float* __restrict__ mean, const float* __restrict__ invstd,    \
         const float* __restrict__ scale, const float* __restrict__ coefficients, int64_t rows, int channels),                          \
        batch_norm_backward_apply<T, float>(grad_x, grad_y, x, mean, invstd, scale, coefficients, rows, channels))
SLTT_FOR_EACH_TYPE(VARIANT)
#undef VARIANT

}  // namespace sltt
