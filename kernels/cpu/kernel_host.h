// SLTT_KERNEL for the CPU device: puts a kernel, and a trampoline that unpacks its arguments, into this translation unit's table.
//
// A translation unit (fast/kernels_tu.cpp, faithful/kernels_tu.cpp) defines SLTT_VARIANT, which names its table, and includes kernels.cu
// inside an anonymous namespace. Every function of it is then local: code compiled for one instruction set can never be linked into
// another variant. The tables are constants: nothing of a variant runs before the variant is chosen.
#pragma once
#include "cuda_words.h"
#include "kernel_table.h"

// Shared memory of the faithful kernels: bounds from the linker, null where there is none.
extern "C" __attribute__((visibility("hidden"), weak)) unsigned char __start_sltt_shared[];
extern "C" __attribute__((visibility("hidden"), weak)) unsigned char __stop_sltt_shared[];

namespace sltt_cpu {

template <int... I> struct Indices {};
// The names of the types that a kernel's parameters may have. RunState's is in kernel_types.h, where argument-dependent lookup finds it.
// Another type has no name and does not compile.
static constexpr const char* type_name(const float*) { return "f32"; }
static constexpr const char* type_name(const __half*) { return "f16"; }
static constexpr const char* type_name(const __nv_bfloat16*) { return "bf16"; }
static constexpr const char* type_name(const double*) { return "f64"; }
static constexpr const char* type_name(const int32_t*) { return "i32"; }
static constexpr const char* type_name(const int64_t*) { return "i64"; }
static constexpr const char* type_name(const uint8_t*) { return "u8"; }
static constexpr const char* type_name(const uint16_t*) { return "u16"; }
static constexpr const char* type_name(const uint32_t*) { return "u32"; }
static constexpr const char* type_name(const uint64_t*) { return "u64"; }
static constexpr const char* type_name(const unsigned long long*) { return "u64"; }  // another type than uint64_t; CUDA's atomics take it

template <class P> struct Describe {
    static constexpr Parameter value = {sizeof(P), alignof(P), false, false, type_name((P*)nullptr)};
};
template <class P> struct Describe<P*> {
    static constexpr Parameter value = {sizeof(P*), alignof(P*), true, false, type_name((P*)nullptr)};
};
template <class P> struct Describe<const P*> {
    static constexpr Parameter value = {sizeof(P*), alignof(P*), true, true, type_name((P*)nullptr)};
};

template <auto Run> struct Trampoline;
template <class... P, void (*Run)(P...)> struct Trampoline<Run> {
    static constexpr int COUNT = (int)sizeof...(P);
    static constexpr Parameter parameters[COUNT + 1] = {Describe<P>::value..., {}};
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
                                                         ::sltt_cpu::Trampoline<&name##_kernel::run>::COUNT, #params, \
                                                         __FILE__, __start_sltt_shared, __stop_sltt_shared};          \
    __attribute__((used, section("sltt_" SLTT_TEXT(SLTT_VARIANT))))                                                   \
    static const ::sltt_cpu::KernelEntry* const name##_listed = &name##_entry;
