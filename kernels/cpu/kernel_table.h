// A kernel as the driver sees it, and the position of the thread that runs.
#pragma once
#include <stddef.h>
#include <stdint.h>

namespace sltt_cpu {

struct Parameter {
    uint32_t size, alignment;
    bool pointer;
    bool constant;     // the kernel only reads what the pointer points to
    const char* type;  // type_name of the value, or of what the pointer points to
};

struct KernelEntry {
    const char* name;
    void (*call)(void* const* arguments);  // runs one thread's body; its position is in `position`
    const Parameter* parameters;
    int parameter_count;
    const char* parameter_text;  // the parameter list as the source has it: the parameters' names are read from it
    const char* file;            // the .cu
    unsigned char *shared, *shared_end;  // all shared memory of the library that holds the kernel (faithful mode)
};

struct Dim3 { unsigned x, y, z; };
struct Position { Dim3 thread, block, block_dim, grid_dim; };

// __thread, not thread_local: no initialiser to look for at each access.
extern __attribute__((visibility("hidden"))) __thread Position position;

}  // namespace sltt_cpu
