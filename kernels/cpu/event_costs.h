// When event-driven is faster than dense: the largest share of x's numbers that may be other than zero.
#pragma once

#include "dnn_convolution_plan.h"

namespace sltt_cpu {

// Event-driven time in dense time is nearly overhead + slope * density; this is where it reaches 1, on the safe side. By convolution_bench (docs/cpu.md
// has its table and the command) on a core of an EPYC (Zen 4), for each instruction set, oneDNN limited to it too.
struct DensestEvent {
    double forward, filter;
};
//                                                v2            v3            v4
constexpr DensestEvent POINTWISE[] = {{1.0, 0.8}, {0.35, 0.1}, {0.3, 0.3}};   // 1x1
constexpr DensestEvent NARROW[] = {{1.0, 1.0}, {0.35, 0.4}, {0.4, 0.4}};      // fewer than 32 channels in or out
constexpr DensestEvent STRIDED[] = {{1.0, 0.8}, {0.7, 0.5}, {0.6, 0.6}};
constexpr DensestEvent WIDE[] = {{1.0, 1.0}, {0.7, 0.75}, {0.6, 0.7}};
constexpr double NATIVE_BFLOAT16 = 0.45;  // times these, where dense multiplies bfloat16 natively, in half the time
constexpr int FEWEST_CHANNELS = 16;       // with fewer, lists of channels are all overhead

// `level`: 2, 3, 4 for v2, v3, v4; `native`: the dense way would compute in the 16-bit type itself.
inline double densest_event(ConvolutionPass pass, const ConvolutionShape& s, int level, bool native) {
    int fewest = s.c < s.k ? s.c : s.k;
    if (fewest < FEWEST_CHANNELS) return 0;
    const DensestEvent* table = s.r * s.s == 1 ? POINTWISE : fewest < 32 ? NARROW : s.stride_h * s.stride_w > 1 ? STRIDED : WIDE;
    double densest = pass == ConvolutionPass::Forward ? table[level - 2].forward : table[level - 2].filter;
    return native ? NATIVE_BFLOAT16 * densest : densest;
}

}  // namespace sltt_cpu
