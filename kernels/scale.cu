// scale: y = factor x.
//
// (n), any layout. Bytes an element (type of b bytes): reads b, writes b. Overwrites y, which may be x.
// Numerics: float, rounded once.
#include "common/sltt.cuh"

namespace sltt {

template <class T> __device__ inline void scale(T* y, const T* x, float factor, int64_t n) {
    for_elements<T>(n, [=](auto lanes, int64_t i) {
        constexpr int V = decltype(lanes)::value;
        store<V>(y, i, factor * load<V>(x, i));
    });
}

#define VARIANT(T, suffix) SLTT_KERNEL(scale_##suffix, (T * y, const T* x, float factor, int64_t n), scale<T>(y, x, factor, n))
SLTT_FOR_EACH_TYPE(VARIANT)
#undef VARIANT

}  // namespace sltt
