// Reads and writes of packs, and the pack that is one vector register. Loops go over packs of WIDE elements; packs of one take the rest.
#pragma once
#include "common/pack.cuh"

namespace sltt {

// ---- The pack that is one vector register ----------------------------------------------------------------------------

constexpr int WIDE = simd::WIDTH;

template <> struct Pack<WIDE> {
    simd::Float v;
    Pack() = default;
    Pack(simd::Float x) : v(x) {}
    explicit Pack(float x) : v(simd::broadcast(x)) {}
};
template <> struct Mask<WIDE> { simd::Int v; };

using WidePack = Pack<WIDE>;
inline WidePack operator+(const WidePack& a, const WidePack& b) { return a.v + b.v; }
inline WidePack operator-(const WidePack& a, const WidePack& b) { return a.v - b.v; }
inline WidePack operator*(const WidePack& a, const WidePack& b) { return a.v * b.v; }
inline WidePack operator/(const WidePack& a, const WidePack& b) { return a.v / b.v; }
inline Mask<WIDE> operator<(const WidePack& a, const WidePack& b) { return {a.v < b.v}; }
inline Mask<WIDE> operator<=(const WidePack& a, const WidePack& b) { return {a.v <= b.v}; }
inline Mask<WIDE> operator>=(const WidePack& a, const WidePack& b) { return {a.v >= b.v}; }
inline WidePack select(const Mask<WIDE>& which, const WidePack& yes, const WidePack& no) { return which.v ? yes.v : no.v; }
inline WidePack square_root(const WidePack& x) { return simd::square_root(x.v); }
inline WidePack power_of_two(const WidePack& shifted) { return (simd::Float)(((simd::Bits)shifted.v << 23) + 0x3f800000u); }
inline bool all_finite(const WidePack& x) { return simd::all_finite(x.v); }

// ---- Memory ----------------------------------------------------------------------------------------------------------

// A pack as memory holds it. A WIDE one is a vector: the compiler may take an array in a struct apart and load its elements one by one.
template <class T, int V> struct Stored { T v[V]; };
template <class Vector> struct StoredVector {
    Vector v;
    StoredVector() = default;
    StoredVector(Vector x) : v(x) {}
};
template <> struct Stored<f32, WIDE> : StoredVector<simd::Float> { using StoredVector::StoredVector; };
template <> struct Stored<f16, WIDE> : StoredVector<simd::Halves> { using StoredVector::StoredVector; };
template <> struct Stored<bf16, WIDE> : StoredVector<simd::Halves> { using StoredVector::StoredVector; };

template <> inline Stored<f32, WIDE> to_memory<f32, WIDE>(const WidePack& x) { return {x.v}; }
template <> inline Stored<f16, WIDE> to_memory<f16, WIDE>(const WidePack& x) { return {simd::to_half(x.v)}; }
template <> inline Stored<bf16, WIDE> to_memory<bf16, WIDE>(const WidePack& x) { return {simd::to_bfloat16(x.v)}; }
template <> inline WidePack from_memory<f32, WIDE>(const Stored<f32, WIDE>& x) { return WidePack(x.v); }
template <> inline WidePack from_memory<f16, WIDE>(const Stored<f16, WIDE>& x) { return simd::from_half(x.v); }
template <> inline WidePack from_memory<bf16, WIDE>(const Stored<bf16, WIDE>& x) { return simd::from_bfloat16(x.v); }

// When the element is next read. BYPASS: so late that its line would have left the cache, so a WIDE pack is written past it, which
// spares the processor fetching the line first. KEEP and STREAM: an ordinary access. A hint changes no bit.
enum CacheHint { KEEP, STREAM, BYPASS };

// Whether an output of so many bytes is written with BYPASS.
inline bool bypasses_cache(int64_t bytes) { return bytes >= (int64_t)16 << 20; }
// A kernel calls it after its last write with BYPASS.
inline void bypass_done() { simd::stream_done(); }

// Reads V elements at p + i, as memory holds them, at any alignment: odd channel counts take the same way as others.
template <int V, CacheHint HINT = KEEP, class T> inline Stored<T, V> fetch(const T* p, int64_t i) {
    Stored<T, V> x;
    __builtin_memcpy(&x, p + i, sizeof x);
    return x;
}
// The same, in float.
template <int V, CacheHint HINT = KEEP, class T> inline Pack<V> load(const T* p, int64_t i) {
    return from_memory<T, V>(fetch<V, HINT>(p, i));
}

// Writes V elements at p + i.
template <int V, CacheHint HINT = KEEP, class T> inline void store(T* p, int64_t i, const Stored<T, V>& x) {
    if constexpr (HINT == BYPASS && V == WIDE)
        if ((uintptr_t)(p + i) % sizeof x == 0) {
            simd::stream(p + i, x.v);
            return;
        }
    __builtin_memcpy(p + i, &x, sizeof x);
}
// The same, rounded to T.
template <int V, CacheHint HINT = KEEP, class T> inline void store(T* p, int64_t i, const Pack<V>& x) {
    store<V, HINT>(p, i, to_memory<T, V>(x));
}
// The same; returns the value that memory now holds.
template <int V, class T> inline Pack<V> store_rounded(T* p, int64_t i, const Pack<V>& x) {
    Stored<T, V> rounded = to_memory<T, V>(x);
    store<V>(p, i, rounded);
    return from_memory<T, V>(rounded);
}

// Reads V counts at p + i. U: uint8_t, uint16_t or float.
template <int V, class U> inline Pack<V> load_counts(const U* p, int64_t i) {
    if constexpr (sizeof(U) == 4) return load<V>(p, i);
    else if constexpr (V == WIDE) {  // by intrinsics, because the compiler converts a vector of bytes one element at a time
        simd::Bits counts;
        if constexpr (sizeof(U) == 1) counts = simd::widen_bytes(p + i);
        else counts = simd::widen(simd::load_halves(p + i));
        return WidePack(__builtin_convertvector((simd::Int)counts, simd::Float));
    } else return Pack<V>((float)p[i]);
}
// Writes a[0], b[0], a[1], b[1], ... at p + i.
template <int V, CacheHint HINT, class T> inline void store_interleaved(T* p, int64_t i, const Pack<V>& a, const Pack<V>& b) {
    if constexpr (V == WIDE) {
        simd::Int low, high;
        for (int k = 0; k < WIDE; ++k) {
            low[k] = k / 2 + k % 2 * WIDE;
            high[k] = low[k] + WIDE / 2;
        }
        store<V, HINT>(p, i, WidePack(__builtin_shuffle(a.v, b.v, low)));
        store<V, HINT>(p, i + WIDE, WidePack(__builtin_shuffle(a.v, b.v, high)));
    } else {
        p[i] = from_float<T>(a.v[0]);
        p[i + 1] = from_float<T>(b.v[0]);
    }
}

}  // namespace sltt
