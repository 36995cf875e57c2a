// One pass of a convolution by oneDNN: its primitive, its layout of the filter, and where everything goes in the caller's workspace.
// Nothing is allocated when the pass runs.
//
// Activations are read and written in place (NHWC). oneDNN's kernels want the filter in blocks of 8 or 16 channels. So the filter is
// repacked from KRSC before each call, or the gradient back to KRSC after it, in the workspace.
//   direct    The whole batch in one primitive, in memory's type.
//   staged    Some images at a time, through float buffers in the workspace: half (oneDNN 2.6 has no half convolution), bfloat16 where
//             the processor has no instructions for it, and blends y = alpha * conv + beta * y that oneDNN cannot do in place. The
//             result is rounded once.
#pragma once

#include <functional>

#include "convolution.h"

namespace sltt_cpu {

// Bytes of workspace for any alpha and beta. Throws dnnl::error, as dense_convolution() does.
size_t dense_workspace(ConvolutionPass pass, const ConvolutionShape& shape, Number type);

// The call as work for a stream. All primitives exist when this returns.
std::function<void()> dense_convolution(const ConvolutionCall& call);

// Whether the pass multiplies 16-bit numbers by the processor's own instructions.
bool computes_natively(ConvolutionPass pass, const ConvolutionShape& shape, Number type);

}  // namespace sltt_cpu
