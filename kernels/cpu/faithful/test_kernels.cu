// Kernels for the tests of the faithful mode (barriers, shared memory, warps).
#pragma once

namespace sltt {

constexpr int LARGEST_BLOCK = 1024;

// Reverses each block's share of n = blocks * threads values through shared memory.
__device__ inline void test_reverse_body(float* y, const float* x) {
    __shared__ float tile[LARGEST_BLOCK];
    int64_t base = (int64_t)blockIdx.x * blockDim.x;
    tile[threadIdx.x] = x[base + threadIdx.x];
    __syncthreads();
    y[base + threadIdx.x] = tile[blockDim.x - 1 - threadIdx.x];
}
SLTT_KERNEL(test_reverse, (float* y, const float* x), test_reverse_body(y, x))

// The same without the barrier: a race.
__device__ inline void test_reverse_race_body(float* y, const float* x) {
    __shared__ float tile[LARGEST_BLOCK];
    int64_t base = (int64_t)blockIdx.x * blockDim.x;
    tile[threadIdx.x] = x[base + threadIdx.x];
    y[base + threadIdx.x] = tile[blockDim.x - 1 - threadIdx.x];
}
SLTT_KERNEL(test_reverse_race, (float* y, const float* x), test_reverse_race_body(y, x))

// Barrier reached by half the block while the other half waits at another one.
SLTT_KERNEL(test_divergent_barrier, (float* y),
            if (threadIdx.x < blockDim.x / 2) {
                __syncthreads();
                y[threadIdx.x] = 1.0f;
            } else
                __syncwarp())

// The upper half of the block returns before the barrier: allowed, they count as arrived.
__device__ inline void test_early_return_body(float* y) {
    if (threadIdx.x >= blockDim.x / 2) return;
    __syncthreads();
    y[threadIdx.x] = 1.0f;
}
SLTT_KERNEL(test_early_return, (float* y), test_early_return_body(y))

// A barrier in each branch of a divergent condition.
__device__ inline void test_two_barriers_body(float* y) {
    if (threadIdx.x % 2 == 0) {
        __syncthreads();
        y[threadIdx.x] = 1.0f;
    } else {
        __syncthreads();
        y[threadIdx.x] = 2.0f;
    }
}
SLTT_KERNEL(test_two_barriers, (float* y), test_two_barriers_body(y))

// out (8, 32): what each lane of one warp gets from each shuffle, ballot and vote.
__device__ inline void test_warp_body(float* out) {
    const unsigned all = 0xffffffffu;
    int lane = (int)threadIdx.x;
    float x = (float)(100 + lane);
    out[0 * 32 + lane] = __shfl_sync(all, x, 5);
    out[1 * 32 + lane] = __shfl_sync(all, x, 3, 8);
    out[2 * 32 + lane] = __shfl_up_sync(all, x, 3, 16);
    out[3 * 32 + lane] = __shfl_down_sync(all, x, 3, 16);
    out[4 * 32 + lane] = __shfl_xor_sync(all, x, 9);
    out[5 * 32 + lane] = (float)__popc(__ballot_sync(all, lane % 3 == 0));
    out[6 * 32 + lane] = (float)(__any_sync(all, lane == 7) + 2 * __all_sync(all, lane < 31));
    float low = -1.0f;
    if (lane < 12) low = __shfl_sync(0x00000fffu, x, 11);
    out[7 * 32 + lane] = low;
}
SLTT_KERNEL(test_warp, (float* out), test_warp_body(out))

// A lane reads one that has returned.
__device__ inline void test_shuffle_returned_body(float* out) {
    if (threadIdx.x == 5) return;
    out[threadIdx.x] = __shfl_sync(0xffffffffu, (float)threadIdx.x, 5);
}
SLTT_KERNEL(test_shuffle_returned, (float* out), test_shuffle_returned_body(out))

// Lane 3 calls with a mask that does not name it.
SLTT_KERNEL(test_mask_without_caller, (float* out),
            out[threadIdx.x] = (float)__ballot_sync(threadIdx.x == 3 ? 0xfffffff7u : 0xffffffffu, 1))

// Shared memory read before it is written.
__device__ inline void test_shared_unwritten_body(float* out) {
    __shared__ float value[LARGEST_BLOCK];
    out[threadIdx.x] = value[threadIdx.x];
    value[threadIdx.x] = 1.0f;
}
SLTT_KERNEL(test_shared_unwritten, (float* out), test_shared_unwritten_body(out))

}  // namespace sltt
