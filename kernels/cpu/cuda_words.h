// CUDA's words for a C++ compiler: keywords, built-in variables, number types, atomics and bit operations, as far as the kernels and the
// CPU device's test kernels use them. Nothing here comes from the C++ library: a kernel is compiled for several instruction sets, and
// the linker must not put one variant's function into another.
#pragma once
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "kernel_table.h"

// ---- Keywords and built-in variables ---------------------------------------------------------------------------------

#define __device__
#ifndef SLTT_POSITION  // module_tu.h: a library of a user's kernels asks libsltt_cpu.so for it
#define SLTT_POSITION ::sltt_cpu::position
#endif
#define threadIdx (SLTT_POSITION.thread)
#define blockIdx (SLTT_POSITION.block)
#define blockDim (SLTT_POSITION.block_dim)
#define gridDim (SLTT_POSITION.grid_dim)

// ---- Bits and atomics ------------------------------------------------------------------------------------------------

static inline uint32_t __float_as_uint(float x) {
    uint32_t u;
    __builtin_memcpy(&u, &x, 4);
    return u;
}
static inline float __uint_as_float(uint32_t u) {
    float x;
    __builtin_memcpy(&x, &u, 4);
    return x;
}
static inline int __popc(unsigned x) { return __builtin_popcount(x); }
template <class T> static inline T atomicAdd(T* p, T x) { return __atomic_fetch_add(p, x, __ATOMIC_RELAXED); }
// old + 1, or 0 where old >= last.
static inline uint32_t atomicInc(uint32_t* p, uint32_t last) {
    uint32_t old = __atomic_load_n(p, __ATOMIC_RELAXED);
    while (!__atomic_compare_exchange_n(p, &old, old >= last ? 0 : old + 1, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {}
    return old;
}
static inline void __threadfence() { __atomic_thread_fence(__ATOMIC_SEQ_CST); }
template <class T> static inline T atomicMin(T* p, T x) {
    T old = __atomic_load_n(p, __ATOMIC_RELAXED);
    while (x < old && !__atomic_compare_exchange_n(p, &old, x, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {}
    return old;
}

// ---- 16-bit floats: rounded to nearest, ties to even; overflow gives infinity, NaN stays NaN ---------------------------

struct __half { uint16_t bits; };
struct __nv_bfloat16 { uint16_t bits; };

static inline float __half2float(__half x) {
    uint32_t u = (uint32_t)(x.bits & 0x7fffu) << 13, exponent = u & 0x0f800000u;
    float normal = __uint_as_float(u + (exponent == 0x0f800000u ? 0x70000000u : 0x38000000u));  // inf and NaN keep the top exponent
    float subnormal = __uint_as_float(u + 0x38800000u) - __uint_as_float(0x38800000u);             // 2^-14 (1 + f) - 2^-14
    return __uint_as_float(__float_as_uint(exponent == 0 ? subnormal : normal) | (uint32_t)(x.bits & 0x8000u) << 16);
}
static inline float __bfloat162float(__nv_bfloat16 x) { return __uint_as_float((uint32_t)x.bits << 16); }

static inline __half __float2half_rn(float x) {
    uint32_t u = __float_as_uint(x), sign = u & 0x80000000u;
    u ^= sign;
    uint32_t normal = (u + 0xc8000fffu + ((u >> 13) & 1u)) >> 13;                                            // exponent bias 127 to 15
    uint32_t subnormal = __float_as_uint(__uint_as_float(u) + __uint_as_float(0x3f000000u)) - 0x3f000000u;  // the adder rounds at 2^-24
    uint32_t special = u > 0x7f800000u ? 0x7e00u : 0x7c00u;
    uint32_t h = u >= 0x47800000u ? special : u < 0x38800000u ? subnormal : normal;
    return __half{(uint16_t)(h | sign >> 16)};
}
static inline __nv_bfloat16 __float2bfloat16_rn(float x) {
    uint32_t u = __float_as_uint(x);
    uint32_t rounded = (u + 0x7fffu + ((u >> 16) & 1u)) >> 16;
    uint32_t nan = (u >> 16) | 0x40u;
    return __nv_bfloat16{(uint16_t)((u & 0x7fffffffu) > 0x7f800000u ? nan : rounded)};
}
