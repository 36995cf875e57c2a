// Work on streams. Everything that the device does - kernels, copies, cuDNN and cuBLAS calls - goes through enqueue().
#pragma once

#include <functional>

#include "runtime/cuda_api.h"
#include "runtime/report.h"

namespace sltt_cpu {

// Gives `work` to the stream. On device 0 it runs now. On device 1 it runs when something waits for the stream. While the stream is
// captured, it is recorded and runs in each launch of the graph, so several times or never.
// So `work` holds by value all that it needs: descriptors are copied into it, host scalars are read before. It must not call enqueue().
// `what` names the call in messages. It is a string literal, as only its address is kept.
// Returns CUDA_SUCCESS, CUDA_ERROR_INVALID_CONTEXT, CUDA_ERROR_INVALID_HANDLE, an error of the capture, or the work's failure.
CUresult enqueue(CUstream stream, std::function<void()> work, const char* what);

// Waits for the stream's work; returns its failure, a single time.
CUresult synchronize(CUstream stream);

// CUDA_SUCCESS where a context is current on the calling thread.
CUresult check_context();
// CUDA_SUCCESS for null (the default stream) and streams of the current context.
CUresult check_stream(CUstream stream);
// Whether work given to the stream would be recorded.
bool is_capturing(CUstream stream);

}  // namespace sltt_cpu
