// Work on streams. Everything that the device does - kernels, copies, cuDNN and cuBLAS calls - goes through enqueue().
#pragma once
#include <functional>
#include <string>

#include "cuda_api.h"

namespace sltt_cpu {

// Thrown by work that cannot be done; enqueue() or the call that waits for the work returns `result`.
// Any other exception that work throws becomes CUDA_ERROR_LAUNCH_FAILED.
struct DeviceError {
    CUresult result;
    std::string message;
};

// Gives `work` to the stream: it runs now (device 0), is recorded where the stream is being captured (and runs in each
// launch of the graph, several times or never), or waits until something waits for the stream (device 1).
// So `work` holds by value all it needs: descriptors are copied into it, host scalars read before. It must not call
// enqueue(). `what` names the call in messages; a string literal, its address is kept.
// CUDA_SUCCESS; CUDA_ERROR_INVALID_CONTEXT, CUDA_ERROR_INVALID_HANDLE; capture errors; or what the work failed with.
CUresult enqueue(CUstream stream, std::function<void()> work, const char* what);

// CUDA_SUCCESS where a context is current on the calling thread.
CUresult check_context();
// CUDA_SUCCESS for the null stream, CU_STREAM_LEGACY, CU_STREAM_PER_THREAD and streams of the current context.
CUresult check_stream(CUstream stream);
// CUDA_SUCCESS if [pointer, pointer + bytes) lies in one live device allocation; else CUDA_ERROR_INVALID_VALUE.
// Also for bytes = 0: the pointer must be in an allocation or at its end.
CUresult check_device_range(CUdeviceptr pointer, size_t bytes);
// Whether work given to the stream would be recorded.
bool is_capturing(CUstream stream);

// Threads that work may use (SLTT_CPU_THREADS, else OMP_NUM_THREADS, else all cores); set for OpenMP wherever work runs.
int thread_count();

// One line on stderr: "sltt_cpu: <text>".
void report(const std::string& text);
// The text of the latest one.
std::string last_message();

}  // namespace sltt_cpu
