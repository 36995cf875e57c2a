// Kernel launches: a checked copy of the arguments, run by the fast or the faithful mode.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "runtime/cuda_api.h"
#include "kernel_table.h"

namespace sltt_cpu {

struct Launch {
    const KernelEntry* entry;
    int device;
    Dim3 grid, block;
    std::vector<uint64_t> storage;  // the arguments' values
    std::vector<void*> arguments;   // each argument's address in `storage`
    uint64_t checked = UINT64_MAX;  // free_count() when the pointers were last found valid
    // Fast mode: whether starting threads pays. A graph runs the same launch many times, so the first runs measure it.
    enum class Way { Unknown, TryDirect, Direct, Team } way = Way::Unknown;
    int64_t team_nanoseconds = 0;
};

// The compiled-in kernel of this name: on device 0 for the machine's best instruction set (SLTT_CPU_ISA=v2|v3|v4 limits it), on device 1
// for the faithful mode. Null where there is none.
const KernelEntry* find_kernel(int device, const char* name);
// "v2", "v3", "v4".
const char* instruction_set();

// Copies the arguments and checks the shape and the pointers among them.
CUresult make_launch(const KernelEntry* entry, int device, Dim3 grid, Dim3 block, unsigned shared_bytes, void* const* arguments,
                     std::shared_ptr<Launch>* launch);
// Throws DeviceError.
void run_launch(Launch& launch);

}  // namespace sltt_cpu
