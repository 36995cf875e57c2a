// dropout: dropout of features with one mask for all time steps of an iteration. The same launch on the gradient is its backward.
//
//   y[i] = mask[i] x[i],   mask[i] = 0 or 1/(1-rate), drawn from (seed, iteration, layer, i)
//
// x, y (steps, n), any layout; i is the index within the step. Bytes an element (type of b bytes): reads b, writes b. Overwrites y, which may be x.
// Numerics: float, rounded once. Source: spikingjelly's layer.Dropout.
#include "common/sltt.cuh"

namespace sltt {

template <class T> __device__ inline void apply_dropout(T* y, const T* x, Dropout drop, int steps, int64_t n) {
    for_steps(steps, [=](int step) {
        for_elements<T>(n, drop, [=](auto lanes, int64_t i, const auto& mask) {
            constexpr int V = decltype(lanes)::value;
            store<V>(y + step * n, i, mask * load<V>(x + step * n, i));
        });
    });
}

#define VARIANT(T, suffix)                                                                                                                \
    SLTT_KERNEL(dropout_##suffix, (T * y, const T* x, float drop_rate, uint32_t drop_layer, const RunState* state, int steps, int64_t n), \
                apply_dropout<T>(y, x, dropout(drop_rate, drop_layer, state), steps, n))
SLTT_FOR_EACH_TYPE(VARIANT)
#undef VARIANT

}  // namespace sltt
