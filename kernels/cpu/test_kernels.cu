// Kernels for the tests of the CPU device, in both modes. They are no part of the GPU's image.
#pragma once

namespace sltt {

// y[i] = x[i] + value, shares of a grid-stride loop.
__device__ inline void test_add_body(float* y, const float* x, float value, int64_t n) {
    for (int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x; i < n; i += (int64_t)gridDim.x * blockDim.x) y[i] = x[i] + value;
}
SLTT_KERNEL(test_add, (float* y, const float* x, float value, int64_t n), test_add_body(y, x, value, n))

// One parameter of each size and alignment.
SLTT_KERNEL(test_parameters, (double* out, uint8_t a, uint16_t b, int32_t c, uint64_t d, float e, double f),
            out[0] = a; out[1] = b; out[2] = c; out[3] = (double)d; out[4] = e; out[5] = f)

// order[atomic count] = the block's index.
SLTT_KERNEL(test_block_order, (int32_t* order, int32_t* count), if (threadIdx.x == 0) order[atomicAdd(count, 1)] = (int32_t)blockIdx.x)

// The thread's indices: out (blocks, threads, 2) = linear block and linear thread index.
SLTT_KERNEL(test_indices, (int32_t* out),
            int64_t block = blockIdx.x + (int64_t)gridDim.x * (blockIdx.y + (int64_t)gridDim.y * blockIdx.z);
            int64_t threads = (int64_t)blockDim.x * blockDim.y * blockDim.z;
            int64_t thread = threadIdx.x + (int64_t)blockDim.x * (threadIdx.y + (int64_t)blockDim.y * threadIdx.z);
            out[2 * (block * threads + thread)] = (int32_t)block; out[2 * (block * threads + thread) + 1] = (int32_t)thread)

// Writes 4 bytes at byte offset `at` of p, wherever that is.
SLTT_KERNEL(test_poke, (uint8_t* p, int64_t at, float value), if (blockIdx.x == 0 && threadIdx.x == 0) memcpy(p + at, &value, 4))

// Reads 4 bytes at byte offset `at` of p into out.
SLTT_KERNEL(test_peek, (float* out, const uint8_t* p, int64_t at), if (blockIdx.x == 0 && threadIdx.x == 0) memcpy(out, p + at, 4))

}  // namespace sltt
