// lif_forward: time steps of a layer of LIF neurons (common/neuron.cuh).
//
// For each step, in order:
//   x'   = x_scale (x + x_bias[c])
//   u(t) = lambda v(t-1) + x',   v(t-1) = u(t-1) - [u(t-1) >= v_th] v_th   (in front of the first step u_prev; null: v = 0)
//   spikes = spike_scale mask [u(t) >= v_th]
//
// spikes, u, x: (steps, rows, channels), NHWC; u_prev: (rows, channels). x_bias: (channels) or null. mask: of the dropout, the same at
// every t. x_shared: x is (rows, channels), the same at every step. u_last: u is (rows, channels), and only the last step's potential is
// written.
// Bytes an element and step (type of b bytes): reads x b; writes u b, spikes b. Besides, once a launch: reads u_prev b.
// Overwrites spikes (null: not written) and u. u_prev may be u's last step; with one step one buffer then serves all steps.
// Numerics: float, u rounded once to T; the spike is decided from that rounded u. A scale of 1 changes no bit.
// Source: Meng et al., ICCV 2023, eq. 1-3; neuron of spikingjelly's LIFNode.
#include "common/sltt.cuh"

namespace sltt {

template <class T>
__device__ inline void lif_forward(T* spikes, T* u, const T* u_prev, const T* x, const float* x_bias, float x_scale, float spike_scale,
                                   float lambda, float v_th, Dropout drop, bool x_shared, bool u_last, int steps, int64_t rows,
                                   int channels) {
    PerStepAndChannel<1, 0> parameters = {{{x_bias}}, 0};
    LifSteps<T> neurons = {u, u_prev, x, x_shared, u_last, steps, rows * channels};
    specialise(spikes != nullptr, u_prev != nullptr, [=](auto fires, auto continues) {
        walk_rows_channels<T>(
            steps, rows, channels, parameters, drop, [=](auto lanes, int64_t i, const Walk& walk, const auto& bias_at, const auto& mask) {
                constexpr int V = decltype(lanes)::value;
                neurons.template advance<V>(
                    i, walk, continues, v_th, lambda, [&](int step, const Pack<V>& x) { return x_scale * (x + bias_at(step)[0]); },
                    [&](int64_t at, const Pack<V>& spike) {
                        if (fires) store<V>(spikes, at, spike_scale * mask * spike);
                    });
            });
    });
}

#define VARIANT(T, suffix)                                                                                                               \
    SLTT_KERNEL(lif_forward_##suffix,                                                                                                    \
                (T * spikes, T * u, const T* u_prev, const T* __restrict__ x, const float* __restrict__ x_bias, float x_scale,           \
                 float spike_scale, float lambda, float v_th, float drop_rate, uint32_t drop_layer, const RunState* state, int x_shared, \
                 int u_last, int steps, int64_t rows, int channels),                                                                     \
                lif_forward<T>(spikes, u, u_prev, x, x_bias, x_scale, spike_scale, lambda, v_th, dropout(drop_rate, drop_layer, state),  \
                               x_shared, u_last, steps, rows, channels))
SLTT_FOR_EACH_TYPE(VARIANT)
#undef VARIANT

}  // namespace sltt
