// Packs: V neighbouring elements of an array, held and computed in float. Arithmetic is element by element, in the same order on
// every target: memory.cuh reads and writes packs, and cpu/fast/ specialises the width that is one vector register.
#pragma once
#include "numbers.cuh"

namespace sltt {

// The width V of a pack as a value: kernels receive it as `auto lanes` and read decltype(lanes)::value.
template <int V> struct Lanes { static constexpr int value = V; };

template <int V> struct Pack {
    float v[V];
    Pack() = default;
    __device__ explicit Pack(float x) {
        for (int k = 0; k < V; ++k) v[k] = x;
    }
};
// The elements of a pack that satisfy a condition.
template <int V> struct Mask { bool v[V]; };

#define SLTT_PACK_OPERATOR(op)                                                                   \
    template <int V> __device__ inline Pack<V> operator op(const Pack<V>& a, const Pack<V>& b) { \
        Pack<V> out;                                                                             \
        for (int k = 0; k < V; ++k) out.v[k] = a.v[k] op b.v[k];                                 \
        return out;                                                                              \
    }
#define SLTT_PACK_COMPARISON(op)                                                                 \
    template <int V> __device__ inline Mask<V> operator op(const Pack<V>& a, const Pack<V>& b) { \
        Mask<V> out;                                                                             \
        for (int k = 0; k < V; ++k) out.v[k] = a.v[k] op b.v[k];                                 \
        return out;                                                                              \
    }
SLTT_PACK_OPERATOR(+)
SLTT_PACK_OPERATOR(-)
SLTT_PACK_OPERATOR(*)
SLTT_PACK_OPERATOR(/)
SLTT_PACK_COMPARISON(<)
SLTT_PACK_COMPARISON(<=)
SLTT_PACK_COMPARISON(>=)
#undef SLTT_PACK_OPERATOR
#undef SLTT_PACK_COMPARISON

template <int V> __device__ inline Pack<V> select(const Mask<V>& which, const Pack<V>& yes, const Pack<V>& no) {
    Pack<V> out;
    for (int k = 0; k < V; ++k) out.v[k] = which.v[k] ? yes.v[k] : no.v[k];
    return out;
}
template <int V> __device__ inline Pack<V> square_root(const Pack<V>& x) {
    Pack<V> out;
    for (int k = 0; k < V; ++k) out.v[k] = sqrtf(x.v[k]);
    return out;
}
// 2^n from the float n + 1.5 * 2^23, whose low bits are the integer n, -126 <= n <= 127.
template <int V> __device__ inline Pack<V> power_of_two(const Pack<V>& shifted) {
    Pack<V> out;
    for (int k = 0; k < V; ++k) out.v[k] = __uint_as_float((__float_as_uint(shifted.v[k]) << 23) + 0x3f800000u);
    return out;
}
template <int V> __device__ inline bool all_finite(const Pack<V>& x) {
    bool all = true;
    for (int k = 0; k < V; ++k) all = all && is_finite(x.v[k]);
    return all;
}

// A pack and a number.
template <int V> __device__ inline Pack<V> operator+(float a, const Pack<V>& b) { return Pack<V>(a) + b; }
template <int V> __device__ inline Pack<V> operator-(float a, const Pack<V>& b) { return Pack<V>(a) - b; }
template <int V> __device__ inline Pack<V> operator*(float a, const Pack<V>& b) { return Pack<V>(a) * b; }
template <int V> __device__ inline Pack<V> operator/(float a, const Pack<V>& b) { return Pack<V>(a) / b; }
template <int V> __device__ inline Pack<V> operator+(const Pack<V>& a, float b) { return a + Pack<V>(b); }
template <int V> __device__ inline Pack<V> operator-(const Pack<V>& a, float b) { return a - Pack<V>(b); }
template <int V> __device__ inline Pack<V> operator*(const Pack<V>& a, float b) { return a * Pack<V>(b); }
template <int V> __device__ inline Pack<V> operator/(const Pack<V>& a, float b) { return a / Pack<V>(b); }
template <int V> __device__ inline Mask<V> operator<(const Pack<V>& a, float b) { return a < Pack<V>(b); }
template <int V> __device__ inline Mask<V> operator<=(const Pack<V>& a, float b) { return a <= Pack<V>(b); }
template <int V> __device__ inline Mask<V> operator>=(const Pack<V>& a, float b) { return a >= Pack<V>(b); }
template <int V> __device__ inline Pack<V> select(const Mask<V>& which, float yes, float no) {
    return select(which, Pack<V>(yes), Pack<V>(no));
}
template <int V> __device__ inline Pack<V> select(const Mask<V>& which, const Pack<V>& yes, float no) {
    return select(which, yes, Pack<V>(no));
}
template <int V> __device__ inline Pack<V> select(const Mask<V>& which, float yes, const Pack<V>& no) {
    return select(which, Pack<V>(yes), no);
}
template <int V> __device__ inline Pack<V> abs(const Pack<V>& x) { return select(x < 0.0f, 0.0f - x, x); }

// A pack as memory of type T holds it: rounded to T on the way out. memory.cuh defines its alignment.
template <class T, int V> struct Stored;
template <class T, int V> __device__ inline Stored<T, V> to_memory(const Pack<V>& x) {
    Stored<T, V> out;
    for (int k = 0; k < V; ++k) out.v[k] = from_float<T>(x.v[k]);
    return out;
}
template <class T, int V> __device__ inline Pack<V> from_memory(const Stored<T, V>& x) {
    Pack<V> out;
    for (int k = 0; k < V; ++k) out.v[k] = to_float(x.v[k]);
    return out;
}
// The values that memory of type T would hold.
template <class T, int V> __device__ inline Pack<V> rounded(const Pack<V>& x) { return from_memory<T, V>(to_memory<T, V>(x)); }

// K packs: the terms of K sums, or the values of K per-channel parameters.
template <int K, int V> struct Packs {
    Pack<V> k[K > 0 ? K : 1];
    __device__ Pack<V>& operator[](int i) { return k[i]; }
    __device__ const Pack<V>& operator[](int i) const { return k[i]; }
};
template <int V> __device__ inline Packs<1, V> packs(const Pack<V>& a) { return {{a}}; }
template <int V> __device__ inline Packs<2, V> packs(const Pack<V>& a, const Pack<V>& b) { return {{a, b}}; }

// e^x for x <= 0 (below -87 as at -87), within 2 ulp; NaN stays NaN. The same bits on every device, unlike expf.
// Range reduction by ln 2 in two parts, polynomial of Cephes' expf (Moshier).
template <int V> __device__ inline Pack<V> exp_of_negative(Pack<V> x) {
    x = select(x < -87.0f, -87.0f, x);
    Pack<V> shifted = x * 1.44269504f + 12582912.0f;  // 1.5 * 2^23: the integer nearest to x / ln 2 is in the low bits
    Pack<V> n = shifted - 12582912.0f;
    Pack<V> r = (x - n * 0.693359375f) + n * 2.12194440e-4f;
    Pack<V> p = r * 1.9875691500e-4f + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    return (p * (r * r) + r + 1.0f) * power_of_two(shifted);
}

}  // namespace sltt
