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

// SLTT_KERNEL and SLTT_SUM_KERNEL for each number type: in `params` and the body T is the type. The kernels are name_f32 and so on.
#define SLTT_TYPED_KERNEL(name, params, ...) SLTT_TYPED(SLTT_KERNEL, name, params, __VA_ARGS__)
#define SLTT_TYPED_SUM_KERNEL(name, params, ...) SLTT_TYPED(SLTT_SUM_KERNEL, name, params, __VA_ARGS__)
#define SLTT_TYPED(declare, name, params, ...)                                             \
    namespace name##_of_f32 { using T = f32; declare(name##_f32, params, __VA_ARGS__) }    \
    namespace name##_of_f16 { using T = f16; declare(name##_f16, params, __VA_ARGS__) }    \
    namespace name##_of_bf16 { using T = bf16; declare(name##_bf16, params, __VA_ARGS__) }

__device__ inline bool is_finite(float x) { return (__float_as_uint(x) & 0x7f800000u) != 0x7f800000u; }

// The decimal number that a float stands for, 0.999 for 0.999f. Without this step 1 - beta2 would be wrong by a factor of 1e-5.
__device__ inline double as_decimal(float x) { return rint((double)x * 1e7) / 1e7; }

}  // namespace sltt
