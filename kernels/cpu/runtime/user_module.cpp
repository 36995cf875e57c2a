#include "runtime/user_module.h"

#include <dlfcn.h>

#include "faithful/faithful.h"
#include "module.h"
#include "runtime/kernel_list.h"
#include "runtime/memory.h"
#include "runtime/report.h"

namespace sltt_cpu {
namespace {

#define SLTT_NAME_(x) #x
#define SLTT_NAME(x) SLTT_NAME_(x)

Position* position_of_thread() { return &position; }
uint64_t warp(uint32_t op, unsigned mask, uint64_t value, int source, const char* file, int line) {
    return faithful::warp((faithful::WarpOp)op, mask, value, source, file, line);
}
constexpr ModuleServices SERVICES = {position_of_thread, faithful::barrier, warp, faithful::lane, faithful::active_mask};

CUresult refuse(const std::string& text) {
    report(text);
    return CUDA_ERROR_INVALID_IMAGE;
}

}  // namespace

CUresult load_user_module(const char* path, int device, UserModule* module) {
    void* library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) return refuse(dlerror());
    auto open = reinterpret_cast<OpenModule>(dlsym(library, SLTT_NAME(SLTT_OPEN_MODULE)));
    if (open == nullptr) return refuse(std::string(path) + " was not compiled for this libsltt_cpu.so");
    const ModuleKernels* kernels = open(&SERVICES);
    if (kernels->faithful != (device == STRICT_DEVICE)) return refuse(std::string(path) + " was compiled for the other mode");
    for (auto at = kernels->begin; at != kernels->end; ++at)
        if (!module->kernels.emplace((*at)->name, *at).second) return refuse(std::string(path) + ": two kernels are called " + (*at)->name);
    module->signatures = signatures(kernels->begin, kernels->end);
    return CUDA_SUCCESS;
}

}  // namespace sltt_cpu
