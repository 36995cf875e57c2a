// bias_add: y[r][c] = x[r][c] + bias[c].
//
// x, y (rows, channels), NHWC, type T; bias (channels), float. Bytes an element (type of b bytes): reads b, writes b.
// Overwrites y, which may be x. Numerics: float, rounded once.
#include "common/sltt.cuh"

namespace sltt {

template <class T> __device__ inline void bias_add(T* y, const T* x, const float* bias, int64_t rows, int channels) {
    for_rows_channels<T>(rows, channels, PerChannel<1>{{bias}}, no_dropout(), [=](auto lanes, int64_t i, const auto& params, const auto&) {
        constexpr int V = decltype(lanes)::value;
        store<V>(y, i, load<V>(x, i) + params[0]);
    });
}

#define VARIANT(T, suffix)                                                                                          \
    SLTT_KERNEL(bias_add_##suffix, (T * y, const T* x, const float* __restrict__ bias, int64_t rows, int channels), \
                bias_add<T>(y, x, bias, rows, channels))
SLTT_FOR_EACH_TYPE(VARIANT)
#undef VARIANT

}  // namespace sltt
