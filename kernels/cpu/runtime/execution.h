// How work runs: threads, access to memory, failures, copies and fills.
#pragma once

#include <functional>

#include "runtime/cuda_api.h"

namespace sltt_cpu {

// Threads that work may use: SLTT_CPU_THREADS, else OMP_NUM_THREADS, else all cores. Set for OpenMP wherever work runs.
int thread_count();

// Runs work with the device's memory accessible. A failure becomes the result, and a message that names `what`.
CUresult run_work(int device, const std::function<void()>& work, const char* what);

// Copies and fills, by several threads where that pays.
void copy_bytes(void* to, const void* from, size_t bytes);
void fill_bytes(void* to, const void* pattern, size_t pattern_bytes, size_t count);

}  // namespace sltt_cpu
