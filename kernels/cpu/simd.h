// One vector register of floats, of the width that the instruction set gives: the only place that names intrinsics for arithmetic.
//
// Included by files that CMakeLists.txt compiles once an instruction set. Everything is in an anonymous namespace and nothing comes
// from the C++ library, so that the linker cannot put a function compiled for AVX-512 into another variant.
#pragma once

#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>

// Before a loop over an array of vectors: unrolled, the array stays in registers.
#define SLTT_UNROLL _Pragma("GCC unroll 16")

#if defined(__AVX512F__) && defined(__AVX512BW__) && defined(__AVX512DQ__)
#define SLTT_SIMD_512
#elif defined(__AVX2__) && defined(__F16C__) && defined(__FMA__)
#define SLTT_SIMD_256
#endif

namespace {
namespace simd {

#if defined(SLTT_SIMD_512)
constexpr int WIDTH = 16;
#elif defined(SLTT_SIMD_256)
constexpr int WIDTH = 8;
#else
constexpr int WIDTH = 4;
#endif

// WIDTH elements. A comparison of Floats is an Int: -1 where it holds, 0 elsewhere.
typedef float Float __attribute__((vector_size(4 * WIDTH)));
typedef int32_t Int __attribute__((vector_size(4 * WIDTH)));
typedef uint32_t Bits __attribute__((vector_size(4 * WIDTH)));
typedef uint64_t Long __attribute__((vector_size(4 * WIDTH)));    // WIDTH / 2 elements
typedef uint16_t Halves __attribute__((vector_size(2 * WIDTH)));    // 16-bit patterns

// ---- Memory: any address, any element type ---------------------------------------------------------------------------

typedef float FloatInMemory __attribute__((vector_size(4 * WIDTH), aligned(1), may_alias));
typedef uint32_t BitsInMemory __attribute__((vector_size(4 * WIDTH), aligned(1), may_alias));
typedef uint16_t HalvesInMemory __attribute__((vector_size(2 * WIDTH), aligned(1), may_alias));

inline Float load(const void* p) { return *(const FloatInMemory*)p; }
inline Bits load_bits(const void* p) { return *(const BitsInMemory*)p; }
inline Halves load_halves(const void* p) { return *(const HalvesInMemory*)p; }
inline void store(void* p, Float v) { *(FloatInMemory*)p = v; }
inline void store(void* p, Bits v) { *(BitsInMemory*)p = v; }
inline void store(void* p, Halves v) { *(HalvesInMemory*)p = v; }

// Writes past the caches, for output too large to be in one when it is read: the processor need not fetch the line first.
// `p` is aligned to the vector's size. The writer calls stream_done() before another thread may read.
inline void stream(void* p, Halves v) {
#if defined(SLTT_SIMD_512)
    _mm256_stream_si256((__m256i*)p, (__m256i)v);
#elif defined(SLTT_SIMD_256)
    _mm_stream_si128((__m128i*)p, (__m128i)v);
#else
    _mm_stream_si64((long long*)p, (long long)v);
#endif
}
inline void stream(void* p, Float v) {
#if defined(SLTT_SIMD_512)
    _mm512_stream_ps((float*)p, (__m512)v);
#elif defined(SLTT_SIMD_256)
    _mm256_stream_ps((float*)p, (__m256)v);
#else
    _mm_stream_ps((float*)p, (__m128)v);
#endif
}
inline void stream_done() { _mm_sfence(); }

// ---- Arithmetic ------------------------------------------------------------------------------------------------------

inline Float broadcast(float x) { return x - Float{}; }

// a * b + c: rounded once where the instruction set has FMA, twice in the baseline.
inline Float multiply_add(Float a, Float b, Float c) {
#if defined(SLTT_SIMD_512)
    return (Float)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c);
#elif defined(SLTT_SIMD_256)
    return (Float)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c);
#else
    return a * b + c;
#endif
}

// The masked forms with all lanes set: g++ 12 warns of an uninitialised operand inside the plain ones.
inline Float square_root(Float x) {
#if defined(SLTT_SIMD_512)
    return (Float)_mm512_maskz_sqrt_ps(0xffff, (__m512)x);
#elif defined(SLTT_SIMD_256)
    return (Float)_mm256_sqrt_ps((__m256)x);
#else
    return (Float)_mm_sqrt_ps((__m128)x);
#endif
}

// Whether no element is infinite or NaN.
inline bool all_finite(Float x) {
#if defined(SLTT_SIMD_512)
    return _mm512_fpclass_ps_mask((__m512)x, 0x99) == 0;  // 0x99: quiet NaN, +infinity, -infinity, signalling NaN
#elif defined(SLTT_SIMD_256)
    return _mm256_movemask_ps((__m256)(((Bits)x & 0x7f800000u) == 0x7f800000u)) == 0;
#else
    return _mm_movemask_ps((__m128)(((Bits)x & 0x7f800000u) == 0x7f800000u)) == 0;
#endif
}

// ---- Integers --------------------------------------------------------------------------------------------------------

inline Bits widen(Halves x) {
#if defined(SLTT_SIMD_512)
    return (Bits)_mm512_maskz_cvtepu16_epi32(0xffff, (__m256i)x);
#elif defined(SLTT_SIMD_256)
    return (Bits)_mm256_cvtepu16_epi32((__m128i)x);
#else
    return __builtin_convertvector(x, Bits);
#endif
}

// WIDTH bytes at `p`, each as 32 bits.
inline Bits widen_bytes(const void* p) {
#if defined(SLTT_SIMD_512)
    return (Bits)_mm512_maskz_cvtepu8_epi32(0xffff, _mm_loadu_si128((const __m128i*)p));
#elif defined(SLTT_SIMD_256)
    return (Bits)_mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i*)p));
#else
    int32_t bytes;
    __builtin_memcpy(&bytes, p, sizeof bytes);
    return (Bits)_mm_cvtepu8_epi32(_mm_cvtsi32_si128(bytes));
#endif
}

// The low 16 bits of each element; `x` is below 65536.
inline Halves narrow(Bits x) {
#if defined(SLTT_SIMD_512)
    return (Halves)_mm512_maskz_cvtepi32_epi16(0xffff, (__m512i)x);
#elif defined(SLTT_SIMD_256)
    return (Halves)_mm_packus_epi32(_mm256_castsi256_si128((__m256i)x), _mm256_extracti128_si256((__m256i)x, 1));
#else
    return __builtin_convertvector(x, Halves);
#endif
}

// Interleave words or pairs of words, within each 128 bits.
#if defined(SLTT_SIMD_512)
inline Bits low_words(Bits a, Bits b) { return (Bits)_mm512_maskz_unpacklo_epi32(0xffff, (__m512i)a, (__m512i)b); }
inline Bits high_words(Bits a, Bits b) { return (Bits)_mm512_maskz_unpackhi_epi32(0xffff, (__m512i)a, (__m512i)b); }
inline Bits low_pairs(Bits a, Bits b) { return (Bits)_mm512_maskz_unpacklo_epi64(0xff, (__m512i)a, (__m512i)b); }
inline Bits high_pairs(Bits a, Bits b) { return (Bits)_mm512_maskz_unpackhi_epi64(0xff, (__m512i)a, (__m512i)b); }
inline Long multiply_even(Bits a, Bits b) { return (Long)_mm512_maskz_mul_epu32(0xff, (__m512i)a, (__m512i)b); }
#elif defined(SLTT_SIMD_256)
inline Bits low_words(Bits a, Bits b) { return (Bits)_mm256_unpacklo_epi32((__m256i)a, (__m256i)b); }
inline Bits high_words(Bits a, Bits b) { return (Bits)_mm256_unpackhi_epi32((__m256i)a, (__m256i)b); }
inline Bits low_pairs(Bits a, Bits b) { return (Bits)_mm256_unpacklo_epi64((__m256i)a, (__m256i)b); }
inline Bits high_pairs(Bits a, Bits b) { return (Bits)_mm256_unpackhi_epi64((__m256i)a, (__m256i)b); }
inline Long multiply_even(Bits a, Bits b) { return (Long)_mm256_mul_epu32((__m256i)a, (__m256i)b); }
#else
inline Bits low_words(Bits a, Bits b) { return (Bits)_mm_unpacklo_epi32((__m128i)a, (__m128i)b); }
inline Bits high_words(Bits a, Bits b) { return (Bits)_mm_unpackhi_epi32((__m128i)a, (__m128i)b); }
inline Bits low_pairs(Bits a, Bits b) { return (Bits)_mm_unpacklo_epi64((__m128i)a, (__m128i)b); }
inline Bits high_pairs(Bits a, Bits b) { return (Bits)_mm_unpackhi_epi64((__m128i)a, (__m128i)b); }
inline Long multiply_even(Bits a, Bits b) { return (Long)_mm_mul_epu32((__m128i)a, (__m128i)b); }
#endif

// The 64-bit products, in halves: a * b = high * 2^32 + low.
inline void multiply(Bits a, uint32_t b, Bits& low, Bits& high) {
    Bits factor = Bits{} + b, odd_lanes = (Bits)(Long{} + 0xffffffff00000000u);
    Long even = multiply_even(a, factor), odd = multiply_even((Bits)((Long)a >> 32), factor);
    low = odd_lanes ? (Bits)(odd << 32) : (Bits)even;
    high = odd_lanes ? (Bits)odd : (Bits)(even >> 32);
}

// ---- 16-bit floats: rounded to nearest, ties to even; overflow gives infinity, NaN stays NaN ---------------------------

inline Halves to_bfloat16(Float x) {
    Bits u = (Bits)x, rounded = (u + 0x7fffu + ((u >> 16) & 1u)) >> 16, nan = (u >> 16) | 0x40u;
    return narrow(x == x ? rounded : nan);
}
inline Float from_bfloat16(Halves x) { return (Float)(widen(x) << 16); }

inline Halves to_half(Float x) {
#if defined(SLTT_SIMD_512)
    return (Halves)_mm512_maskz_cvtps_ph(0xffff, (__m512)x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
#elif defined(SLTT_SIMD_256)
    return (Halves)_mm256_cvtps_ph((__m256)x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
#else
    Bits u = (Bits)x, sign = u & 0x80000000u;
    u ^= sign;
    Bits normal = (u + 0xc8000fffu + ((u >> 13) & 1u)) >> 13;                    // exponent bias 127 to 15
    Bits subnormal = (Bits)((Float)u + broadcast(0.5f)) - 0x3f000000u;             // the adder rounds at 2^-24
    Bits special = u > 0x7f800000u ? Bits{} + 0x7e00u : Bits{} + 0x7c00u;
    return narrow((u >= 0x47800000u ? special : u < 0x38800000u ? subnormal : normal) | sign >> 16);
#endif
}
inline Float from_half(Halves x) {
#if defined(SLTT_SIMD_512)
    return (Float)_mm512_maskz_cvtph_ps(0xffff, (__m256i)x);
#elif defined(SLTT_SIMD_256)
    return (Float)_mm256_cvtph_ps((__m128i)x);
#else
    Bits wide = widen(x), u = (wide & 0x7fffu) << 13, exponent = u & 0x0f800000u;
    Bits normal = u + (exponent == 0x0f800000u ? Bits{} + 0x70000000u : Bits{} + 0x38000000u);  // inf, NaN keep the top exponent
    Bits subnormal = (Bits)((Float)(u + 0x38800000u) - (Float)(Bits{} + 0x38800000u));           // 2^-14 (1 + f) - 2^-14
    return (Float)((exponent == 0 ? subnormal : normal) | (wide & 0x8000u) << 16);
#endif
}

}  // namespace simd
}  // namespace
