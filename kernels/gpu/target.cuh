// The target is a GPU: CUDA's number types, and how a kernel is declared.
#pragma once
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <stdint.h>

// Unrolls the loop that follows.
#define SLTT_UNROLL _Pragma("unroll")

// Defines the kernel `name` with C linkage; `params` is its parenthesised parameter list, the body follows as a call.
// The bounds limit it to 64 registers a thread, so 4 blocks of 256 threads run on a multiprocessor. LaunchShape.Elements counts on it.
#define SLTT_KERNEL(name, params, ...) \
    extern "C" __global__ void __launch_bounds__(::sltt::MAX_BLOCK, 2) name params { __VA_ARGS__; }
// The same for a kernel that keeps sums in registers: up to 128 a thread, one block of 512 threads or two of 256, as
// LaunchShape.TiledRowSums and RowSums count on.
#define SLTT_SUM_KERNEL(name, params, ...) \
    extern "C" __global__ void __launch_bounds__(::sltt::MAX_BLOCK, 1) name params { __VA_ARGS__; }
