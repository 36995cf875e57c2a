// Runs a launch in the faithful mode: every thread of every block as a fiber. faithful.h has the kernels' side.
#pragma once

#include <string>

#include "kernel_run.h"
#include "kernel_table.h"

namespace sltt_cpu::faithful {

struct Outcome {
    enum class Kind { Done, OutOfMemory, Divergence, Fault } kind;
    Dim3 block;        // where the launch ended, unless it is done
    Dim3 thread;       // Fault
    Fault fault;       // Fault
    std::string text;  // Divergence
};

// `arguments` points at each argument, as KernelEntry::call wants them.
Outcome run(const KernelEntry& entry, Dim3 grid, Dim3 block, void* const* arguments);

}  // namespace sltt_cpu::faithful
