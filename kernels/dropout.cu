// Dropout of features, with one mask for all time steps of an iteration (spikingjelly's layer.Dropout); its own backward.
//
//   y[i] = m[i] x[i],   m[i] = 0 or 1 / (1 - rate), drawn from (seed, iteration, layer, i)
//
// x, y (n). y may be x. Reads and writes sizeof(T) bytes an element each.
#include "common/sltt.cuh"

namespace SLTT_VARIANT {

template <class T> __device__ void apply_dropout(T* y, const T* x, float rate, uint32_t layer, const RunState* state, int64_t n) {
    Dropout d = dropout(rate, layer, state);
    for_elements<T>(n, [=](auto lanes, int64_t i) {
        constexpr int V = decltype(lanes)::value;
        Pack<V> value = load<V>(x, i);
        for (int k = 0; k < V; ++k) value.v[k] *= dropout_mask(d, i + k);
        store<V>(y, i, value);
    });
}

}  // namespace SLTT_VARIANT

#define VARIANT(T, suffix) \
    SLTT_KERNEL(dropout_##suffix, \
                (SLTT_VARIANT::T* y, const SLTT_VARIANT::T* x, float drop_rate, uint32_t drop_layer, const SLTT_VARIANT::RunState* state, int64_t n), \
                SLTT_VARIANT::apply_dropout<SLTT_VARIANT::T>(y, x, drop_rate, drop_layer, state, n))
SLTT_FOR_EACH_TYPE(VARIANT)
#undef VARIANT
