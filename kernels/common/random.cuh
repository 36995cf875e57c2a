// Random numbers from a counter, Philox4x32-10 (Salmon et al., SC 2011), and dropout masks made of them.
#pragma once
#include "pack.cuh"
#include "run_state.cuh"

namespace SLTT_VARIANT {

constexpr uint32_t PHILOX_M0 = 0xD2511F53u, PHILOX_M1 = 0xCD9E8D57u, PHILOX_W0 = 0x9E3779B9u, PHILOX_W1 = 0xBB67AE85u;

__device__ inline void multiply(uint32_t a, uint32_t b, uint32_t& low, uint32_t& high) {
    uint64_t product = (uint64_t)a * b;
    low = (uint32_t)product;
    high = (uint32_t)(product >> 32);
}

// U: uint32_t, or as many counters at once as a vector register holds.
template <class U> struct Random4 { U x[4]; };

template <class U> __device__ inline Random4<U> philox(U c0, U c1, U c2, U c3, uint64_t seed) {
    uint32_t k0 = (uint32_t)seed, k1 = (uint32_t)(seed >> 32);
    SLTT_UNROLL
    for (int round = 0; round < 10; ++round) {
        U low0, high0, low1, high1;
        multiply(c0, PHILOX_M0, low0, high0);
        multiply(c2, PHILOX_M1, low1, high1);
        c0 = high1 ^ c1 ^ k0;
        c1 = low1;
        c2 = high0 ^ c3 ^ k1;
        c3 = low0;
        k0 += PHILOX_W0;
        k1 += PHILOX_W1;
    }
    return {{c0, c1, c2, c3}};
}
// Uniform in [0, 1), 24 bits.
__device__ inline float uniform(uint32_t bits) { return (float)(int32_t)(bits >> 8) * (1.0f / 16777216.0f); }

// Which neurons' spikes pass: one mask for all time steps of an iteration (layer.Dropout of spikingjelly).
// The mask of element i is 16 of the 128 bits of Philox at (i / 8, layer, iteration): any kernel makes it anew from the index.
struct MaskTile;
struct Dropout {
    using Tile = MaskTile;
    float rate, scale;   // scale = 1 / (1 - rate); rate 0: everything passes
    uint32_t threshold;  // rate in 1/65536
    uint32_t layer;
    uint64_t seed, iteration;
};
__device__ inline Dropout no_dropout() { return {0.0f, 1.0f, 0, 0, 0, 0}; }
__device__ inline Dropout dropout(float rate, uint32_t layer, const RunState* state) {
    if (rate <= 0.0f) return no_dropout();
    return {rate, 1.0f / (1.0f - rate), (uint32_t)(rate * 65536.0f + 0.5f), layer, state->seed, state->iteration};
}

#if defined(SLTT_FAST)
// The masks of a tile of `TILE` elements, made before the loop over it.
constexpr int TILE = 512;

struct MaskTile {
    alignas(64) float mask[TILE + 16 * WIDE];
    MaskTile() {
        for (int j = 0; j < TILE + 16 * WIDE; ++j) mask[j] = 1.0f;
    }
    // The masks, 0 or 1/(1-rate), of the elements [first, first + count).
    const float* of(const Dropout& d, int64_t first, int count) {
        if (d.rate <= 0.0f) return mask;
        int64_t last = (first + count - 1) >> 3;
        for (int64_t eight = first >> 3; eight <= last; eight += WIDE) draw(d, eight, mask + 8 * (eight - (first >> 3)));
        return mask + (first & 7);
    }
    // 8 masks from each of the WIDE counters from `eight` on.
    static void draw(const Dropout& d, int64_t eight, float* to) {
        // Counters are dealt so that after the transposition below, within each 4 lanes, their words lie one after the other.
        WideBits c0, c1;
        for (int l = 0; l < WIDE; ++l) {
            int64_t counter = eight + WIDE / 4 * (l & 3) + (l >> 2);
            c0[l] = (uint32_t)counter;
            c1[l] = (uint32_t)(counter >> 32) ^ (d.layer << 8);
        }
        WideBits zero = {};
        Random4<WideBits> r = philox(c0, c1, zero + (uint32_t)d.iteration, zero + (uint32_t)(d.iteration >> 32), d.seed);
        WideBits a = low_words(r.x[0], r.x[1]), b = low_words(r.x[2], r.x[3]), c = high_words(r.x[0], r.x[1]), e = high_words(r.x[2], r.x[3]);
        WideBits words[4] = {low_pairs(a, b), high_pairs(a, b), low_pairs(c, e), high_pairs(c, e)};
        SLTT_UNROLL
        for (int j = 0; j < 8 * WIDE; j += WIDE) {
            WideInt bits = (WideInt)widen(load_halves((const char*)words + 2 * j));
            store<WIDE>(to, j, select(Mask<WIDE>{bits >= (int32_t)d.threshold}, WidePack(d.scale), WidePack(0.0f)));
        }
    }
};
#else
// 0 or 1/(1-rate) for the V elements from i on; i is a multiple of V, V is 1, 4 or 8.
template <int V> __device__ inline Pack<V> beside(const Dropout& d, int64_t i) {
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
#endif

}  // namespace SLTT_VARIANT
