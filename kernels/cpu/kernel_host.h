// SLTT_KERNEL for the CPU device: puts a kernel, and a trampoline that unpacks its arguments, into this translation unit's table.
//
// A translation unit (fast/kernels_tu.cpp, faithful/kernels_tu.cpp) defines SLTT_VARIANT, which names its table, and includes kernels.cu
// inside an anonymous namespace. Every function of it is then local: code compiled for one instruction set can never be linked into
// another variant. The tables are constants: nothing of a variant runs before the variant is chosen.
#pragma once
#include "kernel_table.h"

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
