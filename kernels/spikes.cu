// spikes: recomputes a layer's spikes from its membrane potentials, for the weight gradient of the next convolution.
//
//   spikes = spike_scale mask [u(t) >= v_th]
//
// spikes, u: (steps, n), any layout; the mask is the same at every step. The same bits as lif_forward or batch_norm_lif_forward wrote for the same u.
// Bytes an element (type of b bytes): reads u b; writes spikes b. Overwrites spikes.
#include "common/sltt.cuh"

namespace sltt {

template <class T> __device__ inline void spikes(T* out, const T* u, float spike_scale, float v_th, Dropout drop, int steps, int64_t n) {
    for_steps(steps, [=](int step) {
        for_elements<T>(n, drop, [=](auto lanes, int64_t i, const auto& mask) {
            constexpr int V = decltype(lanes)::value;
            store<V>(out + step * n, i, spike_scale * mask * spike(load<V>(u + step * n, i), v_th));
        });
    });
}

#define VARIANT(T, suffix)                                                                                                          \
    SLTT_KERNEL(spikes_##suffix,                                                                                                    \
                (T* __restrict__ out, const T* __restrict__ u, float spike_scale, float v_th, float drop_rate, uint32_t drop_layer, \
                 const RunState* state, int steps, int64_t n),                                                                      \
                spikes<T>(out, u, spike_scale, v_th, dropout(drop_rate, drop_layer, state), steps, n))
SLTT_FOR_EACH_TYPE(VARIANT)
#undef VARIANT

}  // namespace sltt
