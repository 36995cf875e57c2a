// Packs: V neighbouring elements, held and computed in float; arithmetic is element by element.
//
// GPU: V elements are 16 bytes of memory, V floats in registers. CPU device: WIDE of them are one vector register, of g++'s
// vector types, so nothing is left to the auto-vectoriser; V = 1 takes what remains at the end.
#pragma once
#include "numbers.cuh"

namespace SLTT_VARIANT {

template <int V> struct Lanes { static constexpr int value = V; };

// Elements of T in 16 bytes.
template <class T> constexpr int pack_width = 16 / (int)sizeof(T);

template <int V> struct Pack {
    float v[V];
    Pack() = default;
    __device__ explicit Pack(float x) {
        for (int k = 0; k < V; ++k) v[k] = x;
    }
};
// Which elements of a pack satisfy a condition.
template <int V> struct Mask { bool v[V]; };

#define SLTT_PACK_OPERATOR(op)                                                                       \
    template <int V> __device__ inline Pack<V> operator op(const Pack<V>& a, const Pack<V>& b) {     \
        Pack<V> out;                                                                                 \
        for (int k = 0; k < V; ++k) out.v[k] = a.v[k] op b.v[k];                                     \
        return out;                                                                                  \
    }
#define SLTT_PACK_COMPARISON(op)                                                                     \
    template <int V> __device__ inline Mask<V> operator op(const Pack<V>& a, const Pack<V>& b) {     \
        Mask<V> out;                                                                                 \
        for (int k = 0; k < V; ++k) out.v[k] = a.v[k] op b.v[k];                                     \
        return out;                                                                                  \
    }
SLTT_PACK_OPERATOR(+)
SLTT_PACK_OPERATOR(-)
SLTT_PACK_OPERATOR(*)
SLTT_PACK_OPERATOR(/)
SLTT_PACK_COMPARISON(<)
SLTT_PACK_COMPARISON(<=)
SLTT_PACK_COMPARISON(>=)
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
    for (int k = 0; k < V; ++k) out.v[k] = float_of_bits((float_bits(shifted.v[k]) << 23) + 0x3f800000u);
    return out;
}
template <int V> __device__ inline bool all_finite(const Pack<V>& x) {
    bool all = true;
    for (int k = 0; k < V; ++k) all = all && is_finite(x.v[k]);
    return all;
}
// A pack as memory of type T holds it.
#if defined(SLTT_FAST)
template <class T, int V> struct Stored { T v[V]; };  // of any alignment: odd channel counts are tiled like others
#else
template <class T, int V> struct alignas(V * sizeof(T) < 16 ? V * sizeof(T) : 16) Stored { T v[V]; };
#endif
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

#if defined(SLTT_FAST)
// ---- The pack that is one vector register ----------------------------------------------------------------------------

#if defined(__AVX512F__) && defined(__AVX512BW__) && defined(__AVX512DQ__)
constexpr int WIDE = 16;
#elif defined(__AVX2__) && defined(__F16C__)
constexpr int WIDE = 8;
#else
constexpr int WIDE = 4;
#endif
typedef float WideFloat __attribute__((vector_size(4 * WIDE)));
typedef int32_t WideInt __attribute__((vector_size(4 * WIDE)));
typedef uint32_t WideBits __attribute__((vector_size(4 * WIDE)));
typedef uint64_t WideLong __attribute__((vector_size(4 * WIDE)));
typedef uint16_t WideHalves __attribute__((vector_size(2 * WIDE)));

template <> struct Pack<WIDE> {
    WideFloat v;
    Pack() = default;
    Pack(WideFloat x) : v(x) {}
    explicit Pack(float x) : v(x - WideFloat{}) {}
};
template <> struct Mask<WIDE> { WideInt v; };

using WidePack = Pack<WIDE>;
inline WidePack operator+(const WidePack& a, const WidePack& b) { return a.v + b.v; }
inline WidePack operator-(const WidePack& a, const WidePack& b) { return a.v - b.v; }
inline WidePack operator*(const WidePack& a, const WidePack& b) { return a.v * b.v; }
inline WidePack operator/(const WidePack& a, const WidePack& b) { return a.v / b.v; }
inline Mask<WIDE> operator<(const WidePack& a, const WidePack& b) { return {a.v < b.v}; }
inline Mask<WIDE> operator<=(const WidePack& a, const WidePack& b) { return {a.v <= b.v}; }
inline Mask<WIDE> operator>=(const WidePack& a, const WidePack& b) { return {a.v >= b.v}; }
inline WidePack select(const Mask<WIDE>& which, const WidePack& yes, const WidePack& no) { return which.v ? yes.v : no.v; }
inline WidePack power_of_two(const WidePack& shifted) { return (WideFloat)(((WideBits)shifted.v << 23) + 0x3f800000u); }

inline WideBits load_bits(const uint32_t* p) {
    WideBits out;
    __builtin_memcpy(&out, p, sizeof out);
    return out;
}
inline WideHalves load_halves(const void* p) {
    WideHalves out;
    __builtin_memcpy(&out, p, sizeof out);
    return out;
}
template <> inline Stored<f32, WIDE> to_memory<f32, WIDE>(const WidePack& x) {
    Stored<f32, WIDE> out;
    __builtin_memcpy(&out, &x.v, sizeof out);
    return out;
}
template <> inline WidePack from_memory<f32, WIDE>(const Stored<f32, WIDE>& x) {
    WideFloat out;
    __builtin_memcpy(&out, &x, sizeof out);
    return out;
}
#if defined(__AVX512F__) && defined(__AVX512BW__) && defined(__AVX512DQ__)
inline WidePack square_root(const WidePack& x) { return (WideFloat)_mm512_maskz_sqrt_ps(0xffff, (__m512)x.v); }
inline bool all_finite(const WidePack& x) { return _mm512_fpclass_ps_mask((__m512)x.v, 0x99) == 0; }  // inf, NaN
template <> inline Stored<f16, WIDE> to_memory<f16, WIDE>(const WidePack& x) {
    Stored<f16, WIDE> out;
    _mm256_storeu_si256((__m256i*)&out, _mm512_maskz_cvtps_ph(0xffff, (__m512)x.v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
    return out;
}
template <> inline WidePack from_memory<f16, WIDE>(const Stored<f16, WIDE>& x) {
    return (WideFloat)_mm512_maskz_cvtph_ps(0xffff, _mm256_loadu_si256((const __m256i*)&x));
}
inline WideBits widen(WideHalves x) { return (WideBits)_mm512_maskz_cvtepu16_epi32(0xffff, (__m256i)x); }
inline WideBits widen_bytes(const void* p) { return (WideBits)_mm512_maskz_cvtepu8_epi32(0xffff, _mm_loadu_si128((const __m128i*)p)); }
inline WideHalves narrow(WideBits x) { return (WideHalves)_mm512_maskz_cvtepi32_epi16(0xffff, (__m512i)x); }
inline WideBits low_words(WideBits a, WideBits b) { return (WideBits)_mm512_maskz_unpacklo_epi32(0xffff, (__m512i)a, (__m512i)b); }
inline WideBits high_words(WideBits a, WideBits b) { return (WideBits)_mm512_maskz_unpackhi_epi32(0xffff, (__m512i)a, (__m512i)b); }
inline WideBits low_pairs(WideBits a, WideBits b) { return (WideBits)_mm512_maskz_unpacklo_epi64(0xff, (__m512i)a, (__m512i)b); }
inline WideBits high_pairs(WideBits a, WideBits b) { return (WideBits)_mm512_maskz_unpackhi_epi64(0xff, (__m512i)a, (__m512i)b); }
inline WideLong multiply_even(WideBits a, WideBits b) { return (WideLong)_mm512_maskz_mul_epu32(0xff, (__m512i)a, (__m512i)b); }
#elif defined(__AVX2__) && defined(__F16C__)
inline WidePack square_root(const WidePack& x) { return (WideFloat)_mm256_sqrt_ps((__m256)x.v); }
inline bool all_finite(const WidePack& x) {
    return _mm256_movemask_ps((__m256)(((WideBits)x.v & 0x7f800000u) == 0x7f800000u)) == 0;
}
template <> inline Stored<f16, WIDE> to_memory<f16, WIDE>(const WidePack& x) {
    Stored<f16, WIDE> out;
    _mm_storeu_si128((__m128i*)&out, _mm256_cvtps_ph((__m256)x.v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
    return out;
}
template <> inline WidePack from_memory<f16, WIDE>(const Stored<f16, WIDE>& x) { return (WideFloat)_mm256_cvtph_ps(_mm_loadu_si128((const __m128i*)&x)); }
inline WideBits widen(WideHalves x) { return (WideBits)_mm256_cvtepu16_epi32((__m128i)x); }
inline WideBits widen_bytes(const void* p) { return (WideBits)_mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i*)p)); }
inline WideHalves narrow(WideBits x) { return (WideHalves)_mm_packus_epi32(_mm256_castsi256_si128((__m256i)x), _mm256_extracti128_si256((__m256i)x, 1)); }
inline WideBits low_words(WideBits a, WideBits b) { return (WideBits)_mm256_unpacklo_epi32((__m256i)a, (__m256i)b); }
inline WideBits high_words(WideBits a, WideBits b) { return (WideBits)_mm256_unpackhi_epi32((__m256i)a, (__m256i)b); }
inline WideBits low_pairs(WideBits a, WideBits b) { return (WideBits)_mm256_unpacklo_epi64((__m256i)a, (__m256i)b); }
inline WideBits high_pairs(WideBits a, WideBits b) { return (WideBits)_mm256_unpackhi_epi64((__m256i)a, (__m256i)b); }
inline WideLong multiply_even(WideBits a, WideBits b) { return (WideLong)_mm256_mul_epu32((__m256i)a, (__m256i)b); }
#else
inline WidePack square_root(const WidePack& x) { return (WideFloat)_mm_sqrt_ps((__m128)x.v); }
inline bool all_finite(const WidePack& x) {
    return _mm_movemask_ps((__m128)(((WideBits)x.v & 0x7f800000u) == 0x7f800000u)) == 0;
}
template <> inline Stored<f16, WIDE> to_memory<f16, WIDE>(const WidePack& x) {
    Stored<f16, WIDE> out;
    for (int k = 0; k < WIDE; ++k) out.v[k] = from_float<f16>(x.v[k]);
    return out;
}
template <> inline WidePack from_memory<f16, WIDE>(const Stored<f16, WIDE>& x) {
    WideFloat out = {};
    for (int k = 0; k < WIDE; ++k) out[k] = to_float(x.v[k]);
    return out;
}
inline WideBits widen(WideHalves x) { return __builtin_convertvector(x, WideBits); }
inline WideBits widen_bytes(const void* p) {
    int32_t bytes;
    __builtin_memcpy(&bytes, p, sizeof bytes);
    return (WideBits)_mm_cvtepu8_epi32(_mm_cvtsi32_si128(bytes));
}
inline WideHalves narrow(WideBits x) { return __builtin_convertvector(x, WideHalves); }
inline WideBits low_words(WideBits a, WideBits b) { return (WideBits)_mm_unpacklo_epi32((__m128i)a, (__m128i)b); }
inline WideBits high_words(WideBits a, WideBits b) { return (WideBits)_mm_unpackhi_epi32((__m128i)a, (__m128i)b); }
inline WideBits low_pairs(WideBits a, WideBits b) { return (WideBits)_mm_unpacklo_epi64((__m128i)a, (__m128i)b); }
inline WideBits high_pairs(WideBits a, WideBits b) { return (WideBits)_mm_unpackhi_epi64((__m128i)a, (__m128i)b); }
inline WideLong multiply_even(WideBits a, WideBits b) { return (WideLong)_mm_mul_epu32((__m128i)a, (__m128i)b); }
#endif
template <> inline Stored<bf16, WIDE> to_memory<bf16, WIDE>(const WidePack& x) {
    WideBits u = (WideBits)x.v, rounded = (u + 0x7fffu + ((u >> 16) & 1u)) >> 16, nan = (u >> 16) | 0x40u;
    WideHalves half = narrow(x.v == x.v ? rounded : nan);
    Stored<bf16, WIDE> out;
    __builtin_memcpy(&out, &half, sizeof out);
    return out;
}
template <> inline WidePack from_memory<bf16, WIDE>(const Stored<bf16, WIDE>& x) {
    return (WideFloat)(widen(load_halves(&x)) << 16);
}
// The halves of the products: a * b = high 2^32 + low.
inline void multiply(WideBits a, uint32_t b, WideBits& low, WideBits& high) {
    WideBits factor = WideBits{} + b, odd_lanes = (WideBits)(WideLong{} + 0xffffffff00000000u);
    WideLong even = multiply_even(a, factor), odd = multiply_even((WideBits)((WideLong)a >> 32), factor);
    low = odd_lanes ? (WideBits)(odd << 32) : (WideBits)even;
    high = odd_lanes ? (WideBits)odd : (WideBits)(even >> 32);
}
#endif  // SLTT_FAST

// ---- For any width ---------------------------------------------------------------------------------------------------

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
template <int V> __device__ inline Pack<V> select(const Mask<V>& which, float yes, float no) { return select(which, Pack<V>(yes), Pack<V>(no)); }
template <int V> __device__ inline Pack<V> select(const Mask<V>& which, const Pack<V>& yes, float no) { return select(which, yes, Pack<V>(no)); }
template <int V> __device__ inline Pack<V> select(const Mask<V>& which, float yes, const Pack<V>& no) { return select(which, Pack<V>(yes), no); }
template <int V> __device__ inline Pack<V> abs(const Pack<V>& x) { return select(x < 0.0f, 0.0f - x, x); }

// When an element's place in memory is next read. FAR: by no kernel that follows soon, so a GPU's cache gives its line up first
// (.cs), and keeps what the next kernel reads. PAST: the same, and the CPU device writes past the cache, which spares it fetching the
// line first; once done, the kernel calls past_cache_done(). Neither changes a bit.
enum Next { SOON, FAR, PAST };

#if defined(SLTT_FAST)
// Whether a whole output is so large that little of it would still be in a cache when it is read.
inline bool is_past_cache(int64_t bytes) { return bytes >= (int64_t)16 << 20; }
inline void past_cache_done() { _mm_sfence(); }
// Past the cache, to a multiple of the size.
template <class T> inline void stream(T* p, const Stored<T, WIDE>& x) {
    if constexpr (sizeof x == 8) {
        long long word;
        __builtin_memcpy(&word, &x, sizeof word);
        _mm_stream_si64((long long*)p, word);
    } else if constexpr (sizeof x == 16) {
        _mm_stream_si128((__m128i*)p, _mm_loadu_si128((const __m128i*)&x));
    }
#if defined(__AVX__)
    else if constexpr (sizeof x == 32) _mm256_stream_si256((__m256i*)p, _mm256_loadu_si256((const __m256i*)&x));
#endif
#if defined(__AVX512F__)
    else _mm512_stream_si512((__m512i*)p, _mm512_loadu_si512(&x));
#endif
}
#else
__device__ inline bool is_past_cache(int64_t) { return false; }  // what is read next is kept
__device__ inline void past_cache_done() {}
#endif

// Reads V elements at p + i, as memory holds them; on the GPU p + i is aligned to min(16, V * sizeof(T)) bytes.
template <int V, Next NEXT = SOON, class T> __device__ inline Stored<T, V> fetch(const T* p, int64_t i) {
#if defined(__CUDACC__)
    constexpr int BYTES = V * (int)sizeof(T);
    if constexpr (BYTES % 16 == 0) {  // said outright: the compiler splits a struct's load into its elements'
        Stored<T, V> x;
        for (int k = 0; k < BYTES / 16; ++k) {
            const uint4* from = reinterpret_cast<const uint4*>(p + i) + k;
            reinterpret_cast<uint4*>(&x)[k] = NEXT != SOON ? __ldcs(from) : *from;
        }
        return x;
    }
#endif
    return *reinterpret_cast<const Stored<T, V>*>(p + i);
}
// The same, as numbers.
template <int V, Next NEXT = SOON, class T> __device__ inline Pack<V> load(const T* p, int64_t i) { return from_memory<T, V>(fetch<V, NEXT>(p, i)); }
// Writes V elements at p + i.
template <int V, Next NEXT = SOON, class T> __device__ inline void store(T* p, int64_t i, const Stored<T, V>& x) {
#if defined(__CUDACC__)
    constexpr int BYTES = V * (int)sizeof(T);
    if constexpr (BYTES % 16 == 0) {
        for (int k = 0; k < BYTES / 16; ++k) {
            uint4* to = reinterpret_cast<uint4*>(p + i) + k;
            if constexpr (NEXT != SOON) __stcs(to, reinterpret_cast<const uint4*>(&x)[k]);
            else *to = reinterpret_cast<const uint4*>(&x)[k];
        }
        return;
    }
#elif defined(SLTT_FAST)
    if constexpr (NEXT == PAST && V == WIDE)
        if ((uintptr_t)(p + i) % sizeof x == 0) return stream(p + i, x);
#endif
    *reinterpret_cast<Stored<T, V>*>(p + i) = x;
}
// The same, rounded to T.
template <int V, Next NEXT = SOON, class T> __device__ inline void store(T* p, int64_t i, const Pack<V>& x) { store<V, NEXT>(p, i, to_memory<T, V>(x)); }
// The same; gives back what memory now holds.
template <int V, class T> __device__ inline Pack<V> store_rounded(T* p, int64_t i, const Pack<V>& x) {
    Stored<T, V> rounded = to_memory<T, V>(x);
    store<V>(p, i, rounded);
    return from_memory<T, V>(rounded);
}

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
__device__ inline float exp_of_negative(float x) { return exp_of_negative(Pack<1>(x)).v[0]; }

}  // namespace SLTT_VARIANT
