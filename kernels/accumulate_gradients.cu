// accumulate_gradients: adds one time step's gradients to the float sums and detects inf and NaN.
// find_overflow: detects inf and NaN in the float gradients.
//
//   grad += step_grad;  any result that is not finite: state->overflow = 1
//
// All parameters lie in one buffer of n elements. step_grad: type T, as cuDNN writes it; grad: float.
// Bytes an element (type of b bytes): reads 4 + b, writes 4. find_overflow reads 4. Adds to grad; may set state->overflow.
// Numerics: float.
#include "common/sltt.cuh"

namespace sltt {

template <class T> __device__ inline void accumulate_gradients(float* grad, const T* step_grad, RunState* state, int64_t n) {
    bool bad = any_element<T>(n, [=](auto lanes, int64_t i) {
        constexpr int V = decltype(lanes)::value;
        Pack<V> sum = load<V, STREAM>(grad, i) + load<V, STREAM>(step_grad, i);
        store<V, STREAM>(grad, i, sum);
        return !all_finite(sum);
    });
    if (bad) state->overflow = 1;  // several threads may write: the same value
}

__device__ inline void find_overflow_body(const float* grad, RunState* state, int64_t n) {
    bool bad = any_element<float>(n, [=](auto lanes, int64_t i) { return !all_finite(load<decltype(lanes)::value>(grad, i)); });
    if (bad) state->overflow = 1;
}

#define VARIANT(T, suffix)                                                                                                              \
    SLTT_KERNEL(accumulate_gradients_##suffix, (float* __restrict__ grad, const T* __restrict__ step_grad, RunState* state, int64_t n), \
                accumulate_gradients<T>(grad, step_grad, state, n))
SLTT_FOR_EACH_TYPE(VARIANT)
#undef VARIANT

SLTT_KERNEL(find_overflow, (const float* __restrict__ grad, RunState* state, int64_t n), find_overflow_body(grad, state, n))

}  // namespace sltt
