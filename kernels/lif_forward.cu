// lif_forward: one time step of a layer of LIF neurons (common/neuron.cuh).
//
//   x'   = x_scale (x + x_bias[c])
//   u(t) = lambda v(t-1) + x',   v(t-1) = u(t-1) - [u(t-1) >= v_th] v_th   (u_prev null: v = 0)
//   spikes = spike_scale mask [u(t) >= v_th]
//
// spikes, u, u_prev, x: (rows, channels), NHWC. x_bias: (channels) or null. mask: of the dropout, the same at every t.
// Bytes an element (type of b bytes): reads x b, u_prev b; writes u b, spikes b.
// Overwrites spikes (null: not written) and u; u may be u_prev, then one buffer serves all steps.
// Numerics: float, u rounded once to T; the spike is decided from that rounded u. A scale of 1 changes no bit.
// Source: Meng et al., ICCV 2023, eq. 1-3; neuron of spikingjelly's LIFNode.
#include "common/sltt.cuh"

namespace sltt {

template <class T>
__device__ inline void lif_forward(T* spikes, T* u, const T* u_prev, const T* x, const float* x_bias, float x_scale, float spike_scale,
                                   float lambda, float v_th, Dropout drop, int64_t rows, int channels) {
    specialise(spikes != nullptr, u_prev != nullptr, [=](auto fires, auto continues) {
        for_rows_channels<T>(rows, channels, PerChannel<1>{{x_bias}}, drop, [=](auto lanes, int64_t i, const auto& bias, const auto& mask) {
            constexpr int V = decltype(lanes)::value;
            Pack<V> u_previous = continues ? load<V>(u_prev, i) : Pack<V>(0.0f);
            Pack<V> input = x_scale * (load<V, STREAM>(x, i) + bias[0]);
            Pack<V> u_now = store_rounded<V>(u, i, lif_step(reset(u_previous, v_th), input, lambda));
            if (fires) store<V>(spikes, i, spike_scale * mask * spike(u_now, v_th));
        });
    });
}

#define VARIANT(T, suffix)                                                                                                                \
    SLTT_KERNEL(                                                                                                                          \
        lif_forward_##suffix,                                                                                                             \
        (T * spikes, T * u, const T* u_prev, const T* __restrict__ x, const float* __restrict__ x_bias, float x_scale, float spike_scale, \
         float lambda, float v_th, float drop_rate, uint32_t drop_layer, const RunState* state, int64_t rows, int channels),              \
        lif_forward<T>(spikes, u, u_prev, x, x_bias, x_scale, spike_scale, lambda, v_th, dropout(drop_rate, drop_layer, state), rows,     \
                       channels))
SLTT_FOR_EACH_TYPE(VARIANT)
#undef VARIANT

}  // namespace sltt
