// residual_add: y = (a + bias_a[c]) + (b + bias_b[c]), a block's output and its shortcut.
//
// y, a, b (rows, channels), NHWC, type T; bias_a, bias_b (channels) float or null.
// Bytes an element (type of b bytes): reads 2b, writes b. Overwrites y, which may be a or b. Numerics: float, rounded once.
#include "common/sltt.cuh"

namespace sltt {

template <class T>
__device__ inline void residual_add(T* y, const T* a, const T* b, const float* bias_a, const float* bias_b, int64_t rows, int channels) {
    for_rows_channels<T>(rows, channels, PerChannel<2>{{bias_a, bias_b}}, no_dropout(),
                         [=](auto lanes, int64_t i, const auto& bias, const auto&) {
                             constexpr int V = decltype(lanes)::value;
                             store<V>(y, i, (load<V>(a, i) + bias[0]) + (load<V>(b, i) + bias[1]));
                         });
}

#define VARIANT(T, suffix)                                                                                                               \
    SLTT_KERNEL(                                                                                                                         \
        residual_add_##suffix,                                                                                                           \
        (T * y, const T* a, const T* b, const float* __restrict__ bias_a, const float* __restrict__ bias_b, int64_t rows, int channels), \
        residual_add<T>(y, a, b, bias_a, bias_b, rows, channels))
SLTT_FOR_EACH_TYPE(VARIANT)
#undef VARIANT

}  // namespace sltt
