// Steps of time in one launch. An array of S steps holds them one after the other; statistics by channel are (S, channels), partial sums
// (S, parts, sums, channels). Weights, biases and running statistics have no step.
//
//   A kernel whose steps do not depend on each other shares them out over the grid's y dimension (for_steps).
//   A kernel that carries a neuron's state walks: a thread takes its elements through the steps in order, with the state in registers. The
//   grid's first row does that, other rows have nothing to do.
#pragma once
#include "pack.cuh"

namespace sltt {

// f(step) for every step of the block's row of the grid.
template <class F> __device__ inline void for_steps(int steps, F f) {
    for (int step = (int)blockIdx.y; step < steps; step += (int)gridDim.y) f(step);
}
// The same from the last step to the first. in_order: a step reads what the step behind it left. A thread works on the same elements at
// every step, so no barrier is between them.
template <class F> __device__ inline void for_steps_back(int steps, bool in_order, F f) {
    if (in_order && blockIdx.y != 0) return;
    int stride = in_order ? 1 : (int)gridDim.y;
    for (int step = steps - 1 - (int)blockIdx.y; step >= 0; step -= stride) f(step);
}

// Steps [first, end) that a thread takes its elements through.
struct Walk {
    int first, end;
};
// f(walk) for the walks of the block's row: one over all steps, or if they need no order one a step.
template <class F> __device__ inline void for_walks(int steps, bool in_order, F f) {
    if (in_order && blockIdx.y != 0) return;
    int length = in_order ? steps : 1, stride = in_order ? steps : (int)gridDim.y;
    for (int first = (int)blockIdx.y; first < steps; first += stride) f(Walk{first, first + length});
}

// A step's part of partial sums (steps, gridDim.x, K, channels).
template <int K> __device__ inline double* partials_at(double* partials, int step, int channels) {
    return partials + (int64_t)step * gridDim.x * K * channels;
}

// P per-channel parameters, float. A null one reads as 0.
template <int P> struct PerChannel { const float* p[P > 0 ? P : 1]; };
// The same where the first BY_STEP of them have values for each step, `stride` apart; stride 0: the same values at every step.
template <int P, int BY_STEP> struct PerStepAndChannel {
    PerChannel<P> first;
    int64_t stride;
    __device__ PerChannel<P> at(int step) const {
        PerChannel<P> out = first;
        for (int i = 0; i < BY_STEP; ++i) out.p[i] += step * stride;
        return out;
    }
};

}  // namespace sltt
