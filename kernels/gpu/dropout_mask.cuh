// Dropout masks, drawn by the thread that uses them.
#pragma once
#include "common/pack.cuh"
#include "common/random.cuh"

namespace sltt {

// 0 or 1/(1-rate) for the V elements from i on; i is a multiple of V, V is 1, 4 or 8.
template <int V> __device__ inline Pack<V> mask_at(const Dropout& d, int64_t i) {
    Pack<V> mask(1.0f);
    if (d.rate <= 0.0f) return mask;
    uint64_t counter = (uint64_t)i >> 3;
    Random4<uint32_t> r =
        philox((uint32_t)counter, (uint32_t)(counter >> 32) ^ (d.layer << 8), (uint32_t)d.iteration, (uint32_t)(d.iteration >> 32), d.seed);
    for (int k = 0; k < V; ++k) {
        int j = V == 8 ? k : (int)(i & 7) + k;
        uint32_t word = j < 4 ? (j < 2 ? r.x[0] : r.x[1]) : (j < 6 ? r.x[2] : r.x[3]);
        mask.v[k] = (word >> (j & 1) * 16 & 0xffffu) >= d.threshold ? d.scale : 0.0f;
    }
    return mask;
}

}  // namespace sltt
