// add: y = a + b.
//
// (n), any layout. Bytes an element (type of b bytes): reads 2b, writes b. Overwrites y, which may be a or b.
// Numerics: float, rounded once.
#include "common/sltt.cuh"

namespace SLTT_VARIANT {

template <class T> __device__ inline void add(T* y, const T* a, const T* b, int64_t n) {
    for_elements<T>(n, [=](auto lanes, int64_t i) {
        constexpr int V = decltype(lanes)::value;
        store<V>(y, i, load<V>(a, i) + load<V>(b, i));
    });
}

#define VARIANT(T, suffix) SLTT_KERNEL(add_##suffix, (T * y, const T* a, const T* b, int64_t n), add<T>(y, a, b, n))
SLTT_FOR_EACH_TYPE(VARIANT)
#undef VARIANT

}  // namespace SLTT_VARIANT
