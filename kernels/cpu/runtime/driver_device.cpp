// Driver API: initialisation, devices, contexts.
#include <algorithm>
#include <array>
#include <cstring>

#include "runtime/memory.h"
#include "runtime/objects.h"
#include "runtime/stream.h"

namespace sltt_cpu {
namespace {

using Contexts = HandleTable<Context, CUcontext>;
Contexts& contexts() { return handles<Context, CUcontext>(); }

std::atomic<bool> initialized{false};

struct Primary {
    std::mutex mutex;
    std::shared_ptr<Context> context;
    int retained = 0;
};
std::array<Primary, DEVICE_COUNT>& primaries() {
    static auto* list = new std::array<Primary, DEVICE_COUNT>;
    return *list;
}

thread_local std::vector<CUcontext> context_stack;

bool is_device(CUdevice device) { return device >= 0 && device < DEVICE_COUNT; }

std::shared_ptr<Context> make_context(int device, bool primary) {
    auto context = std::make_shared<Context>();
    context->device = device;
    context->primary = primary;
    context->default_stream = make_stream(context, true);
    contexts().add(context);
    return context;
}

// Ends the context: its work runs first, then its streams and memory go.
void end_context(std::shared_ptr<Context>& context) {
    synchronize_device(context->device);
    for (auto& stream : streams().all())
        if (stream->context.lock() == context) streams().remove(reinterpret_cast<CUstream>(stream.get()));
    contexts().remove(reinterpret_cast<CUcontext>(context.get()));
    free_all(context.get());
    context.reset();
}

// Attributes of things that this device does not have (textures, clusters, clocks) are 0.
int attribute(CUdevice_attribute which) {
    switch (which) {
        case CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_BLOCK: return 1024;
        case CU_DEVICE_ATTRIBUTE_MAX_BLOCK_DIM_X: return 1024;
        case CU_DEVICE_ATTRIBUTE_MAX_BLOCK_DIM_Y: return 1024;
        case CU_DEVICE_ATTRIBUTE_MAX_BLOCK_DIM_Z: return 64;
        case CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_X: return 2147483647;
        case CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_Y: return 65535;
        case CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_Z: return 65535;
        case CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK: return 48 * 1024;
        case CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN: return 48 * 1024;
        case CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_MULTIPROCESSOR: return 48 * 1024;
        case CU_DEVICE_ATTRIBUTE_TOTAL_CONSTANT_MEMORY: return 64 * 1024;
        case CU_DEVICE_ATTRIBUTE_WARP_SIZE: return 32;
        case CU_DEVICE_ATTRIBUTE_MAX_PITCH: return 2147483647;
        case CU_DEVICE_ATTRIBUTE_MAX_REGISTERS_PER_BLOCK: return 65536;
        case CU_DEVICE_ATTRIBUTE_MAX_REGISTERS_PER_MULTIPROCESSOR: return 65536;
        case CU_DEVICE_ATTRIBUTE_TEXTURE_ALIGNMENT: return 512;
        // The same on every machine: launch shapes, and so the order of sums, must not depend on the number of cores.
        case CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT: return 16;
        case CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_MULTIPROCESSOR: return 2048;
        case CU_DEVICE_ATTRIBUTE_INTEGRATED: return 1;
        case CU_DEVICE_ATTRIBUTE_CAN_MAP_HOST_MEMORY: return 1;
        case CU_DEVICE_ATTRIBUTE_UNIFIED_ADDRESSING: return 1;
        case CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR: return 9;
        case CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR: return 0;
        default: return 0;
    }
}

}  // namespace

CUresult require_initialized() { return initialized ? CUDA_SUCCESS : CUDA_ERROR_NOT_INITIALIZED; }

std::shared_ptr<Context> current_context() {
    return context_stack.empty() || context_stack.back() == nullptr ? nullptr : contexts().find(context_stack.back());
}

}  // namespace sltt_cpu

using namespace sltt_cpu;

#define SLTT_REQUIRE_INIT() \
    if (require_initialized() != CUDA_SUCCESS) return CUDA_ERROR_NOT_INITIALIZED

// ---- Devices ---------------------------------------------------------------------------------------------------------

SLTT_API CUresult cuInit(unsigned flags) {
    if (flags != 0) return CUDA_ERROR_INVALID_VALUE;
    initialized = true;
    return CUDA_SUCCESS;
}

SLTT_API CUresult cuDeviceGetCount(int* count) {
    SLTT_REQUIRE_INIT();
    if (count == nullptr) return CUDA_ERROR_INVALID_VALUE;
    *count = DEVICE_COUNT;
    return CUDA_SUCCESS;
}

SLTT_API CUresult cuDeviceGet(CUdevice* device, int ordinal) {
    SLTT_REQUIRE_INIT();
    if (device == nullptr) return CUDA_ERROR_INVALID_VALUE;
    if (!is_device(ordinal)) return CUDA_ERROR_INVALID_DEVICE;
    *device = ordinal;
    return CUDA_SUCCESS;
}

SLTT_API CUresult cuDeviceGetName(char* name, int length, CUdevice device) {
    SLTT_REQUIRE_INIT();
    if (!is_device(device)) return CUDA_ERROR_INVALID_DEVICE;
    if (name == nullptr || length <= 0) return CUDA_ERROR_INVALID_VALUE;
    const char* text = device == STRICT_DEVICE ? "CPU (faithful)" : "CPU";
    size_t n = std::min(std::strlen(text), (size_t)length - 1);
    std::memcpy(name, text, n);
    name[n] = 0;
    return CUDA_SUCCESS;
}

SLTT_API CUresult cuDeviceTotalMem_v2(size_t* bytes, CUdevice device) {
    SLTT_REQUIRE_INIT();
    if (bytes == nullptr) return CUDA_ERROR_INVALID_VALUE;
    if (!is_device(device)) return CUDA_ERROR_INVALID_DEVICE;
    *bytes = total_memory();
    return CUDA_SUCCESS;
}

SLTT_API CUresult cuDeviceGetAttribute(int* value, CUdevice_attribute which, CUdevice device) {
    SLTT_REQUIRE_INIT();
    if (value == nullptr || (int)which < 1 || (int)which > 200) return CUDA_ERROR_INVALID_VALUE;
    if (!is_device(device)) return CUDA_ERROR_INVALID_DEVICE;
    *value = attribute(which);
    return CUDA_SUCCESS;
}

// ---- Contexts --------------------------------------------------------------------------------------------------------

SLTT_API CUresult cuDevicePrimaryCtxRetain(CUcontext* handle, CUdevice device) {
    SLTT_REQUIRE_INIT();
    if (handle == nullptr) return CUDA_ERROR_INVALID_VALUE;
    if (!is_device(device)) return CUDA_ERROR_INVALID_DEVICE;
    Primary& p = primaries()[(size_t)device];
    std::lock_guard lock(p.mutex);
    if (!p.context) p.context = make_context(device, true);
    ++p.retained;
    *handle = reinterpret_cast<CUcontext>(p.context.get());
    return CUDA_SUCCESS;
}

SLTT_API CUresult cuDevicePrimaryCtxRelease_v2(CUdevice device) {
    SLTT_REQUIRE_INIT();
    if (!is_device(device)) return CUDA_ERROR_INVALID_DEVICE;
    Primary& p = primaries()[(size_t)device];
    std::lock_guard lock(p.mutex);
    if (p.retained == 0) return CUDA_ERROR_INVALID_CONTEXT;
    if (--p.retained == 0) end_context(p.context);
    return CUDA_SUCCESS;
}

SLTT_API CUresult cuCtxCreate_v2(CUcontext* handle, unsigned, CUdevice device) {
    SLTT_REQUIRE_INIT();
    if (handle == nullptr) return CUDA_ERROR_INVALID_VALUE;
    if (!is_device(device)) return CUDA_ERROR_INVALID_DEVICE;
    *handle = reinterpret_cast<CUcontext>(make_context(device, false).get());
    context_stack.push_back(*handle);
    return CUDA_SUCCESS;
}

SLTT_API CUresult cuCtxDestroy_v2(CUcontext handle) {
    SLTT_REQUIRE_INIT();
    auto context = contexts().find(handle);
    if (!context || context->primary) return CUDA_ERROR_INVALID_CONTEXT;
    end_context(context);
    if (!context_stack.empty() && context_stack.back() == handle) context_stack.pop_back();
    return CUDA_SUCCESS;
}

SLTT_API CUresult cuCtxSetCurrent(CUcontext handle) {
    SLTT_REQUIRE_INIT();
    if (handle != nullptr && !contexts().find(handle)) return CUDA_ERROR_INVALID_CONTEXT;
    if (!context_stack.empty()) context_stack.pop_back();
    if (handle != nullptr) context_stack.push_back(handle);
    return CUDA_SUCCESS;
}

SLTT_API CUresult cuCtxGetCurrent(CUcontext* handle) {
    SLTT_REQUIRE_INIT();
    if (handle == nullptr) return CUDA_ERROR_INVALID_VALUE;
    *handle = reinterpret_cast<CUcontext>(current_context().get());
    return CUDA_SUCCESS;
}

SLTT_API CUresult cuCtxPushCurrent_v2(CUcontext handle) {
    SLTT_REQUIRE_INIT();
    if (!contexts().find(handle)) return CUDA_ERROR_INVALID_CONTEXT;
    context_stack.push_back(handle);
    return CUDA_SUCCESS;
}

SLTT_API CUresult cuCtxPopCurrent_v2(CUcontext* handle) {
    SLTT_REQUIRE_INIT();
    if (context_stack.empty()) return CUDA_ERROR_INVALID_CONTEXT;
    if (handle != nullptr) *handle = context_stack.back();
    context_stack.pop_back();
    return CUDA_SUCCESS;
}

SLTT_API CUresult cuCtxSynchronize() {
    CUresult result = check_context();
    return result == CUDA_SUCCESS ? synchronize_device(current_context()->device) : result;
}
