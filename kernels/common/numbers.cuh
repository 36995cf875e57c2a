// Number types: stored as f32, f16 or bf16, computed in float.
#pragma once

namespace SLTT_VARIANT {

using f32 = float;
#if defined(__CUDACC__)
using f16 = __half;
using bf16 = __nv_bfloat16;
__device__ inline uint32_t float_bits(float x) { return __float_as_uint(x); }
__device__ inline float float_of_bits(uint32_t u) { return __uint_as_float(u); }
__device__ inline float to_float(f32 x) { return x; }
__device__ inline float to_float(f16 x) { return __half2float(x); }
__device__ inline float to_float(bf16 x) { return __bfloat162float(x); }
template <class T> __device__ inline T from_float(float x);
template <> __device__ inline f32 from_float<f32>(float x) { return x; }
template <> __device__ inline f16 from_float<f16>(float x) { return __float2half_rn(x); }
template <> __device__ inline bf16 from_float<bf16>(float x) { return __float2bfloat16_rn(x); }
#else
struct f16 { uint16_t bits; };
struct bf16 { uint16_t bits; };
__device__ inline uint32_t float_bits(float x) {
    uint32_t u;
    __builtin_memcpy(&u, &x, 4);
    return u;
}
__device__ inline float float_of_bits(uint32_t u) {
    float x;
    __builtin_memcpy(&x, &u, 4);
    return x;
}
__device__ inline float to_float(f32 x) { return x; }
__device__ inline float to_float(f16 x) {
    uint32_t u = (uint32_t)(x.bits & 0x7fffu) << 13, exponent = u & 0x0f800000u;
    float normal = float_of_bits(u + (exponent == 0x0f800000u ? 0x70000000u : 0x38000000u));  // inf and NaN keep the top exponent
    float subnormal = float_of_bits(u + 0x38800000u) - float_of_bits(0x38800000u);             // 2^-14 (1 + f) - 2^-14
    return float_of_bits(float_bits(exponent == 0 ? subnormal : normal) | (uint32_t)(x.bits & 0x8000u) << 16);
}
__device__ inline float to_float(bf16 x) { return float_of_bits((uint32_t)x.bits << 16); }
template <class T> __device__ inline T from_float(float x);
template <> __device__ inline f32 from_float<f32>(float x) { return x; }
template <> __device__ inline f16 from_float<f16>(float x) {  // round to nearest even, overflow to inf; NaN stays NaN
    uint32_t u = float_bits(x), sign = u & 0x80000000u;
    u ^= sign;
    uint32_t normal = (u + 0xc8000fffu + ((u >> 13) & 1u)) >> 13;                                    // exponent bias 127 to 15
    uint32_t subnormal = float_bits(float_of_bits(u) + float_of_bits(0x3f000000u)) - 0x3f000000u;  // the adder rounds at 2^-24
    uint32_t special = u > 0x7f800000u ? 0x7e00u : 0x7c00u;
    uint32_t h = u >= 0x47800000u ? special : u < 0x38800000u ? subnormal : normal;
    return f16{(uint16_t)(h | sign >> 16)};
}
template <> __device__ inline bf16 from_float<bf16>(float x) {  // round to nearest even; NaN stays NaN
    uint32_t u = float_bits(x);
    uint32_t rounded = (u + 0x7fffu + ((u >> 16) & 1u)) >> 16;
    uint32_t nan = (u >> 16) | 0x40u;
    return bf16{(uint16_t)((u & 0x7fffffffu) > 0x7f800000u ? nan : rounded)};
}
#endif

// One variant of a kernel for each number type: SLTT_FOR_EACH_TYPE(VARIANT) calls VARIANT(T, suffix).
#define SLTT_FOR_EACH_TYPE(VARIANT) VARIANT(f32, f32) VARIANT(f16, f16) VARIANT(bf16, bf16)

__device__ inline bool is_finite(float x) { return (float_bits(x) & 0x7f800000u) != 0x7f800000u; }

// The number that was meant by a float of few decimals, 0.999 for 0.999f: 1 - beta2 would else be 1e-5 off.
__device__ inline double as_decimal(float x) { return rint((double)x * 1e7) / 1e7; }

}  // namespace SLTT_VARIANT
