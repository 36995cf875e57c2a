// batch_norm_lif_pool_forward: batch_norm_lif_forward and the average pool behind it in one pass. The unpooled spikes never reach memory.
//
//   x'   = (x - mean[c]) scale[c] + bias[c]
//   u(t) = lambda v(t-1) + x',   v(t-1) = u(t-1) - [u(t-1) >= v_th] v_th   (u_prev null: v = 0)
//   pooled = mean over a window of mask [u(t) >= v_th]
//
// u, u_prev, x: (rows, channels), NHWC, rows = N*H*W, `width` = W. pooled: (rows / window^2, channels): windows of window * window
// pixels side by side, H and W multiples of window, which is at most 8. mean, scale, bias: (channels).
// mask: of the dropout, before the pool.
// Bytes an element of x (type of b bytes): reads x b, u_prev b; writes u b, pooled b / window^2.
// Overwrites pooled and u; u may be u_prev.
// Numerics: as batch_norm_lif_forward; a window is added up in float, in row order, and rounded once to T.
// Source: Ioffe and Szegedy 2015; Meng et al., ICCV 2023; torch.nn.AvgPool2d.
#include "common/sltt.cuh"

namespace sltt {

template <class T>
__device__ inline void batch_norm_lif_pool_forward(T* pooled, T* u, const T* u_prev, const T* x, const float* mean, const float* scale,
                                                   const float* bias, float lambda, float v_th, Dropout drop, int64_t rows, int channels,
                                                   Windows windows) {
    specialise(u_prev != nullptr, [=](auto continues) {
        auto read = [=](auto lanes, int64_t i) {
            constexpr int V = decltype(lanes)::value;
            struct {
                Stored<T, V> x, u_prev;
            } in = {fetch<V, STREAM>(x, i), {}};
            if (continues) in.u_prev = fetch<V>(u_prev, i);
            return in;
        };
        pool_rows<T>(
            rows, channels, windows, PerChannel<3>{{mean, scale, bias}}, drop, read,
            [=](auto lanes, int64_t i, const auto& norm, const auto& mask, const auto& in) {
                constexpr int V = decltype(lanes)::value;
                Pack<V> u_previous = continues ? from_memory(in.u_prev) : Pack<V>(0.0f);
                Pack<V> normalised = (from_memory(in.x) - norm[0]) * norm[1] + norm[2];
                Pack<V> u_now = store_rounded<V>(u, i, lif_step(reset(u_previous, v_th), normalised, lambda));
                return mask * spike(u_now, v_th);
            },
            [=](auto lanes, int64_t o, const auto& rate) { store<decltype(lanes)::value>(pooled, o, rate); });
    });
}

#define VARIANT(T, suffix)                                                                                                       \
    SLTT_SUM_KERNEL(batch_norm_lif_pool_forward_##suffix,                                                                        \
                    (T* __restrict__ pooled, T * u, const T* u_prev, const T* __restrict__ x, const float* __restrict__ mean,    \
                     const float* __restrict__ scale, const float* __restrict__ bias, float lambda, float v_th, float drop_rate, \
                     uint32_t drop_layer, const RunState* state, int64_t rows, int channels, int width, int window),             \
                    batch_norm_lif_pool_forward<T>(pooled, u, u_prev, x, mean, scale, bias, lambda, v_th,                        \
                                                   dropout(drop_rate, drop_layer, state), rows, channels, {width, window}))
SLTT_FOR_EACH_TYPE(VARIANT)
#undef VARIANT

}  // namespace sltt
