// Driver API: modules, functions, launches.
#include <cstdio>
#include <cstring>

#include "launch.h"
#include "memory.h"
#include "runtime.h"
#include "stream.h"

using namespace sltt_cpu;

namespace {

// The "image" of the CPU device's kernels, which are compiled in.
constexpr char IMAGE[] = "SLTT-CPU-KERNELS";

struct Module {
    int device;
};
struct Function {
    const KernelEntry* entry;
    int device;
    std::weak_ptr<Module> module;
};

auto& modules() { return handles<Module, CUmodule>(); }
auto& functions() { return handles<Function, CUfunction>(); }

CUresult find_function(CUfunction handle, std::shared_ptr<Function>* function) {
    CUresult result = check_context();
    if (result != CUDA_SUCCESS) return result;
    *function = functions().find(handle);
    return *function && (*function)->device == current_context()->device ? CUDA_SUCCESS : CUDA_ERROR_INVALID_HANDLE;
}

}  // namespace

SLTT_API CUresult cuModuleLoadData(CUmodule* module, const void* image) {
    CUresult result = check_context();
    if (result != CUDA_SUCCESS) return result;
    if (module == nullptr || image == nullptr) return CUDA_ERROR_INVALID_VALUE;
    // Code for a GPU, whatever its form, does not run here. strncmp: an image may be shorter than ours.
    if (std::strncmp(static_cast<const char*>(image), IMAGE, sizeof IMAGE - 1) != 0) return CUDA_ERROR_NO_BINARY_FOR_GPU;
    auto made = std::make_shared<Module>();
    made->device = current_context()->device;
    *module = modules().add(made);
    return CUDA_SUCCESS;
}
SLTT_API CUresult cuModuleLoadDataEx(CUmodule* module, const void* image, unsigned, void*, void*) { return cuModuleLoadData(module, image); }
SLTT_API CUresult cuModuleLoadFatBinary(CUmodule* module, const void* image) { return cuModuleLoadData(module, image); }

SLTT_API CUresult cuModuleLoad(CUmodule* module, const char* path) {
    CUresult result = check_context();
    if (result != CUDA_SUCCESS) return result;
    if (module == nullptr || path == nullptr) return CUDA_ERROR_INVALID_VALUE;
    std::FILE* file = std::fopen(path, "rb");
    if (file == nullptr) return CUDA_ERROR_FILE_NOT_FOUND;
    char start[sizeof IMAGE] = {};
    size_t n = std::fread(start, 1, sizeof IMAGE - 1, file);
    std::fclose(file);
    return n == 0 ? CUDA_ERROR_INVALID_IMAGE : cuModuleLoadData(module, start);
}

SLTT_API CUresult cuModuleUnload(CUmodule handle) {
    CUresult result = check_context();
    if (result != CUDA_SUCCESS) return result;
    auto module = modules().remove(handle);
    if (!module) return CUDA_ERROR_INVALID_HANDLE;
    for (auto& f : functions().all())
        if (f->module.lock() == module) functions().remove(reinterpret_cast<CUfunction>(f.get()));
    return CUDA_SUCCESS;
}

SLTT_API CUresult cuModuleGetFunction(CUfunction* function, CUmodule handle, const char* name) {
    CUresult result = check_context();
    if (result != CUDA_SUCCESS) return result;
    if (function == nullptr || name == nullptr) return CUDA_ERROR_INVALID_VALUE;
    auto module = modules().find(handle);
    if (!module) return CUDA_ERROR_INVALID_HANDLE;
    const KernelEntry* entry = find_kernel(module->device, name);
    if (entry == nullptr) return CUDA_ERROR_NOT_FOUND;
    auto made = std::make_shared<Function>();
    made->entry = entry;
    made->device = module->device;
    made->module = module;
    *function = functions().add(made);
    return CUDA_SUCCESS;
}

// Kernels have no global variables.
SLTT_API CUresult cuModuleGetGlobal_v2(CUdeviceptr*, size_t*, CUmodule handle, const char* name) {
    CUresult result = check_context();
    if (result != CUDA_SUCCESS) return result;
    if (name == nullptr) return CUDA_ERROR_INVALID_VALUE;
    return modules().find(handle) ? CUDA_ERROR_NOT_FOUND : CUDA_ERROR_INVALID_HANDLE;
}

SLTT_API CUresult cuFuncGetAttribute(int* value, CUfunction_attribute which, CUfunction handle) {
    std::shared_ptr<Function> function;
    CUresult result = find_function(handle, &function);
    if (result != CUDA_SUCCESS) return result;
    if (value == nullptr || which < 0 || which >= CU_FUNC_ATTRIBUTE_MAX) return CUDA_ERROR_INVALID_VALUE;
    switch (which) {
        case CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK: *value = 1024; break;
        case CU_FUNC_ATTRIBUTE_PTX_VERSION:
        case CU_FUNC_ATTRIBUTE_BINARY_VERSION: *value = 90; break;
        case CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES: *value = 48 * 1024; break;
        default: *value = 0; break;
    }
    return CUDA_SUCCESS;
}

SLTT_API CUresult cuFuncSetAttribute(CUfunction handle, CUfunction_attribute which, int value) {
    std::shared_ptr<Function> function;
    CUresult result = find_function(handle, &function);
    if (result != CUDA_SUCCESS) return result;
    if (which == CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES) return value >= 0 && value <= 48 * 1024 ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
    if (which == CU_FUNC_ATTRIBUTE_PREFERRED_SHARED_MEMORY_CARVEOUT) return value >= -1 && value <= 100 ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
    return CUDA_ERROR_INVALID_VALUE;
}

// A hint that changes nothing here.
SLTT_API CUresult cuFuncSetCacheConfig(CUfunction handle, int) {
    std::shared_ptr<Function> function;
    return find_function(handle, &function);
}

SLTT_API CUresult cuOccupancyMaxActiveBlocksPerMultiprocessor(int* blocks, CUfunction handle, int block_size, size_t) {
    std::shared_ptr<Function> function;
    CUresult result = find_function(handle, &function);
    if (result != CUDA_SUCCESS) return result;
    if (blocks == nullptr || block_size <= 0) return CUDA_ERROR_INVALID_VALUE;
    *blocks = block_size > 1024 ? 0 : 2048 / block_size < 32 ? 2048 / block_size : 32;
    return CUDA_SUCCESS;
}

// Arguments through `extra` are not served.
SLTT_API CUresult cuLaunchKernel(CUfunction handle, unsigned grid_x, unsigned grid_y, unsigned grid_z, unsigned block_x, unsigned block_y,
                                 unsigned block_z, unsigned shared_bytes, CUstream stream_handle, void** arguments, void** extra) {
    std::shared_ptr<Function> function;
    CUresult result = find_function(handle, &function);
    if (result != CUDA_SUCCESS) return result;
    if (extra != nullptr && *extra != nullptr) return arguments == nullptr ? CUDA_ERROR_NOT_SUPPORTED : CUDA_ERROR_INVALID_VALUE;
    std::shared_ptr<Stream> stream;
    if ((result = find_stream(stream_handle, &stream)) != CUDA_SUCCESS) return result;
    std::shared_ptr<Launch> launch;
    result = make_launch(function->entry, function->device, {grid_x, grid_y, grid_z}, {block_x, block_y, block_z}, shared_bytes, arguments, &launch);
    if (result != CUDA_SUCCESS) return result;
    return enqueue_on(*stream, [launch] { run_launch(*launch); }, "cuLaunchKernel");
}
