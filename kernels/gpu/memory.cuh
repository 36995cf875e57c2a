// Reads and writes of packs: V neighbouring elements of type T, 16 bytes an access where the pack has them.
#pragma once
#include "common/pack.cuh"

namespace sltt {

// Elements of T in 16 bytes.
template <class T> constexpr int pack_width = 16 / (int)sizeof(T);

// A pack as memory holds it.
template <class T, int V> struct alignas(V * sizeof(T) < 16 ? V * sizeof(T) : 16) Stored { T v[V]; };

// When the element is next read.
//   KEEP    soon: the cache keeps its line.
//   STREAM  by no kernel that follows soon: the cache gives its line up first (ld.global.cs, st.global.cs).
//   BYPASS  as STREAM. The CPU device writes such an element past its caches (bypasses_cache).
// A hint changes no bit.
enum CacheHint { KEEP, STREAM, BYPASS };

// Whether an output of so many bytes is written with BYPASS. Here never: its second-level cache keeps what the next kernel reads.
__device__ inline bool bypasses_cache(int64_t) { return false; }
// A kernel calls it after its last write with BYPASS.
__device__ inline void bypass_done() {}

// Reads V elements at p + i, as memory holds them. p + i is aligned to min(16, V * sizeof(T)) bytes.
template <int V, CacheHint HINT = KEEP, class T> __device__ inline Stored<T, V> fetch(const T* p, int64_t i) {
    constexpr int BYTES = V * (int)sizeof(T);
    if constexpr (BYTES % 16 == 0) {  // as uint4, because the compiler splits a struct's load into one for each element
        Stored<T, V> x;
        for (int k = 0; k < BYTES / 16; ++k) {
            const uint4* from = reinterpret_cast<const uint4*>(p + i) + k;
            reinterpret_cast<uint4*>(&x)[k] = HINT != KEEP ? __ldcs(from) : *from;
        }
        return x;
    }
    return *reinterpret_cast<const Stored<T, V>*>(p + i);
}
// The same, in float.
template <int V, CacheHint HINT = KEEP, class T> __device__ inline Pack<V> load(const T* p, int64_t i) {
    return from_memory<T, V>(fetch<V, HINT>(p, i));
}

// Writes V elements at p + i.
template <int V, CacheHint HINT = KEEP, class T> __device__ inline void store(T* p, int64_t i, const Stored<T, V>& x) {
    constexpr int BYTES = V * (int)sizeof(T);
    if constexpr (BYTES % 16 == 0) {
        for (int k = 0; k < BYTES / 16; ++k) {
            uint4* to = reinterpret_cast<uint4*>(p + i) + k;
            if constexpr (HINT != KEEP) __stcs(to, reinterpret_cast<const uint4*>(&x)[k]);
            else *to = reinterpret_cast<const uint4*>(&x)[k];
        }
        return;
    }
    *reinterpret_cast<Stored<T, V>*>(p + i) = x;
}
// The same, rounded to T.
template <int V, CacheHint HINT = KEEP, class T> __device__ inline void store(T* p, int64_t i, const Pack<V>& x) {
    store<V, HINT>(p, i, to_memory<T, V>(x));
}
// The same; returns the value that memory now holds.
template <int V, class T> __device__ inline Pack<V> store_rounded(T* p, int64_t i, const Pack<V>& x) {
    Stored<T, V> rounded = to_memory<T, V>(x);
    store<V>(p, i, rounded);
    return from_memory<T, V>(rounded);
}

// Reads V counts at p + i. U: uint8_t, uint16_t or float.
template <int V, class U> __device__ inline Pack<V> load_counts(const U* p, int64_t i) {
    if constexpr (sizeof(U) == 4) return load<V>(p, i);
    else return Pack<V>((float)p[i]);
}
// Writes a[0], b[0], a[1], b[1], ... at p + i. Here V is 1 (for_line_packs).
template <int V, CacheHint HINT, class T> __device__ inline void store_interleaved(T* p, int64_t i, const Pack<V>& a, const Pack<V>& b) {
    p[i] = from_float<T>(a.v[0]);
    p[i + 1] = from_float<T>(b.v[0]);
}

}  // namespace sltt
