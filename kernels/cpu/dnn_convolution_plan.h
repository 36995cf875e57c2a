// One pass of one convolution, planned once: event-driven (event_convolution.h) where x is sparse, by Winograd's algorithm (winograd.h) the
// data gradient where that is faster, else oneDNN's primitive, its layout of the filter, and where in the caller's workspace everything
// goes. Nothing else is allocated when it runs.
//
// Activations are read and written in place (NHWC). oneDNN's kernels want the filter in blocks of 16 channels or so, so it
// is brought there from KRSC before each call, or the gradient back after it, in the workspace.
//   direct    the whole batch in one primitive, in memory's type.
//   staged    a few images at a time through float buffers in the workspace: half (oneDNN 2.6 has no half convolution),
//             bfloat16 where the processor has no instructions for it, and blends y = alpha*conv + beta*y that oneDNN
//             cannot do in place. The result is rounded once.
#pragma once

#include <array>
#include <memory>
#include <vector>

#include "dnn_descriptors.h"

namespace sltt_cpu {

enum class ConvolutionPass { Forward, BackwardData, BackwardFilter };

// x: (n, h, w, c), filter: (k, r, s, c), y: (n, p, q, k).
struct ConvolutionShape {
    int n, c, h, w, k, r, s, p, q, pad_h, pad_w, stride_h, stride_w, dilation_h, dilation_w;

    size_t x_image() const { return (size_t)c * h * w; }
    size_t y_image() const { return (size_t)k * p * q; }
    size_t filter_count() const { return (size_t)k * c * r * s; }
    bool operator<(const ConvolutionShape& o) const;
};

// y = alpha * conv(x, filter) + beta * y, and so on for the other passes: whichever of the three is the pass's result
// is written, the other two are read. Workspace: as large as convolution_workspace() says, 64-byte aligned.
struct ConvolutionCall {
    ConvolutionPass pass;
    ConvolutionShape shape;
    cudnnDataType_t type;
    float alpha, beta;
    void* x;
    void* filter;
    void* y;
    void* workspace;
};

// Bytes that suffice for any alpha and beta.
size_t convolution_workspace(ConvolutionPass pass, const ConvolutionShape& shape, cudnnDataType_t type);

// The call as work for a stream: all primitives exist when this returns. Throws dnnl::error.
std::function<void()> convolution_work(const ConvolutionCall& call);

}  // namespace sltt_cpu
