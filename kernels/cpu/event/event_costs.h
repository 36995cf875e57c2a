// When the event-driven way is estimated to be faster than the dense one: up to which share of x's numbers that are not zero.
#pragma once

#include "convolution.h"

namespace sltt_cpu {

// Event-driven time over dense time is nearly overhead + slope * density. The table holds the density at which it reaches 1,
// on the safe side, by instruction set. Measured with convolution_bench on a core of an EPYC (Zen 4), with oneDNN limited to
// the same instruction set; docs/internals/cpu.md has the table and the command.
struct DensestEvent {
    double forward, filter;
};
//                                                     v2            v3            v4
constexpr DensestEvent POINTWISE_FILTERS[] = {{1.0, 0.8}, {0.35, 0.1}, {0.3, 0.1}};  // 1x1
constexpr DensestEvent NARROW_LAYERS[] = {{1.0, 1.0}, {0.35, 0.4}, {0.4, 0.4}};      // fewer than 32 channels in or out
constexpr DensestEvent STRIDED_FILTERS[] = {{1.0, 0.8}, {0.7, 0.5}, {0.6, 0.6}};
constexpr DensestEvent OTHER_FILTERS[] = {{1.0, 1.0}, {0.7, 0.75}, {0.6, 0.7}};
constexpr double NATIVE_BFLOAT16 = 0.45;  // factor where the dense way multiplies bfloat16 natively, in half the time
constexpr int MIN_EVENT_CHANNELS = 16;    // below it, a list's overhead exceeds its work

// `level`: 2, 3, 4 for v2, v3, v4; `native`: the dense way would compute in the 16-bit type itself.
inline double densest_event(ConvolutionPass pass, const ConvolutionShape& s, int level, bool native) {
    int channels = s.c < s.k ? s.c : s.k;
    if (channels < MIN_EVENT_CHANNELS) return 0;
    const DensestEvent* table = s.r * s.s == 1                ? POINTWISE_FILTERS
                                : channels < 32               ? NARROW_LAYERS
                                : s.stride_h * s.stride_w > 1 ? STRIDED_FILTERS
                                                              : OTHER_FILTERS;
    double densest = pass == ConvolutionPass::Forward ? table[level - 2].forward : table[level - 2].filter;
    return native ? NATIVE_BFLOAT16 * densest : densest;
}

}  // namespace sltt_cpu
