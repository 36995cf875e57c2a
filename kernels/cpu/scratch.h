// Memory for a pass's intermediate results, a part for each thread of its team.
//
// It is not part of the workspace that the host plans. So neither the plan nor what follows from it, as an evaluation's batch size, depends
// on the number of threads.
#pragma once

#include <stddef.h>

namespace sltt_cpu {

// At least `bytes`, 64-byte aligned, for the pass that the calling thread runs now; it holds what earlier passes left. Throws
// std::bad_alloc.
char* scratch_memory(size_t bytes);

}  // namespace sltt_cpu
