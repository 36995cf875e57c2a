// Names and descriptions of results.
#include "cuda_api.h"

namespace {

struct Result {
    CUresult value;
    const char *name, *text;
};
#define SLTT_RESULT(name, text) {name, #name, text}
constexpr Result RESULTS[] = {
    SLTT_RESULT(CUDA_SUCCESS, "no error"),
    SLTT_RESULT(CUDA_ERROR_INVALID_VALUE, "invalid argument"),
    SLTT_RESULT(CUDA_ERROR_OUT_OF_MEMORY, "out of memory"),
    SLTT_RESULT(CUDA_ERROR_NOT_INITIALIZED, "initialization error"),
    SLTT_RESULT(CUDA_ERROR_DEINITIALIZED, "driver shutting down"),
    SLTT_RESULT(CUDA_ERROR_NO_DEVICE, "no CUDA-capable device is detected"),
    SLTT_RESULT(CUDA_ERROR_INVALID_DEVICE, "invalid device ordinal"),
    SLTT_RESULT(CUDA_ERROR_INVALID_IMAGE, "device kernel image is invalid"),
    SLTT_RESULT(CUDA_ERROR_INVALID_CONTEXT, "invalid device context"),
    SLTT_RESULT(CUDA_ERROR_NO_BINARY_FOR_GPU, "no kernel image is available for execution on the device"),
    SLTT_RESULT(CUDA_ERROR_UNSUPPORTED_LIMIT, "limit is not supported on this architecture"),
    SLTT_RESULT(CUDA_ERROR_INVALID_PTX, "a PTX JIT compilation failed"),
    SLTT_RESULT(CUDA_ERROR_INVALID_SOURCE, "device kernel source is invalid"),
    SLTT_RESULT(CUDA_ERROR_FILE_NOT_FOUND, "file not found"),
    SLTT_RESULT(CUDA_ERROR_OPERATING_SYSTEM, "OS call failed or operation not supported on this OS"),
    SLTT_RESULT(CUDA_ERROR_INVALID_HANDLE, "invalid resource handle"),
    SLTT_RESULT(CUDA_ERROR_ILLEGAL_STATE, "the operation cannot be performed in the present state"),
    SLTT_RESULT(CUDA_ERROR_NOT_FOUND, "named symbol not found"),
    SLTT_RESULT(CUDA_ERROR_NOT_READY, "device not ready"),
    SLTT_RESULT(CUDA_ERROR_ILLEGAL_ADDRESS, "an illegal memory access was encountered"),
    SLTT_RESULT(CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES, "too many resources requested for launch"),
    SLTT_RESULT(CUDA_ERROR_PRIMARY_CONTEXT_ACTIVE, "cannot set while device is active in this process"),
    SLTT_RESULT(CUDA_ERROR_CONTEXT_IS_DESTROYED, "context is destroyed"),
    SLTT_RESULT(CUDA_ERROR_HOST_MEMORY_ALREADY_REGISTERED, "part or all of the requested memory range is already mapped"),
    SLTT_RESULT(CUDA_ERROR_HOST_MEMORY_NOT_REGISTERED, "pointer does not correspond to a registered memory region"),
    SLTT_RESULT(CUDA_ERROR_MISALIGNED_ADDRESS, "misaligned address"),
    SLTT_RESULT(CUDA_ERROR_LAUNCH_FAILED, "unspecified launch failure"),
    SLTT_RESULT(CUDA_ERROR_NOT_PERMITTED, "operation not permitted"),
    SLTT_RESULT(CUDA_ERROR_NOT_SUPPORTED, "operation not supported"),
    SLTT_RESULT(CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, "operation not permitted when stream is capturing"),
    SLTT_RESULT(CUDA_ERROR_STREAM_CAPTURE_INVALIDATED, "operation failed due to a previous error during capture"),
    SLTT_RESULT(CUDA_ERROR_STREAM_CAPTURE_MERGE, "operation would result in a merge of separate capture sequences"),
    SLTT_RESULT(CUDA_ERROR_STREAM_CAPTURE_UNMATCHED, "capture was not ended in the same stream as it began"),
    SLTT_RESULT(CUDA_ERROR_STREAM_CAPTURE_UNJOINED, "capturing stream has unjoined work"),
    SLTT_RESULT(CUDA_ERROR_STREAM_CAPTURE_ISOLATION, "dependency created on uncaptured work in another stream"),
    SLTT_RESULT(CUDA_ERROR_STREAM_CAPTURE_IMPLICIT, "operation would make the legacy stream depend on a capturing blocking stream"),
    SLTT_RESULT(CUDA_ERROR_CAPTURED_EVENT, "operation not permitted on an event last recorded in a capturing stream"),
    SLTT_RESULT(CUDA_ERROR_STREAM_CAPTURE_WRONG_THREAD, "attempt to terminate a thread-local capture sequence from another thread"),
    SLTT_RESULT(CUDA_ERROR_UNKNOWN, "unknown error"),
};

const Result* find(CUresult value) {
    for (const Result& r : RESULTS)
        if (r.value == value) return &r;
    return nullptr;
}

}  // namespace

SLTT_API CUresult cuGetErrorName(CUresult error, const char** text) {
    if (text == nullptr) return CUDA_ERROR_INVALID_VALUE;
    const Result* r = find(error);
    *text = r == nullptr ? nullptr : r->name;
    return r == nullptr ? CUDA_ERROR_INVALID_VALUE : CUDA_SUCCESS;
}

SLTT_API CUresult cuGetErrorString(CUresult error, const char** text) {
    if (text == nullptr) return CUDA_ERROR_INVALID_VALUE;
    const Result* r = find(error);
    *text = r == nullptr ? nullptr : r->text;
    return r == nullptr ? CUDA_ERROR_INVALID_VALUE : CUDA_SUCCESS;
}
