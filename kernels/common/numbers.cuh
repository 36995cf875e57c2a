// Number types: f32, f16 and bf16 in memory, float in arithmetic. The types and conversions are CUDA's; the CPU device supplies the
// same names (cpu/cuda_words.h).
#pragma once

namespace sltt {

using f32 = float;
using f16 = __half;
using bf16 = __nv_bfloat16;

__device__ inline float to_float(f32 x) { return x; }
__device__ inline float to_float(f16 x) { return __half2float(x); }
__device__ inline float to_float(bf16 x) { return __bfloat162float(x); }

// Rounded to nearest, ties to even; overflow gives infinity, NaN stays NaN.
template <class T> __device__ inline T from_float(float x);
template <> __device__ inline f32 from_float<f32>(float x) { return x; }
template <> __device__ inline f16 from_float<f16>(float x) { return __float2half_rn(x); }
template <> __device__ inline bf16 from_float<bf16>(float x) { return __float2bfloat16_rn(x); }

// One variant of a kernel for each number type: SLTT_FOR_EACH_TYPE(VARIANT) calls VARIANT(T, suffix).
#define SLTT_FOR_EACH_TYPE(VARIANT) VARIANT(f32, f32) VARIANT(f16, f16) VARIANT(bf16, bf16)

__device__ inline bool is_finite(float x) { return (__float_as_uint(x) & 0x7f800000u) != 0x7f800000u; }

// The decimal number that a float stands for, 0.999 for 0.999f. Without this step 1 - beta2 would be wrong by a factor of 1e-5.
__device__ inline double as_decimal(float x) { return rint((double)x * 1e7) / 1e7; }

}  // namespace sltt
