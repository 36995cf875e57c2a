// Begins the translation unit of a user's own kernels (Device/CpuKernelCompiler.cs writes the rest). SLTT_FAITHFUL is 0 or 1.
#pragma once
#include "module.h"

namespace sltt_cpu {
static const ModuleServices* services;
}
#define SLTT_VARIANT module
#define SLTT_POSITION (*::sltt_cpu::services->position())
#include "target.cuh"

extern "C" __attribute__((visibility("hidden"), weak)) const sltt_cpu::KernelEntry* const __start_sltt_module[];
extern "C" __attribute__((visibility("hidden"), weak)) const sltt_cpu::KernelEntry* const __stop_sltt_module[];

extern "C" __attribute__((visibility("default"))) const sltt_cpu::ModuleKernels* SLTT_OPEN_MODULE(const sltt_cpu::ModuleServices* given) {
    static const sltt_cpu::ModuleKernels kernels = {__start_sltt_module, __stop_sltt_module, SLTT_FAITHFUL != 0};
    sltt_cpu::services = given;
    return &kernels;
}

#if SLTT_FAITHFUL
namespace sltt_cpu::faithful {
void barrier(const char* file, int line) { services->barrier(file, line); }
uint64_t warp(WarpOp op, unsigned mask, uint64_t value, int source, const char* file, int line) {
    return services->warp((uint32_t)op, mask, value, source, file, line);
}
int lane() { return services->lane(); }
unsigned active_mask() { return services->active_mask(); }
}  // namespace sltt_cpu::faithful
#endif
