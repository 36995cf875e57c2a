// batch_norm_lif_pool_forward: batch_norm_lif_forward and the average pool behind it in one pass. The unpooled spikes never reach memory.
//
// For each step, in order:
//   x'   = (x - mean[c]) scale[c] + bias[c]
//   u(t) = lambda v(t-1) + x',   v(t-1) = u(t-1) - [u(t-1) >= v_th] v_th   (in front of the first step u_prev; null: v = 0)
//   pooled = mean over a window of mask [u(t) >= v_th]
//
// u, x: (steps, rows, channels), NHWC, rows = N*H*W, `width` = W; u_prev: (rows, channels). pooled: (steps, rows / window^2, channels):
// windows of window * window pixels side by side, H and W multiples of window, which is at most 8. mean, scale: (steps, channels); bias:
// (channels). mask: of the dropout, before the pool, the same at every t. x_shared, norm_shared, u_last: as in batch_norm_lif_forward.
// Bytes an element of x and step (type of b bytes): reads x b; writes u b, pooled b / window^2. Besides, once a launch: reads u_prev b.
// On a GPU windows of 3 * 3 pixels and more read each step's u_prev b again, from its cache.
// Overwrites pooled and u. u_prev may be u's last step (with one step: u).
// Numerics: as batch_norm_lif_forward; a window is added up in float, in row order, and rounded once to T.
// Source: Ioffe and Szegedy 2015; Meng et al., ICCV 2023; torch.nn.AvgPool2d.
#include "common/sltt.cuh"

namespace sltt {

template <class T>
__device__ inline void batch_norm_lif_pool_forward(T* pooled, T* u, const T* u_prev, const T* x, const float* mean, const float* scale,
                                                   const float* bias, float lambda, float v_th, Dropout drop, bool x_shared,
                                                   bool norm_shared, bool u_last, int steps, int64_t rows, int channels, Windows windows) {
    PerStepAndChannel<3, 2> parameters = {{{mean, scale, bias}}, norm_shared ? 0 : channels};
    LifSteps<T> neurons = {u, u_prev, x, x_shared, u_last, steps, rows * channels};
    const int64_t pooled_n = rows / windows.pixels() * channels;
    specialise(u_prev != nullptr, [=](auto continues) {
        walk_pool_rows<T>(
            steps, rows, channels, windows, parameters, drop,
            [=](auto lanes, int64_t i, int step) { return neurons.template before<decltype(lanes)::value>(i, step, continues); },
            [=](auto lanes, int64_t i, int step) { return fetch<decltype(lanes)::value, STREAM>(neurons.x_at(step), i); },
            [=](auto lanes, int64_t i, int step, auto held, const auto& norm, const auto& mask, const auto& x, auto& before) {
                constexpr int V = decltype(lanes)::value;
                Pack<V> normalised = (from_memory(x) - norm[0]) * norm[1] + norm[2];
                before = to_memory<T>(lif_step(reset(from_memory(before), v_th), normalised, lambda));
                if (!held || neurons.keeps(step)) store<V>(neurons.u_at(step), i, before);
                return mask * spike(from_memory(before), v_th);
            },
            [=](auto lanes, int64_t o, int step, const auto& rate) { store<decltype(lanes)::value>(pooled + step * pooled_n, o, rate); });
    });
}

#define VARIANT(T, suffix)                                                                                                                \
    SLTT_SUM_KERNEL(                                                                                                                      \
        batch_norm_lif_pool_forward_##suffix,                                                                                             \
        (T* __restrict__ pooled, T * u, const T* u_prev, const T* __restrict__ x, const float* __restrict__ mean,                         \
         const float* __restrict__ scale, const float* __restrict__ bias, float lambda, float v_th, float drop_rate, uint32_t drop_layer, \
         const RunState* state, int x_shared, int norm_shared, int u_last, int steps, int64_t rows, int channels, int width, int window), \
        batch_norm_lif_pool_forward<T>(pooled, u, u_prev, x, mean, scale, bias, lambda, v_th, dropout(drop_rate, drop_layer, state),      \
                                       x_shared, norm_shared, u_last, steps, rows, channels, {width, window}))
SLTT_FOR_EACH_TYPE(VARIANT)
#undef VARIANT

}  // namespace sltt
