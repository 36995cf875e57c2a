// cast: y = x rounded to type T. It makes the working copy of the master weights.
//
// x (n) float, y (n) type T of b bytes. Bytes an element: reads 4, writes b. Overwrites y.
#include "common/sltt.cuh"

namespace sltt {

template <class T> __device__ inline void cast(T* y, const float* x, int64_t n) {
    for_elements<T>(n, [=](auto lanes, int64_t i) { store<decltype(lanes)::value>(y, i, load<decltype(lanes)::value, STREAM>(x, i)); });
}

#define VARIANT(T, suffix) SLTT_KERNEL(cast_##suffix, (T* __restrict__ y, const float* __restrict__ x, int64_t n), cast<T>(y, x, n))
SLTT_FOR_EACH_TYPE(VARIANT)
#undef VARIANT

}  // namespace sltt
