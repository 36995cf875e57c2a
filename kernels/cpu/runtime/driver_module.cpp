// Driver API: modules, functions, launches.
#include <cstring>

#include "runtime/launch.h"
#include "runtime/objects.h"
#include "runtime/stream.h"
#include "runtime/user_module.h"

using namespace sltt_cpu;

namespace {

// The image that names the CPU device's kernels, which are compiled in.
constexpr char IMAGE[] = "SLTT-CPU-KERNELS";
// The image that names a library of a user's kernels: its path follows.
constexpr char USER_IMAGE[] = "SLTT-CPU-MODULE:";

struct Module {
    int device;
    std::shared_ptr<UserModule> user;  // null: the compiled-in kernels
    const KernelEntry* find(const char* name) const {
        if (user == nullptr) return find_kernel(device, name);
        auto found = user->kernels.find(name);
        return found == user->kernels.end() ? nullptr : found->second;
    }
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

SLTT_API CUresult cuModuleLoadFatBinary(CUmodule* module, const void* image) {
    CUresult result = check_context();
    if (result != CUDA_SUCCESS) return result;
    if (module == nullptr || image == nullptr) return CUDA_ERROR_INVALID_VALUE;
    // Code for a GPU does not run here. strncmp, as an image may be shorter than ours.
    if (std::strncmp(static_cast<const char*>(image), IMAGE, sizeof IMAGE - 1) != 0) return CUDA_ERROR_NO_BINARY_FOR_GPU;
    auto made = std::make_shared<Module>();
    made->device = current_context()->device;
    *module = modules().add(made);
    return CUDA_SUCCESS;
}

// A GPU's driver loads PTX, a cubin or a fat binary. Here it is a user's own kernels.
SLTT_API CUresult cuModuleLoadData(CUmodule* module, const void* image) {
    CUresult result = check_context();
    if (result != CUDA_SUCCESS) return result;
    if (module == nullptr || image == nullptr) return CUDA_ERROR_INVALID_VALUE;
    const char* text = static_cast<const char*>(image);
    constexpr size_t PREFIX = sizeof USER_IMAGE - 1;
    if (std::strncmp(text, USER_IMAGE, PREFIX) != 0) return CUDA_ERROR_NO_BINARY_FOR_GPU;
    auto made = std::make_shared<Module>();
    made->device = current_context()->device;
    made->user = std::make_shared<UserModule>();
    result = load_user_module(text + PREFIX, made->device, made->user.get());
    if (result == CUDA_SUCCESS) *module = modules().add(made);
    return result;
}

// The kernels of a module of a user's own as JSON (kernel_list.h). Writes up to `bytes` bytes with a final 0 and returns how many it takes;
// 0: it is no such module.
SLTT_API size_t sltt_cpu_module_kernels(CUmodule handle, char* json, size_t bytes) {
    auto module = modules().find(handle);
    if (!module || module->user == nullptr) return 0;
    const std::string& text = module->user->signatures;
    if (json != nullptr && bytes > text.size()) std::memcpy(json, text.c_str(), text.size() + 1);
    return text.size() + 1;
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
    const KernelEntry* entry = module->find(name);
    if (entry == nullptr) return CUDA_ERROR_NOT_FOUND;
    auto made = std::make_shared<Function>();
    made->entry = entry;
    made->device = module->device;
    made->module = module;
    *function = functions().add(made);
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
    Dim3 grid{grid_x, grid_y, grid_z}, block{block_x, block_y, block_z};
    result = make_launch(function->entry, function->device, grid, block, shared_bytes, arguments, &launch);
    if (result != CUDA_SUCCESS) return result;
    return enqueue_on(*stream, [launch] { run_launch(*launch); }, "cuLaunchKernel");
}

SLTT_API CUresult cuGraphAddKernelNode_v2(CUgraphNode* node, CUgraph graph, const CUgraphNode* dependencies, size_t count,
                                          const CUDA_KERNEL_NODE_PARAMS_v2* p) {
    if (node == nullptr || p == nullptr) return CUDA_ERROR_INVALID_VALUE;
    if (p->kern != nullptr || p->extra != nullptr) return CUDA_ERROR_NOT_SUPPORTED;
    std::shared_ptr<Function> function;
    CUresult result = find_function(p->func, &function);
    if (result != CUDA_SUCCESS) return result;
    std::shared_ptr<Launch> launch;
    Dim3 grid{p->gridDimX, p->gridDimY, p->gridDimZ}, block{p->blockDimX, p->blockDimY, p->blockDimZ};
    result = make_launch(function->entry, function->device, grid, block, p->sharedMemBytes, p->kernelParams, &launch);
    if (result != CUDA_SUCCESS) return result;
    return add_graph_node(
        graph, dependencies, count, {[launch] { run_launch(*launch); }, "cuGraphAddKernelNode", CU_GRAPH_NODE_TYPE_KERNEL, {}}, node);
}
