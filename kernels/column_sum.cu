// column_sum: sums[c] += sum over r of x[r][c], the gradient of a bias, in one launch.
//
// x (rows, channels), NHWC, type T; sums (channels), float. Reads b bytes an element (type of b bytes). Adds to sums.
// Numerics: float over a few dozen rows, then double, in an order that does not depend on the grid; no atomics.
#include "common/sltt.cuh"

namespace sltt {

template <class T> __device__ inline void column_sum(float* sums, const T* x, int64_t rows, int channels) {
    sum_columns<1, 4, T>(
        rows, channels, [=](auto lanes, int64_t i) { return fetch<decltype(lanes)::value>(x, i); },
        [=](auto, int64_t, const auto&, const auto&, const auto& in) { return packs(from_memory(in)); },
        [=](int, int c, double total) { sums[c] += (float)total; });
}

#define VARIANT(T, suffix)                                                                                                \
    SLTT_SUM_KERNEL(column_sum_##suffix, (float* __restrict__ sums, const T* __restrict__ x, int64_t rows, int channels), \
                    column_sum<T>(sums, x, rows, channels))
SLTT_FOR_EACH_TYPE(VARIANT)
#undef VARIANT

}  // namespace sltt
