// Catches faults of kernels, for both modes of the device.
#pragma once

#include <stdint.h>

namespace sltt_cpu {

struct Fault {
    int signal;
    uintptr_t address;  // UINTPTR_MAX: no page can have it
};

// Runs f. A fault in it (an unmapped address, a division by zero) returns false and fills `fault`; the process lives on.
// f must leave nothing behind that a destructor would clean up, as a fault leaves it by a jump.
bool run_guarded(void (*f)(void*), void* context, Fault* fault);

}  // namespace sltt_cpu
