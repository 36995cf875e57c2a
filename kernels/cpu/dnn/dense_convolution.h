// One pass of a convolution by oneDNN: its pieces, its layout of the filter, and where everything goes in memory.
//
// The batch is cut into pieces of some images. A thread computes a piece alone. The pieces depend on the shape only, so the number of
// threads changes no bit. A weight gradient is added up by groups of neighbouring pieces, then over the groups in order.
//
// Activations are read and written in place (NHWC). oneDNN's kernels want the filter in blocks of 8 or 16 channels. So the filter is
// repacked from KRSC before each call, or the gradient back to KRSC after it, in the workspace.
//   direct    In memory's type.
//   staged    Through a thread's float buffers: half (oneDNN 2.6 has no half convolution), bfloat16 where the processor has no
//             instructions for it, and blends y = alpha * conv + beta * y that oneDNN cannot do in place. The result is rounded once.
#pragma once

#include <functional>

#include "convolution.h"

namespace sltt_cpu {

// Bytes of workspace for any alpha and beta. Throws dnnl::error, as dense_convolution() does.
size_t dense_workspace(ConvolutionPass pass, const ConvolutionShape& shape, Number type);

// The call as work for a stream. All primitives exist when this returns.
std::function<void()> dense_convolution(const ConvolutionCall& call, int threads);

// Whether the pass multiplies 16-bit numbers by the processor's own instructions.
bool computes_natively(ConvolutionPass pass, const ConvolutionShape& shape, Number type);

}  // namespace sltt_cpu
