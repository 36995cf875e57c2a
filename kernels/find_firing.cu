// find_firing: whether any neuron of a layer fires in a step, and whether any stays silent.
//
//   any i with u[i] >= v_th: fired = 1;  any i without (NaN too): silent = 1
//
// u: (n) membrane potentials, type T. fired, silent: one number each; what they hold stays, so that they cover steps and batches.
// Bytes an element (type of b bytes): reads u b, until both are 1; then nothing. May set fired and silent.
#include "common/sltt.cuh"

namespace sltt {

template <class T> __device__ inline void find_firing(int32_t* fired, int32_t* silent, const T* u, float v_th, int64_t n) {
    if (*fired && *silent) return;
    bool fires = false, rests = false;
    for_elements<T>(n, [&](auto lanes, int64_t i) {
        constexpr int V = decltype(lanes)::value;
        Pack<V> spikes = spike(load<V>(u, i), v_th);
        for (int k = 0; k < V; ++k) {
            fires = fires || spikes.v[k] != 0.0f;
            rests = rests || spikes.v[k] == 0.0f;
        }
    });
    if (fires) *fired = 1;  // several threads may write: the same value
    if (rests) *silent = 1;
}

#define VARIANT(T, suffix)                                                                                                \
    SLTT_KERNEL(find_firing_##suffix, (int32_t * fired, int32_t * silent, const T* __restrict__ u, float v_th, int64_t n), \
                find_firing<T>(fired, silent, u, v_th, n))
SLTT_FOR_EACH_TYPE(VARIANT)
#undef VARIANT

}  // namespace sltt
