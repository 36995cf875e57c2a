// Driver API: initialisation, devices, contexts.
#include <algorithm>
#include <array>
#include <cstring>
#include <string>

#include "launch.h"
#include "memory.h"
#include "runtime.h"
#include "stream.h"

namespace sltt_cpu {
namespace {

constexpr int DRIVER_VERSION = 12080;  // the API level served
constexpr unsigned API_VERSION = 3020;

using Contexts = HandleTable<Context, CUcontext>;
Contexts& contexts() { return handles<Context, CUcontext>(); }

std::atomic<bool> initialized{false};

struct Primary {
    std::mutex mutex;
    std::shared_ptr<Context> context;
    int retained = 0;
    unsigned flags = 0;
};
std::array<Primary, DEVICE_COUNT>& primaries() {
    static auto* list = new std::array<Primary, DEVICE_COUNT>;
    return *list;
}

thread_local std::vector<CUcontext> context_stack;

bool is_device(CUdevice device) { return device >= 0 && device < DEVICE_COUNT; }

std::shared_ptr<Context> make_context(int device, bool primary, unsigned flags) {
    auto context = std::make_shared<Context>();
    context->device = device;
    context->primary = primary;
    context->flags = flags;
    context->api_version = API_VERSION;
    context->null_stream = make_stream(context, CU_STREAM_DEFAULT, 0, true);
    contexts().add(context);
    return context;
}

void destroy_streams(const std::shared_ptr<Context>& context) {
    for (auto& stream : streams().all())
        if (stream->context.lock() == context) streams().remove(reinterpret_cast<CUstream>(stream.get()));
}

int attribute(CUdevice_attribute which, bool* known) {
    *known = true;
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
        // The same on every machine: launch shapes, and with them the order of sums, do not depend on the cores.
        case CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT: return 16;
        case CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_MULTIPROCESSOR: return 2048;
        case CU_DEVICE_ATTRIBUTE_INTEGRATED: return 1;
        case CU_DEVICE_ATTRIBUTE_CAN_MAP_HOST_MEMORY: return 1;
        case CU_DEVICE_ATTRIBUTE_UNIFIED_ADDRESSING: return 1;
        case CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR: return 9;
        case CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR: return 0;
        default: break;
    }
    *known = false;
    return 0;
}

}  // namespace

CUresult require_initialized() { return initialized ? CUDA_SUCCESS : CUDA_ERROR_NOT_INITIALIZED; }

std::shared_ptr<Context> current_context() {
    return context_stack.empty() || context_stack.back() == nullptr ? nullptr : contexts().find(context_stack.back());
}

}  // namespace sltt_cpu

using namespace sltt_cpu;

#define SLTT_REQUIRE_INIT()                        \
    if (require_initialized() != CUDA_SUCCESS) return CUDA_ERROR_NOT_INITIALIZED

// ---- Devices ---------------------------------------------------------------------------------------------------------

SLTT_API CUresult cuInit(unsigned flags) {
    if (flags != 0) return CUDA_ERROR_INVALID_VALUE;
    initialized = true;
    return CUDA_SUCCESS;
}

SLTT_API CUresult cuDriverGetVersion(int* version) {
    if (version == nullptr) return CUDA_ERROR_INVALID_VALUE;
    *version = DRIVER_VERSION;
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

SLTT_API CUresult cuDeviceGetUuid_v2(CUuuid* uuid, CUdevice device) {
    SLTT_REQUIRE_INIT();
    if (uuid == nullptr) return CUDA_ERROR_INVALID_VALUE;
    if (!is_device(device)) return CUDA_ERROR_INVALID_DEVICE;
    std::memset(uuid->bytes, 0, sizeof uuid->bytes);
    std::memcpy(uuid->bytes, "sltt-cpu", 8);
    uuid->bytes[15] = (char)device;
    return CUDA_SUCCESS;
}

SLTT_API CUresult cuDeviceTotalMem_v2(size_t* bytes, CUdevice device) {
    SLTT_REQUIRE_INIT();
    if (bytes == nullptr) return CUDA_ERROR_INVALID_VALUE;
    if (!is_device(device)) return CUDA_ERROR_INVALID_DEVICE;
    *bytes = total_memory();
    return CUDA_SUCCESS;
}

// Attributes of things that this device does not have (textures, clusters, ...) are 0.
SLTT_API CUresult cuDeviceGetAttribute(int* value, CUdevice_attribute which, CUdevice device) {
    SLTT_REQUIRE_INIT();
    if (value == nullptr || (int)which < 1 || (int)which > 200) return CUDA_ERROR_INVALID_VALUE;
    if (!is_device(device)) return CUDA_ERROR_INVALID_DEVICE;
    bool known;
    *value = attribute(which, &known);
    return CUDA_SUCCESS;
}

SLTT_API CUresult cuDeviceComputeCapability(int* major, int* minor, CUdevice device) {
    SLTT_REQUIRE_INIT();
    if (major == nullptr || minor == nullptr) return CUDA_ERROR_INVALID_VALUE;
    if (!is_device(device)) return CUDA_ERROR_INVALID_DEVICE;
    *major = 9;
    *minor = 0;
    return CUDA_SUCCESS;
}

SLTT_API CUresult cuDeviceCanAccessPeer(int* can, CUdevice device, CUdevice peer) {
    SLTT_REQUIRE_INIT();
    if (can == nullptr) return CUDA_ERROR_INVALID_VALUE;
    if (!is_device(device) || !is_device(peer)) return CUDA_ERROR_INVALID_DEVICE;
    *can = 0;
    return CUDA_SUCCESS;
}

// ---- Primary contexts ------------------------------------------------------------------------------------------------

SLTT_API CUresult cuDevicePrimaryCtxRetain(CUcontext* handle, CUdevice device) {
    SLTT_REQUIRE_INIT();
    if (handle == nullptr) return CUDA_ERROR_INVALID_VALUE;
    if (!is_device(device)) return CUDA_ERROR_INVALID_DEVICE;
    Primary& p = primaries()[(size_t)device];
    std::lock_guard lock(p.mutex);
    if (!p.context) p.context = make_context(device, true, p.flags);
    ++p.retained;
    *handle = reinterpret_cast<CUcontext>(p.context.get());
    return CUDA_SUCCESS;
}

namespace {
// Ends the context: its work is done first, its memory and streams go.
void end_context(std::shared_ptr<Context>& context) {
    synchronize_device(context->device);
    destroy_streams(context);
    contexts().remove(reinterpret_cast<CUcontext>(context.get()));
    free_all(context.get());
    context.reset();
}
}  // namespace

SLTT_API CUresult cuDevicePrimaryCtxRelease_v2(CUdevice device) {
    SLTT_REQUIRE_INIT();
    if (!is_device(device)) return CUDA_ERROR_INVALID_DEVICE;
    Primary& p = primaries()[(size_t)device];
    std::lock_guard lock(p.mutex);
    if (p.retained == 0) return CUDA_ERROR_INVALID_CONTEXT;
    if (--p.retained == 0) end_context(p.context);
    return CUDA_SUCCESS;
}
SLTT_API CUresult cuDevicePrimaryCtxRelease(CUdevice device) { return cuDevicePrimaryCtxRelease_v2(device); }

SLTT_API CUresult cuDevicePrimaryCtxReset_v2(CUdevice device) {
    SLTT_REQUIRE_INIT();
    if (!is_device(device)) return CUDA_ERROR_INVALID_DEVICE;
    Primary& p = primaries()[(size_t)device];
    std::lock_guard lock(p.mutex);
    if (p.context) end_context(p.context);
    p.retained = 0;
    return CUDA_SUCCESS;
}
SLTT_API CUresult cuDevicePrimaryCtxReset(CUdevice device) { return cuDevicePrimaryCtxReset_v2(device); }

SLTT_API CUresult cuDevicePrimaryCtxSetFlags_v2(CUdevice device, unsigned flags) {
    SLTT_REQUIRE_INIT();
    if (!is_device(device)) return CUDA_ERROR_INVALID_DEVICE;
    Primary& p = primaries()[(size_t)device];
    std::lock_guard lock(p.mutex);
    p.flags = flags;
    return CUDA_SUCCESS;
}
SLTT_API CUresult cuDevicePrimaryCtxSetFlags(CUdevice device, unsigned flags) { return cuDevicePrimaryCtxSetFlags_v2(device, flags); }

SLTT_API CUresult cuDevicePrimaryCtxGetState(CUdevice device, unsigned* flags, int* active) {
    SLTT_REQUIRE_INIT();
    if (flags == nullptr || active == nullptr) return CUDA_ERROR_INVALID_VALUE;
    if (!is_device(device)) return CUDA_ERROR_INVALID_DEVICE;
    Primary& p = primaries()[(size_t)device];
    std::lock_guard lock(p.mutex);
    *flags = p.flags;
    *active = p.context ? 1 : 0;
    return CUDA_SUCCESS;
}

// ---- Contexts --------------------------------------------------------------------------------------------------------

SLTT_API CUresult cuCtxCreate_v2(CUcontext* handle, unsigned flags, CUdevice device) {
    SLTT_REQUIRE_INIT();
    if (handle == nullptr) return CUDA_ERROR_INVALID_VALUE;
    if (!is_device(device)) return CUDA_ERROR_INVALID_DEVICE;
    auto context = make_context(device, false, flags);
    *handle = reinterpret_cast<CUcontext>(context.get());
    context_stack.push_back(*handle);
    return CUDA_SUCCESS;
}
// As cuCtxCreate_v2; execution affinities are not served.
SLTT_API CUresult cuCtxCreate_v4(CUcontext* handle, void* parameters, unsigned flags, CUdevice device) {
    return parameters == nullptr ? cuCtxCreate_v2(handle, flags, device) : CUDA_ERROR_NOT_SUPPORTED;
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

SLTT_API CUresult cuCtxGetDevice(CUdevice* device) {
    SLTT_REQUIRE_INIT();
    if (device == nullptr) return CUDA_ERROR_INVALID_VALUE;
    auto context = current_context();
    if (!context) return CUDA_ERROR_INVALID_CONTEXT;
    *device = context->device;
    return CUDA_SUCCESS;
}

SLTT_API CUresult cuCtxGetFlags(unsigned* flags) {
    SLTT_REQUIRE_INIT();
    if (flags == nullptr) return CUDA_ERROR_INVALID_VALUE;
    auto context = current_context();
    if (!context) return CUDA_ERROR_INVALID_CONTEXT;
    *flags = context->flags;
    return CUDA_SUCCESS;
}

SLTT_API CUresult cuCtxGetApiVersion(CUcontext handle, unsigned* version) {
    SLTT_REQUIRE_INIT();
    if (version == nullptr) return CUDA_ERROR_INVALID_VALUE;
    auto context = handle == nullptr ? current_context() : contexts().find(handle);
    if (!context) return CUDA_ERROR_INVALID_CONTEXT;
    *version = context->api_version;
    return CUDA_SUCCESS;
}

SLTT_API CUresult cuCtxGetStreamPriorityRange(int* least, int* greatest) {
    CUresult result = check_context();
    if (result != CUDA_SUCCESS) return result;
    if (least != nullptr) *least = 0;
    if (greatest != nullptr) *greatest = 0;
    return CUDA_SUCCESS;
}

// Stack, heap and printf sizes are not what limits a kernel here.
SLTT_API CUresult cuCtxGetLimit(size_t*, int) {
    CUresult result = check_context();
    return result == CUDA_SUCCESS ? CUDA_ERROR_UNSUPPORTED_LIMIT : result;
}
SLTT_API CUresult cuCtxSetLimit(int, size_t) {
    CUresult result = check_context();
    return result == CUDA_SUCCESS ? CUDA_ERROR_UNSUPPORTED_LIMIT : result;
}

SLTT_API CUresult cuCtxSynchronize() {
    CUresult result = check_context();
    return result == CUDA_SUCCESS ? synchronize_device(current_context()->device) : result;
}

// ---- The device's own queries ----------------------------------------------------------------------------------------

// Bytes of device memory in use at most since the process started or sltt_cpu_reset_peak_memory(device); 0 for a device
// that is not there.
SLTT_API unsigned long long sltt_cpu_peak_memory(int device) { return is_device(device) ? peak_memory(device) : 0; }
SLTT_API void sltt_cpu_reset_peak_memory(int device) {
    if (is_device(device)) reset_peak_memory(device);
}
// The instruction set that the fast kernels were compiled for: "v2", "v3" or "v4" of x86-64.
SLTT_API const char* sltt_cpu_instruction_set() { return instruction_set(); }
// The last line that the device wrote on stderr, without "sltt_cpu: "; "" before the first. Valid until the calling
// thread asks again.
SLTT_API const char* sltt_cpu_last_message() {
    static thread_local std::string copy;
    copy = last_message();
    return copy.c_str();
}
// Threads that the device works with.
SLTT_API int sltt_cpu_threads() { return thread_count(); }
