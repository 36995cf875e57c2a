// One pass of one convolution, planned once: event-driven (event_convolution.h) where x is sparse, by Winograd's algorithm (winograd.h)
// where that is faster and its rounding is allowed, else oneDNN's primitive, its layout of the filter, and where in the caller's workspace everything
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

#include "dnn_convolution_shape.h"

namespace sltt_cpu {

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

// Bytes that suffice for any alpha and beta, and any way (convolution_choice.h).
size_t convolution_workspace(ConvolutionPass pass, const ConvolutionShape& shape, cudnnDataType_t type);

// The call as work for a stream, the way that convolution_choice.h says: all primitives exist when this returns. Throws dnnl::error.
std::function<void()> convolution_work(const ConvolutionCall& call);

// The same, dense; by Winograd's algorithm only where that is possible.
std::function<void()> dense_convolution(const ConvolutionCall& call, bool by_winograd);

// Whether the dense way multiplies 16-bit numbers by the processor's own instructions.
bool computes_natively(ConvolutionPass pass, const ConvolutionShape& shape, cudnnDataType_t type);

}  // namespace sltt_cpu
