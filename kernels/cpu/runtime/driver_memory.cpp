// Driver API: memory, copies, fills.
#include <cstring>
#include <memory>

#include "runtime/execution.h"
#include "runtime/memory.h"
#include "runtime/objects.h"
#include "runtime/stream.h"

using namespace sltt_cpu;

namespace {

// Where one side of a copy lies. A device pointer must be in one allocation of the context's device or in pinned host memory. A host
// pointer must not be device memory.
enum class Side { Host, Device };

struct Place {
    void* pointer;
    bool pinned;  // host memory that is read or written when the copy runs
    bool device;
};

CUresult locate(uintptr_t p, size_t bytes, Side side, int device, Place* place) {
    if (p == 0) return CUDA_ERROR_INVALID_VALUE;
    Allocation a;
    bool known = find_allocation(p, 0, &a);
    if (known && !a.contains(p, bytes)) return CUDA_ERROR_INVALID_VALUE;
    bool on_device = known && !a.host;
    if (side == Side::Host && on_device) return CUDA_ERROR_INVALID_VALUE;
    if (side == Side::Device && !known) return CUDA_ERROR_INVALID_VALUE;
    if (on_device && a.device != device) return CUDA_ERROR_INVALID_VALUE;
    *place = {reinterpret_cast<void*>(p), known && a.host, on_device};
    return CUDA_SUCCESS;
}

CUresult copy(uintptr_t to, Side to_side, uintptr_t from, Side from_side, size_t bytes, CUstream handle, bool wait, const char* what) {
    std::shared_ptr<Stream> stream;
    CUresult result = find_stream(handle, &stream);
    if (result != CUDA_SUCCESS || bytes == 0) return result;
    Place target, source;
    if ((result = locate(to, bytes, to_side, stream->device, &target)) != CUDA_SUCCESS) return result;
    if ((result = locate(from, bytes, from_side, stream->device, &source)) != CUDA_SUCCESS) return result;
    bool capturing = is_captured(*stream);
    bool deferred = stream->device == STRICT_DEVICE && !capturing;
    void* t = target.pointer;
    const void* s = source.pointer;
    if (deferred && !wait && !source.device && !source.pinned) {
        // Pageable memory is read before the call returns.
        auto staged = std::make_shared<std::vector<char>>(static_cast<const char*>(s), static_cast<const char*>(s) + bytes);
        result = enqueue_on(*stream, [=] { copy_bytes(t, staged->data(), bytes); }, what);
    } else {
        result = enqueue_command(*stream, {[=] { copy_bytes(t, s, bytes); }, what, CU_GRAPH_NODE_TYPE_MEMCPY, {}});
    }
    if (result != CUDA_SUCCESS) return result;
    // Pageable memory is written before the call returns.
    bool into_pageable = !target.device && !target.pinned;
    return deferred && (wait || into_pageable) ? synchronize(*stream) : CUDA_SUCCESS;
}

CUresult fill(CUdeviceptr to, const void* value, size_t value_bytes, size_t count, CUstream handle, const char* what) {
    std::shared_ptr<Stream> stream;
    CUresult result = find_stream(handle, &stream);
    if (result != CUDA_SUCCESS || count == 0) return result;
    if (to % value_bytes != 0 || count > SIZE_MAX / value_bytes) return CUDA_ERROR_INVALID_VALUE;
    Place target;
    if ((result = locate(to, count * value_bytes, Side::Device, stream->device, &target)) != CUDA_SUCCESS) return result;
    uint32_t pattern = 0;
    std::memcpy(&pattern, value, value_bytes);
    void* t = target.pointer;
    CUDA_MEMSET_NODE_PARAMS params = {to, 0, pattern, (unsigned)value_bytes, count, 1};
    return enqueue_command(
        *stream, {[=] { fill_bytes(t, &pattern, value_bytes, count); }, what, CU_GRAPH_NODE_TYPE_MEMSET, params});
}

// Allocations and frees are not allowed while a stream is captured.
CUresult begin_allocation(std::shared_ptr<Context>* context) {
    CUresult result = check_context();
    if (result != CUDA_SUCCESS) return result;
    *context = current_context();
    return check_no_capture();
}

}  // namespace

// ---- Allocation ------------------------------------------------------------------------------------------------------

SLTT_API CUresult cuMemAlloc_v2(CUdeviceptr* pointer, size_t bytes) {
    std::shared_ptr<Context> context;
    CUresult result = begin_allocation(&context);
    return result == CUDA_SUCCESS ? allocate_device(context->device, context.get(), bytes, pointer) : result;
}

// Waits for the device's work first, as the driver does.
SLTT_API CUresult cuMemFree_v2(CUdeviceptr pointer) {
    std::shared_ptr<Context> context;
    CUresult result = begin_allocation(&context);
    if (result != CUDA_SUCCESS) return result;
    Allocation a;
    if (find_allocation(pointer, 0, &a) && (result = synchronize_device(a.device)) != CUDA_SUCCESS) {
        free_device(pointer);
        return result;
    }
    return free_device(pointer);
}

SLTT_API CUresult cuMemGetInfo_v2(size_t* free, size_t* total) {
    CUresult result = check_context();
    if (result != CUDA_SUCCESS) return result;
    if (free != nullptr) *free = free_memory();
    if (total != nullptr) *total = total_memory();
    return CUDA_SUCCESS;
}

SLTT_API CUresult cuMemHostAlloc(void** pointer, size_t bytes, unsigned flags) {
    std::shared_ptr<Context> context;
    CUresult result = begin_allocation(&context);
    if (result != CUDA_SUCCESS) return result;
    // The flags (portable, mapped, write-combined) change nothing here.
    return flags > 7 ? CUDA_ERROR_INVALID_VALUE : allocate_host(bytes, pointer);
}

SLTT_API CUresult cuMemFreeHost(void* pointer) {
    std::shared_ptr<Context> context;
    CUresult result = begin_allocation(&context);
    if (result != CUDA_SUCCESS) return result;
    if (pointer == nullptr) return CUDA_SUCCESS;
    // Copies that have not run yet may still read or write it.
    if ((result = synchronize_device(context->device)) != CUDA_SUCCESS) {
        free_host(pointer);
        return result;
    }
    return free_host(pointer);
}

// ---- Copies ----------------------------------------------------------------------------------------------------------

#define SLTT_P(host) reinterpret_cast<uintptr_t>(host)

// The two copies without a stream run on the default stream, which they wait for.
SLTT_API CUresult cuMemcpyHtoD_v2(CUdeviceptr to, const void* from, size_t bytes) {
    return copy(to, Side::Device, SLTT_P(from), Side::Host, bytes, nullptr, true, "cuMemcpyHtoD");
}
SLTT_API CUresult cuMemcpyDtoH_v2(void* to, CUdeviceptr from, size_t bytes) {
    return copy(SLTT_P(to), Side::Host, from, Side::Device, bytes, nullptr, true, "cuMemcpyDtoH");
}
SLTT_API CUresult cuMemcpyHtoDAsync_v2(CUdeviceptr to, const void* from, size_t bytes, CUstream stream) {
    return copy(to, Side::Device, SLTT_P(from), Side::Host, bytes, stream, false, "cuMemcpyHtoDAsync");
}
SLTT_API CUresult cuMemcpyDtoHAsync_v2(void* to, CUdeviceptr from, size_t bytes, CUstream stream) {
    return copy(SLTT_P(to), Side::Host, from, Side::Device, bytes, stream, false, "cuMemcpyDtoHAsync");
}
SLTT_API CUresult cuMemcpyDtoDAsync_v2(CUdeviceptr to, CUdeviceptr from, size_t bytes, CUstream stream) {
    return copy(to, Side::Device, from, Side::Device, bytes, stream, false, "cuMemcpyDtoDAsync");
}

// ---- Fills -----------------------------------------------------------------------------------------------------------

SLTT_API CUresult cuMemsetD8Async(CUdeviceptr to, unsigned char value, size_t count, CUstream stream) {
    return fill(to, &value, 1, count, stream, "cuMemsetD8Async");
}
SLTT_API CUresult cuMemsetD32Async(CUdeviceptr to, unsigned value, size_t count, CUstream stream) {
    return fill(to, &value, 4, count, stream, "cuMemsetD32Async");
}
