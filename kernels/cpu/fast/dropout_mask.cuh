// Dropout masks, drawn for a tile of elements before the loop over the tile.
#pragma once
#include "common/random.cuh"
#include "memory.cuh"

namespace sltt {

constexpr int TILE = 512;  // elements

template <> inline void multiply<simd::Bits>(simd::Bits a, uint32_t b, simd::Bits& low, simd::Bits& high) {
    simd::multiply(a, b, low, high);
}

// What a MaskSource (Dropout, or PooledGradient in pooling.cuh) gives the elements of a tile. of(source, first, count) returns one
// number for each of the elements [first, first + count), count <= TILE.
template <class MaskSource> struct MaskTile;

// 0 or 1/(1-rate).
template <> struct MaskTile<Dropout> {
    alignas(64) float mask[TILE + 16 * WIDE];
    MaskTile() {
        for (int j = 0; j < TILE + 16 * WIDE; ++j) mask[j] = 1.0f;
    }
    const float* of(const Dropout& d, int64_t first, int count) {
        if (d.rate <= 0.0f) return mask;
        int64_t last = (first + count - 1) >> 3;
        for (int64_t counter = first >> 3; counter <= last; counter += WIDE) draw(d, counter, mask + 8 * (counter - (first >> 3)));
        return mask + (first & 7);
    }
    // 8 masks from each of the WIDE counters from `first_counter` on.
    static void draw(const Dropout& d, int64_t first_counter, float* to) {
        // Counters are dealt so that after the transposition below, within each 4 lanes, their words lie one after the other.
        simd::Bits c0, c1;
        for (int l = 0; l < WIDE; ++l) {
            int64_t counter = first_counter + WIDE / 4 * (l & 3) + (l >> 2);
            c0[l] = (uint32_t)counter;
            c1[l] = (uint32_t)(counter >> 32) ^ (d.layer << 8);
        }
        simd::Bits zero = {};
        Random4<simd::Bits> r = philox(c0, c1, zero + (uint32_t)d.iteration, zero + (uint32_t)(d.iteration >> 32), d.seed);
        simd::Bits a = simd::low_words(r.x[0], r.x[1]), b = simd::low_words(r.x[2], r.x[3]);
        simd::Bits c = simd::high_words(r.x[0], r.x[1]), e = simd::high_words(r.x[2], r.x[3]);
        simd::Bits words[4] = {simd::low_pairs(a, b), simd::high_pairs(a, b), simd::low_pairs(c, e), simd::high_pairs(c, e)};
        SLTT_UNROLL
        for (int j = 0; j < 8 * WIDE; j += WIDE) {
            simd::Int bits = (simd::Int)simd::widen(simd::load_halves((const char*)words + 2 * j));
            store<WIDE>(to, j, select(Mask<WIDE>{bits >= (int32_t)d.threshold}, WidePack(d.scale), WidePack(0.0f)));
        }
    }
};

}  // namespace sltt
