// What common/sltt.cuh needs to compile the kernels as C++ for the CPU device: CUDA's keywords, the built-in
// variables, barriers and atomics, and SLTT_KERNEL, which puts a kernel and a trampoline that unpacks its arguments
// into this translation unit's table.
//
// A translation unit defines SLTT_FAST or SLTT_FAITHFUL and SLTT_VARIANT, and includes ../kernels.cu inside an
// anonymous namespace (kernels_tu.cpp): every function of it is local to it, so that code compiled for one instruction
// set can never be linked into another variant. For the same reason nothing here comes from the C++ library, and the
// tables are constants: nothing of a variant runs before the variant is chosen.
#pragma once
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(SLTT_FAST)
#include <immintrin.h>
#endif

#if defined(SLTT_FAST) == defined(SLTT_FAITHFUL)
#error "define exactly one of SLTT_FAST and SLTT_FAITHFUL"
#endif

#include "kernel_table.h"

// ---- Keywords --------------------------------------------------------------------------------------------------------

#define __host__
#define __device__
#define __global__
#define __constant__ static const
#define __forceinline__ inline __attribute__((always_inline))
#define __launch_bounds__(...)
#define __align__(bytes) alignas(bytes)

#if defined(SLTT_FAST)
#define __shared__  // a block is one thread: its own variable
#else
#define __shared__ static __attribute__((section("sltt_shared")))  // one block runs at a time; poisoned before each
#endif

// ---- Built-in variables ----------------------------------------------------------------------------------------------

#define threadIdx (::sltt_cpu::position.thread)
#define blockIdx (::sltt_cpu::position.block)
#define blockDim (::sltt_cpu::position.block_dim)
#define gridDim (::sltt_cpu::position.grid_dim)
#define warpSize 32

// ---- Barriers, ballots, shuffles -------------------------------------------------------------------------------------

#if defined(SLTT_FAST)
static inline void __syncthreads() {}
static inline void __syncwarp(unsigned = 0xffffffffu) {}
#else
#include "faithful/faithful.h"
#endif
static inline void __threadfence() { __atomic_thread_fence(__ATOMIC_SEQ_CST); }
static inline void __threadfence_block() { __atomic_thread_fence(__ATOMIC_SEQ_CST); }

// ---- Atomics and bit operations --------------------------------------------------------------------------------------

template <class T> static inline T atomicExch(T* p, T x) {
    T old;
    __atomic_exchange(p, &x, &old, __ATOMIC_RELAXED);
    return old;
}
template <class T> static inline T atomicCAS(T* p, T expected, T x) {
    __atomic_compare_exchange(p, &expected, &x, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
    return expected;
}
namespace sltt_cpu {
template <class T, class F> static inline T atomic_update(T* p, F f) {
    T old;
    __atomic_load(p, &old, __ATOMIC_RELAXED);
    for (;;) {
        T next = f(old);
        if (__atomic_compare_exchange(p, &old, &next, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) return old;
    }
}
}  // namespace sltt_cpu
template <class T> static inline T atomicAdd(T* p, T x) { return ::sltt_cpu::atomic_update(p, [x](T old) { return (T)(old + x); }); }
template <class T> static inline T atomicMax(T* p, T x) { return ::sltt_cpu::atomic_update(p, [x](T old) { return old > x ? old : x; }); }
template <class T> static inline T atomicMin(T* p, T x) { return ::sltt_cpu::atomic_update(p, [x](T old) { return old < x ? old : x; }); }
template <class T> static inline T atomicOr(T* p, T x) { return __atomic_fetch_or(p, x, __ATOMIC_RELAXED); }
template <class T> static inline T atomicAnd(T* p, T x) { return __atomic_fetch_and(p, x, __ATOMIC_RELAXED); }

template <class T> static inline T __ldg(const T* p) { return *p; }
static inline int __popc(unsigned x) { return __builtin_popcount(x); }
static inline int __ffs(int x) { return __builtin_ffs(x); }
static inline int __clz(int x) { return x == 0 ? 32 : __builtin_clz((unsigned)x); }
static inline unsigned __float_as_uint(float x) { unsigned u; memcpy(&u, &x, 4); return u; }
static inline float __uint_as_float(unsigned u) { float x; memcpy(&x, &u, 4); return x; }
static inline float rsqrtf(float x) { return 1.0f / sqrtf(x); }

// ---- Kernels ---------------------------------------------------------------------------------------------------------

namespace sltt_cpu {

template <int... I> struct Indices {};
template <class P> struct Describe { static constexpr Parameter value = {sizeof(P), alignof(P), false}; };
template <class P> struct Describe<P*> { static constexpr Parameter value = {sizeof(P*), alignof(P*), true}; };

template <auto Run> struct Trampoline;
template <class... P, void (*Run)(P...)> struct Trampoline<Run> {
    static constexpr int COUNT = (int)sizeof...(P);
    static constexpr Parameter parameters[COUNT + 1] = {Describe<P>::value..., {0, 0, false}};
    template <int... I> static inline void apply(void* const* arguments, Indices<I...>) {
        Run(*static_cast<const P*>(arguments[I])...);
    }
    static void call([[maybe_unused]] void* const* arguments) { apply(arguments, Indices<__integer_pack(COUNT)...>{}); }
};

}  // namespace sltt_cpu

#define SLTT_TEXT_(x) #x
#define SLTT_TEXT(x) SLTT_TEXT_(x)

// Defines the kernel `name`; `params` is its parenthesised parameter list, the body follows.
#define SLTT_KERNEL(name, params, ...)                                                                                \
    struct name##_kernel {                                                                                            \
        static void run params { __VA_ARGS__; }                                                                       \
    };                                                                                                                \
    static const ::sltt_cpu::KernelEntry name##_entry = {#name, &::sltt_cpu::Trampoline<&name##_kernel::run>::call,   \
                                                         ::sltt_cpu::Trampoline<&name##_kernel::run>::parameters,     \
                                                         ::sltt_cpu::Trampoline<&name##_kernel::run>::COUNT};         \
    __attribute__((used, section("sltt_" SLTT_TEXT(SLTT_VARIANT))))                                                   \
    static const ::sltt_cpu::KernelEntry* const name##_listed = &name##_entry;
