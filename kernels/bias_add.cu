// Adds a bias to each channel.
//
//   y[r, c] = x[r, c] + b[c]
//
// x, y (rows, channels), NHWC; b (channels), float. y may be x. Reads and writes sizeof(T) bytes an element each.
#include "common/sltt.cuh"

namespace SLTT_VARIANT {

template <class T> __device__ void bias_add(T* y, const T* x, const float* __restrict__ bias, int64_t rows, int channels) {
    for_rows_channels<T>(rows, channels, [=](auto lanes, int64_t i, int c) {
        constexpr int V = decltype(lanes)::value;
        Pack<V> value = load<V>(x, i), b = load<V>(bias, c);
        for (int k = 0; k < V; ++k) value.v[k] += b.v[k];
        store<V>(y, i, value);
    });
}

}  // namespace SLTT_VARIANT

#define VARIANT(T, suffix) \
    SLTT_KERNEL(bias_add_##suffix, (SLTT_VARIANT::T* y, const SLTT_VARIANT::T* x, const float* bias, int64_t rows, int channels), \
                SLTT_VARIANT::bias_add<SLTT_VARIANT::T>(y, x, bias, rows, channels))
SLTT_FOR_EACH_TYPE(VARIANT)
#undef VARIANT
