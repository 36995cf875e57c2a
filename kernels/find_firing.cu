// find_firing: whether any neuron of a layer fires, and whether any stays silent, from its spikes or from averages of them.
//
//   any y[i] > 0: fired = 1;  any y[i] not at least `full` (NaN too): silent = 1
//
// y: (n) spikes, or averages of windows of them, type T. full: what y is at least where all of a window fired.
// fired, silent: one number each; what they hold stays, so that they cover steps and batches.
// Bytes an element (type of b bytes): reads y b, until both are 1; then nothing. May set fired and silent.
#include "common/sltt.cuh"

namespace sltt {

template <class T> __device__ inline void find_firing(int32_t* fired, int32_t* silent, const T* y, float full, int64_t n) {
    if (*fired && *silent) return;
    bool fires = false, rests = false;
    for_elements<T>(n, [&](auto lanes, int64_t i) {
        constexpr int V = decltype(lanes)::value;
        Pack<V> spikes = load<V>(y, i);
        Pack<V> any = select(spikes <= 0.0f, 0.0f, 1.0f), all = select(spikes >= full, 1.0f, 0.0f);
        for (int k = 0; k < V; ++k) {
            fires = fires || any.v[k] != 0.0f;
            rests = rests || all.v[k] == 0.0f;
        }
    });
    if (fires) *fired = 1;  // several threads may write: the same value
    if (rests) *silent = 1;
}

#define VARIANT(T, suffix)                                                                                                  \
    SLTT_KERNEL(find_firing_##suffix, (int32_t * fired, int32_t * silent, const T* __restrict__ y, float full, int64_t n), \
                find_firing<T>(fired, silent, y, full, n))
SLTT_FOR_EACH_TYPE(VARIANT)
#undef VARIANT

}  // namespace sltt
