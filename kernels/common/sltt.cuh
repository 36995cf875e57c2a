// What every kernel of the engine is written with.
//
// The same kernel source is compiled three ways:
//   nvcc                 the GPU. A block's share of the work is strided over its threads, 16 bytes an access.
//   g++ -DSLTT_FAITHFUL  the CPU device's test mode. Every CUDA thread really runs (kernels/cpu/faithful.h supplies
//                        threadIdx, __syncthreads, shuffles and ballots); the code below is the GPU's.
//   g++ -DSLTT_FAST      the CPU device. A block is one thread, its share contiguous, a pack one vector register.
// No kernel assumes a block size (up to MAX_BLOCK threads), a grid size, or that it is alone.
// No contraction of a*b+c on either side (-fmad=false, -ffp-contract=off): an ulp can become a spike.
//
//   numbers.cuh    f32, f16, bf16          random.cuh   Philox, dropout masks
//   pack.cuh       neighbouring elements   work.cuh     shares of work
//   run_state.cuh  RunState                sums.cuh     column sums, block sums
//   pooling.cuh    folded average pools
#pragma once

#if defined(__CUDACC__)
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <stdint.h>
#define SLTT_VARIANT gpu
#define SLTT_IVDEP
#define SLTT_UNROLL _Pragma("unroll")
// Defines the kernel `name` with C linkage; `params` is its parenthesised parameter list, the body follows as a call.
// Its registers, at most 64 a thread, let 4 blocks of 256 threads run on a multiprocessor: LaunchShape.Elements counts on it.
#define SLTT_KERNEL(name, params, ...) \
    extern "C" __global__ void __launch_bounds__(MAX_BLOCK, 2) name params { __VA_ARGS__; }
// The same for kernels that keep sums in registers, up to 128 a thread: 2 blocks of 256 threads, as LaunchShape.RowSums counts on.
#define SLTT_SUM_KERNEL(name, params, ...) \
    extern "C" __global__ void __launch_bounds__(MAX_BLOCK, 1) name params { __VA_ARGS__; }
#else
#include <math.h>
#include <stdint.h>
#include "../cpu/kernel_host.h"  // __device__ & co., threadIdx & co., SLTT_KERNEL: registers a trampoline by name
#define SLTT_SUM_KERNEL SLTT_KERNEL
#define SLTT_IVDEP _Pragma("GCC ivdep")
#define SLTT_UNROLL _Pragma("GCC unroll 16")
#endif

namespace SLTT_VARIANT {
constexpr int MAX_BLOCK = 512;
}

#include "numbers.cuh"
#include "pack.cuh"
#include "pooling.cuh"
#include "random.cuh"
#include "run_state.cuh"
#include "sums.cuh"
#include "work.cuh"
