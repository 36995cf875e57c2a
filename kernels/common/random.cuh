// Random numbers from a counter, Philox4x32-10 (Salmon et al., SC 2011), and the dropout layer that draws from it.
// dropout_mask.cuh turns a Dropout into masks.
#pragma once
#include "numbers.cuh"
#include "run_state.cuh"

namespace sltt {

constexpr uint32_t PHILOX_M0 = 0xD2511F53u, PHILOX_M1 = 0xCD9E8D57u, PHILOX_W0 = 0x9E3779B9u, PHILOX_W1 = 0xBB67AE85u;

// a * b = high * 2^32 + low. U: uint32_t; cpu/fast/dropout_mask.cuh specialises it for a vector register of counters.
template <class U> __device__ inline void multiply(U a, uint32_t b, U& low, U& high) {
    uint64_t product = (uint64_t)a * b;
    low = (uint32_t)product;
    high = (uint32_t)(product >> 32);
}

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

// A dropout layer in one iteration: mask[i] = 0 with probability `rate`, else scale. All time steps of the iteration share the mask.
// mask[i] takes 16 of the 128 bits of Philox at (i / 8, layer, iteration), so any kernel can draw it from the index alone.
struct Dropout {
    float rate, scale;   // scale = 1 / (1 - rate); at rate 0 everything passes
    uint32_t threshold;  // rate in 1/65536
    uint32_t layer;
    uint64_t seed, iteration;
    __device__ const Dropout& at(int) const { return *this; }  // the source at a step (MaskSource in work.cuh)
};
__device__ inline Dropout no_dropout() { return {0.0f, 1.0f, 0, 0, 0, 0}; }
__device__ inline Dropout dropout(float rate, uint32_t layer, const RunState* state) {
    if (rate <= 0.0f) return no_dropout();
    return {rate, 1.0f / (1.0f - rate), (uint32_t)(rate * 65536.0f + 0.5f), layer, state->seed, state->iteration};
}

}  // namespace sltt
