// Kernel launches: a checked copy of the arguments, run by the fast or the faithful mode.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "cuda_api.h"
#include "kernel_table.h"

namespace sltt_cpu {

struct Launch {
    const KernelEntry* entry;
    int device;
    Dim3 grid, block;
    std::vector<uint64_t> storage;  // the arguments' values
    std::vector<void*> arguments;   // each argument's address in `storage`
    uint64_t checked = UINT64_MAX;  // free_count() when the pointers were last found valid
    // Fast mode, launches that run again (in a graph): whether starting threads pays.
    enum class Way { Unknown, TryDirect, Direct, Team } way = Way::Unknown;
    int64_t team_nanoseconds = 0;
};

// The table of kernels compiled for the best instruction set of this machine (SLTT_CPU_ISA=v2|v3|v4: not beyond that),
// or for the faithful mode; null for a name that is not there.
const KernelEntry* find_kernel(int device, const char* name);
// "v2", "v3", "v4".
const char* instruction_set();

// Copies the arguments and checks the shape and the pointers among them.
CUresult make_launch(const KernelEntry* entry, int device, Dim3 grid, Dim3 block, unsigned shared_bytes, void* const* arguments,
                     std::shared_ptr<Launch>* launch);
// Throws DeviceError.
void run_launch(Launch& launch);

// Runs f; a fault in it (an address that is not mapped, a division by zero) returns false and the address, rather than
// ending the process. f must leave nothing behind that a destructor would clean up.
bool run_guarded(void (*f)(void*), void* context, int* signal, uintptr_t* address);

namespace faithful {
// Runs every thread of every block as a fiber. Throws DeviceError.
void run(const Launch& launch);
}  // namespace faithful

}  // namespace sltt_cpu
