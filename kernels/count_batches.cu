// count_batches: num_batches_tracked += repeats. cuDNN's batch norm does not count; batch_norm_finalize does.
//
// num_batches_tracked: one number. Every thread but the first stays idle.
#include "common/sltt.cuh"

namespace sltt {

__device__ inline void count_batches_body(int64_t* num_batches_tracked, int repeats) {
    if (blockIdx.x == 0 && first_thread()) *num_batches_tracked += repeats;
}

SLTT_KERNEL(count_batches, (int64_t * num_batches_tracked, int repeats), count_batches_body(num_batches_tracked, repeats))

}  // namespace sltt
