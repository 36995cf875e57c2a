// When event-driven is faster: the largest share of x's numbers that may be other than zero.
#pragma once

#include "dnn_convolution_plan.h"

namespace sltt_cpu {

// Where the two ways take the same time, a little on the safe side, by out/native-build/convolution_bench on one core of an EPYC
// (Zen 4, AVX-512): event-driven takes 0.2 + 1.2 * density of the dense time, and more where few channels share the work of making and reading lists.
inline double densest_event(ConvolutionPass pass, const ConvolutionShape& s) {
    bool forward = pass == ConvolutionPass::Forward;
    int fewest = s.c < s.k ? s.c : s.k;
    if (fewest < 16) return 0;
    if (s.r * s.s == 1) return forward ? 0.3 : 0.05;
    if (fewest < 32) return forward ? 0.3 : 0.15;
    return forward ? 0.55 : 0.5;
}

}  // namespace sltt_cpu
