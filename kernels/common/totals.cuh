// What sums are made of: a few terms in float, then double, in a fixed order; no atomics.
#pragma once
#include "pack.cuh"

namespace sltt {

// K sums.
template <int K> struct Totals {
    double k[K];
    __device__ double& operator[](int i) { return k[i]; }
    __device__ const double& operator[](int i) const { return k[i]; }
};

constexpr int CHUNK = 32;  // terms added in float before they go into a wider sum: the error stays at a few ulp

template <int K, int V> __device__ inline Packs<K, V> zero_packs() {
    Packs<K, V> out;
    for (int k = 0; k < K; ++k) out[k] = Pack<V>(0.0f);
    return out;
}

}  // namespace sltt
