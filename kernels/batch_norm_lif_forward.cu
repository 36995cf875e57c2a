// batch_norm_lif_forward: batch norm's normalisation and one time step of LIF neurons in one pass.
//
//   x'   = (x - mean[c]) scale[c] + bias[c]
//   u(t) = lambda v(t-1) + x',   v(t-1) = u(t-1) - [u(t-1) >= v_th] v_th   (u_prev null: v = 0)
//   spikes = mask [u(t) >= v_th]
//
// spikes, u, u_prev, x: (rows, channels), NHWC. mean, scale = weight invstd, bias: (channels), from batch_norm_finalize
// (training) or batch_norm_inference. mask: of the dropout, the same at every t.
// Bytes an element (type of b bytes): reads x b, u_prev b; writes u b, spikes b.
// Overwrites spikes (null: not written) and u; u may be u_prev.
// Numerics: as lif_forward; the normalised value is never rounded to T.
// Source: Ioffe and Szegedy 2015; Meng et al., ICCV 2023.
#include "common/sltt.cuh"

namespace sltt {

template <class T>
__device__ inline void batch_norm_lif_forward(T* spikes, T* u, const T* u_prev, const T* x, const float* mean, const float* scale,
                                              const float* bias, float lambda, float v_th, Dropout drop, int64_t rows, int channels) {
    specialise(spikes != nullptr, u_prev != nullptr, [=](auto fires, auto continues) {
        for_rows_channels<T>(rows, channels, PerChannel<3>{{mean, scale, bias}}, drop,
                             [=](auto lanes, int64_t i, const auto& norm, const auto& mask) {
                                 constexpr int V = decltype(lanes)::value;
                                 Pack<V> u_previous = continues ? load<V>(u_prev, i) : Pack<V>(0.0f);
                                 Pack<V> normalised = (load<V, STREAM>(x, i) - norm[0]) * norm[1] + norm[2];
                                 Pack<V> u_now = store_rounded<V>(u, i, lif_step(reset(u_previous, v_th), normalised, lambda));
                                 if (fires) store<V>(spikes, i, mask * spike(u_now, v_th));
                             });
    });
}

#define VARIANT(T, suffix)                                                                                                              \
    SLTT_KERNEL(batch_norm_lif_forward_##suffix,                                                                                        \
                (T * spikes, T * u, const T* u_prev, const T* __restrict__ x, const float* __restrict__ mean,                           \
                 const float* __restrict__ scale, const float* __restrict__ bias, float lambda, float v_th, float drop_rate,            \
                 uint32_t drop_layer, const RunState* state, int64_t rows, int channels),                                               \
                batch_norm_lif_forward<T>(spikes, u, u_prev, x, mean, scale, bias, lambda, v_th, dropout(drop_rate, drop_layer, state), \
                                          rows, channels))
SLTT_FOR_EACH_TYPE(VARIANT)
#undef VARIANT

}  // namespace sltt
