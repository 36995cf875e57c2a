// One pass of a convolution: its sizes and where its arrays are. What event/, winograd/ and dnn/ share.
#pragma once

#include "numbers.h"

namespace sltt_cpu {

enum class ConvolutionPass { Forward, BackwardData, BackwardFilter };

// x: (n, h, w, c), filter: (k, r, s, c), y: (n, p, q, k).
struct ConvolutionShape {
    int n, c, h, w, k, r, s, p, q, pad_h, pad_w, stride_h, stride_w, dilation_h, dilation_w;
    bool fast_math;  // the forward pass may round more than a sum of products does (CUDNN_DEFAULT_MATH, for which a GPU takes TF32)

    size_t x_image() const { return (size_t)c * h * w; }
    size_t y_image() const { return (size_t)k * p * q; }
    size_t filter_count() const { return (size_t)k * c * r * s; }
    double flops() const { return 2.0 * n * (double)y_image() * c * r * s; }
    bool operator<(const ConvolutionShape& o) const;  // for maps of plans
};

// y = alpha * conv(x, filter) + beta * y, and likewise for the other passes. The pass writes its result and reads the other two arrays.
struct ConvolutionCall {
    ConvolutionPass pass;
    ConvolutionShape shape;
    Number type;
    float alpha, beta;
    void* x;
    void* filter;
    void* y;
    void* workspace;  // 64-byte aligned, as large as the pass's plan says
};

// Which variant of the loops of event/ and winograd/ runs, and on how many threads. A plan is made for one of these. The level may
// change the bits of a result; the number of threads must not.
struct LoopTarget {
    int level;  // 2, 3 or 4: x86-64-v2, v3, v4
    int threads;
};

// Bytes rounded up to whole cache lines: arrays of a workspace begin at them.
inline size_t whole_lines(size_t bytes) { return (bytes + 63) / 64 * 64; }

}  // namespace sltt_cpu
