// Every kernel includes this header. It pulls in two kinds of files.
//
// kernels/common/: the same text for every target.
//   numbers.cuh    f32, f16, bf16                     pack.cuh      V neighbouring elements in float
//   run_state.cuh  RunState                           random.cuh    Philox, Dropout
//   neuron.cuh     the LIF neuron and its surrogates  windows.cuh   windows of a folded average pool
//   totals.cuh     sums in double                     steps.cuh     steps of time in one launch
//   lif_steps.cuh  time steps of LIF neurons          batch_norm_gradient.cuh  the gradient of a batch norm's parameters
//
// One file of each name for a target. The compiler's include path picks the folder:
//   target.cuh        CUDA's words, SLTT_KERNEL       sums.cuh      column sums, block sums
//   memory.cuh        reads and writes of packs       work.cuh      which elements a thread works on
//   dropout_mask.cuh  masks of a Dropout              pooling.cuh   folded average pools
//   kernels/gpu/       for nvcc: a block's share of the work is strided over its threads, 16 bytes an access.
//   kernels/cpu/fast/  for g++: a block is one thread, its share is contiguous, a pack is one vector register.
//   kernels/cpu/faithful/, then kernels/gpu/, for g++ in the CPU device's test mode: every CUDA thread of gpu/ really runs.
//
// No kernel assumes a block size (up to MAX_BLOCK threads), the grid's size in x, or that it is the only one that runs. Kernels with
// `steps` take any size in y too, the others 1.
// No target contracts a*b+c (-fmad=false, -ffp-contract=off): one ulp can become a spike.
#pragma once
#include "target.cuh"

namespace sltt {
constexpr int MAX_BLOCK = 512;
}

#include "neuron.cuh"
#include "numbers.cuh"
#include "pack.cuh"
#include "random.cuh"
#include "run_state.cuh"
#include "steps.cuh"
#include "totals.cuh"
#include "windows.cuh"

#include "dropout_mask.cuh"
#include "lif_steps.cuh"
#include "memory.cuh"
#include "pooling.cuh"
#include "sums.cuh"
#include "work.cuh"

#include "batch_norm_gradient.cuh"
