// batch_norm_lif_forward: batch norm's normalisation and time steps of LIF neurons in one pass.
//
// For each step, in order:
//   x'   = (x - mean[c]) scale[c] + bias[c]
//   u(t) = lambda v(t-1) + x',   v(t-1) = u(t-1) - [u(t-1) >= v_th] v_th   (in front of the first step u_prev; null: v = 0)
//   spikes = mask [u(t) >= v_th]
//
// spikes, u, x: (steps, rows, channels), NHWC; u_prev: (rows, channels). mean, scale = weight invstd: (steps, channels), from
// batch_norm_finalize (training) or batch_norm_inference; bias: (channels). mask: of the dropout, the same at every t.
// x_shared: x is (rows, channels), the same at every step. norm_shared: mean and scale are (channels). u_last: u is (rows, channels), and
// only the last step's potential is written.
// Bytes an element and step (type of b bytes): reads x b; writes u b, spikes b. Besides, once a launch: reads u_prev b.
// Overwrites spikes (null: not written) and u. u_prev may be u's last step (with one step: u).
// Numerics: as lif_forward; the normalised value is never rounded to T.
// Source: Ioffe and Szegedy 2015; Meng et al., ICCV 2023.
#include "common/sltt.cuh"

namespace sltt {

template <class T>
__device__ inline void batch_norm_lif_forward(T* spikes, T* u, const T* u_prev, const T* x, const float* mean, const float* scale,
                                              const float* bias, float lambda, float v_th, Dropout drop, bool x_shared, bool norm_shared,
                                              bool u_last, int steps, int64_t rows, int channels) {
    PerStepAndChannel<3, 2> parameters = {{{mean, scale, bias}}, norm_shared ? 0 : channels};
    LifSteps<T> neurons = {u, u_prev, x, x_shared, u_last, steps, rows * channels};
    specialise(spikes != nullptr, u_prev != nullptr, [=](auto fires, auto continues) {
        walk_rows_channels<T>(steps, rows, channels, parameters, drop,
                              [=](auto lanes, int64_t i, const Walk& walk, const auto& norm_at, const auto& mask) {
                                  constexpr int V = decltype(lanes)::value;
                                  neurons.template advance<V>(
                                      i, walk, continues, v_th, lambda,
                                      [&](int step, const Pack<V>& x) {
                                          auto norm = norm_at(step);
                                          return (x - norm[0]) * norm[1] + norm[2];
                                      },
                                      [&](int64_t at, const Pack<V>& spike) {
                                          if (fires) store<V>(spikes, at, mask * spike);
                                      });
                              });
    });
}

#define VARIANT(T, suffix)                                                                                                                \
    SLTT_KERNEL(                                                                                                                          \
        batch_norm_lif_forward_##suffix,                                                                                                  \
        (T * spikes, T * u, const T* u_prev, const T* __restrict__ x, const float* __restrict__ mean, const float* __restrict__ scale,    \
         const float* __restrict__ bias, float lambda, float v_th, float drop_rate, uint32_t drop_layer, const RunState* state,           \
         int x_shared, int norm_shared, int u_last, int steps, int64_t rows, int channels),                                               \
        batch_norm_lif_forward<T>(spikes, u, u_prev, x, mean, scale, bias, lambda, v_th, dropout(drop_rate, drop_layer, state), x_shared, \
                                  norm_shared, u_last, steps, rows, channels))
SLTT_FOR_EACH_TYPE(VARIANT)
#undef VARIANT

}  // namespace sltt
