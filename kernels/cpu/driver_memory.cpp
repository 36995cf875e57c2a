// Driver API: memory, copies, fills.
#include <cstring>
#include <memory>

#include "memory.h"
#include "runtime.h"
#include "stream.h"

using namespace sltt_cpu;

namespace {

// Where one side of a copy lies. A device pointer must be in one allocation of the context's device or in pinned host
// memory; a host pointer must not be device memory.
enum class Side { Host, Device, Either };

struct Place {
    void* pointer;
    bool pinned;  // host memory of the device's: read or written when the copy runs
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
    bool capturing = capture_status(*stream, nullptr) != CU_STREAM_CAPTURE_STATUS_NONE;
    bool later = stream->device == STRICT_DEVICE && !capturing;
    void* t = target.pointer;
    const void* s = source.pointer;
    if (later && !wait && !source.device && !source.pinned) {
        // Pageable memory is read before the call returns.
        auto staged = std::make_shared<std::vector<char>>(static_cast<const char*>(s), static_cast<const char*>(s) + bytes);
        result = enqueue_on(*stream, [=] { copy_bytes(t, staged->data(), bytes); }, what);
    } else {
        result = enqueue_on(*stream, [=] { copy_bytes(t, s, bytes); }, what);
    }
    if (result != CUDA_SUCCESS) return result;
    // Likewise it is written before the call returns.
    bool into_pageable = !target.device && !target.pinned;
    return later && (wait || into_pageable) ? synchronize(*stream) : CUDA_SUCCESS;
}

CUresult fill(CUdeviceptr to, const void* value, size_t value_bytes, size_t count, CUstream handle, bool wait, const char* what) {
    std::shared_ptr<Stream> stream;
    CUresult result = find_stream(handle, &stream);
    if (result != CUDA_SUCCESS || count == 0) return result;
    if (to % value_bytes != 0 || count > SIZE_MAX / value_bytes) return CUDA_ERROR_INVALID_VALUE;
    Place target;
    if ((result = locate(to, count * value_bytes, Side::Device, stream->device, &target)) != CUDA_SUCCESS) return result;
    uint32_t pattern = 0;
    std::memcpy(&pattern, value, value_bytes);
    void* t = target.pointer;
    result = enqueue_on(*stream, [=] { fill_bytes(t, &pattern, value_bytes, count); }, what);
    if (result != CUDA_SUCCESS || !wait || stream->device != STRICT_DEVICE) return result;
    return synchronize(*stream);
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

// Allocation in stream order; the memory is there at once, which is sooner than promised.
SLTT_API CUresult cuMemAllocAsync(CUdeviceptr* pointer, size_t bytes, CUstream stream) {
    CUresult result = check_stream(stream);
    return result == CUDA_SUCCESS ? cuMemAlloc_v2(pointer, bytes) : result;
}
SLTT_API CUresult cuMemFreeAsync(CUdeviceptr pointer, CUstream stream) {
    CUresult result = check_stream(stream);
    return result == CUDA_SUCCESS ? cuMemFree_v2(pointer) : result;
}

SLTT_API CUresult cuMemGetInfo_v2(size_t* free, size_t* total) {
    CUresult result = check_context();
    if (result != CUDA_SUCCESS) return result;
    if (free != nullptr) *free = free_memory();
    if (total != nullptr) *total = total_memory();
    return CUDA_SUCCESS;
}

SLTT_API CUresult cuMemGetAddressRange_v2(CUdeviceptr* base, size_t* size, CUdeviceptr pointer) {
    CUresult result = check_context();
    if (result != CUDA_SUCCESS) return result;
    Allocation a;
    if (!find_allocation(pointer, 1, &a)) return CUDA_ERROR_NOT_FOUND;
    if (base != nullptr) *base = a.base;
    if (size != nullptr) *size = a.size;
    return CUDA_SUCCESS;
}

SLTT_API CUresult cuMemHostAlloc(void** pointer, size_t bytes, unsigned flags) {
    std::shared_ptr<Context> context;
    CUresult result = begin_allocation(&context);
    if (result != CUDA_SUCCESS) return result;
    return flags > 7 ? CUDA_ERROR_INVALID_VALUE : allocate_host(bytes, flags, pointer);
}
SLTT_API CUresult cuMemAllocHost_v2(void** pointer, size_t bytes) { return cuMemHostAlloc(pointer, bytes, 0); }

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

SLTT_API CUresult cuMemHostRegister_v2(void* pointer, size_t bytes, unsigned flags) {
    std::shared_ptr<Context> context;
    CUresult result = begin_allocation(&context);
    return result == CUDA_SUCCESS ? register_host(pointer, bytes, flags) : result;
}

SLTT_API CUresult cuMemHostUnregister(void* pointer) {
    std::shared_ptr<Context> context;
    CUresult result = begin_allocation(&context);
    if (result == CUDA_SUCCESS) result = synchronize_device(context->device);
    return result == CUDA_SUCCESS ? unregister_host(pointer) : result;
}

SLTT_API CUresult cuPointerGetAttribute(void* value, CUpointer_attribute which, CUdeviceptr pointer) {
    CUresult result = check_context();
    if (result != CUDA_SUCCESS) return result;
    Allocation a;
    if (value == nullptr || !find_allocation(pointer, 1, &a)) return CUDA_ERROR_INVALID_VALUE;
    switch (which) {
        case CU_POINTER_ATTRIBUTE_MEMORY_TYPE: *static_cast<unsigned*>(value) = a.host ? CU_MEMORYTYPE_HOST : CU_MEMORYTYPE_DEVICE; break;
        case CU_POINTER_ATTRIBUTE_DEVICE_POINTER: *static_cast<CUdeviceptr*>(value) = pointer; break;
        case CU_POINTER_ATTRIBUTE_HOST_POINTER:
            if (!a.host) return CUDA_ERROR_INVALID_VALUE;
            *static_cast<CUdeviceptr*>(value) = pointer;
            break;
        case CU_POINTER_ATTRIBUTE_IS_MANAGED: *static_cast<unsigned char*>(value) = 0; break;
        case CU_POINTER_ATTRIBUTE_DEVICE_ORDINAL: *static_cast<int*>(value) = a.device; break;
        case CU_POINTER_ATTRIBUTE_RANGE_START_ADDR: *static_cast<CUdeviceptr*>(value) = a.base; break;
        case CU_POINTER_ATTRIBUTE_RANGE_SIZE: *static_cast<size_t*>(value) = a.size; break;
        default: return CUDA_ERROR_NOT_SUPPORTED;
    }
    return CUDA_SUCCESS;
}

SLTT_API CUresult cuMemHostGetDevicePointer_v2(CUdeviceptr* device, void* host, unsigned flags) {
    CUresult result = check_context();
    if (result != CUDA_SUCCESS) return result;
    Allocation a;
    if (device == nullptr || flags != 0 || !find_allocation(reinterpret_cast<uintptr_t>(host), 1, &a) || !a.host) return CUDA_ERROR_INVALID_VALUE;
    *device = reinterpret_cast<uintptr_t>(host);
    return CUDA_SUCCESS;
}

SLTT_API CUresult cuMemHostGetFlags(unsigned* flags, void* host) {
    CUresult result = check_context();
    if (result != CUDA_SUCCESS) return result;
    Allocation a;
    if (flags == nullptr || !find_allocation(reinterpret_cast<uintptr_t>(host), 1, &a) || !a.host) return CUDA_ERROR_INVALID_VALUE;
    *flags = a.flags;
    return CUDA_SUCCESS;
}

// ---- Copies ----------------------------------------------------------------------------------------------------------

#define SLTT_P(host) reinterpret_cast<uintptr_t>(host)

SLTT_API CUresult cuMemcpyHtoD_v2(CUdeviceptr to, const void* from, size_t bytes) {
    return copy(to, Side::Device, SLTT_P(from), Side::Host, bytes, nullptr, true, "cuMemcpyHtoD");
}
SLTT_API CUresult cuMemcpyDtoH_v2(void* to, CUdeviceptr from, size_t bytes) {
    return copy(SLTT_P(to), Side::Host, from, Side::Device, bytes, nullptr, true, "cuMemcpyDtoH");
}
SLTT_API CUresult cuMemcpyDtoD_v2(CUdeviceptr to, CUdeviceptr from, size_t bytes) {
    return copy(to, Side::Device, from, Side::Device, bytes, nullptr, false, "cuMemcpyDtoD");
}
SLTT_API CUresult cuMemcpy(CUdeviceptr to, CUdeviceptr from, size_t bytes) {
    return copy(to, Side::Either, from, Side::Either, bytes, nullptr, true, "cuMemcpy");
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
SLTT_API CUresult cuMemcpyAsync(CUdeviceptr to, CUdeviceptr from, size_t bytes, CUstream stream) {
    return copy(to, Side::Either, from, Side::Either, bytes, stream, false, "cuMemcpyAsync");
}

// ---- Fills -----------------------------------------------------------------------------------------------------------

SLTT_API CUresult cuMemsetD8_v2(CUdeviceptr to, unsigned char value, size_t count) { return fill(to, &value, 1, count, nullptr, true, "cuMemsetD8"); }
SLTT_API CUresult cuMemsetD16_v2(CUdeviceptr to, unsigned short value, size_t count) { return fill(to, &value, 2, count, nullptr, true, "cuMemsetD16"); }
SLTT_API CUresult cuMemsetD32_v2(CUdeviceptr to, unsigned value, size_t count) { return fill(to, &value, 4, count, nullptr, true, "cuMemsetD32"); }
SLTT_API CUresult cuMemsetD8Async(CUdeviceptr to, unsigned char value, size_t count, CUstream stream) {
    return fill(to, &value, 1, count, stream, false, "cuMemsetD8Async");
}
SLTT_API CUresult cuMemsetD16Async(CUdeviceptr to, unsigned short value, size_t count, CUstream stream) {
    return fill(to, &value, 2, count, stream, false, "cuMemsetD16Async");
}
SLTT_API CUresult cuMemsetD32Async(CUdeviceptr to, unsigned value, size_t count, CUstream stream) {
    return fill(to, &value, 4, count, stream, false, "cuMemsetD32Async");
}
