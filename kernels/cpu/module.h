// A library of a user's own kernels, compiled at run time: what it and libsltt_cpu.so tell each other when it is loaded.
#pragma once
#include "kernel_table.h"

namespace sltt_cpu {

// What the kernels call. The last four are for the faithful mode; faithful/faithful.h has their meaning.
struct ModuleServices {
    Position* (*position)();
    void (*barrier)(const char* file, int line);
    uint64_t (*warp)(uint32_t op, unsigned mask, uint64_t value, int source, const char* file, int line);
    int (*lane)();
    unsigned (*active_mask)();
};

struct ModuleKernels {
    const KernelEntry* const* begin;
    const KernelEntry* const* end;
    bool faithful;  // the mode that they were compiled for
};

// The one function that the library exports. Its name changes with what this header says.
#define SLTT_OPEN_MODULE sltt_open_module_1
using OpenModule = const ModuleKernels* (*)(const ModuleServices*);

}  // namespace sltt_cpu
