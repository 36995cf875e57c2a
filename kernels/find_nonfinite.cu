// find_nonfinite: the index of the first number that is NaN or infinite.
//
//   first <- min(first, the smallest i with values[i] not finite)
//
// values: (n) float. first: one number; all bits set before the launch mean that none is found.
// Reads 4 bytes an element. Lowers first, by an integer minimum: the order of the threads does not matter.
#include "common/sltt.cuh"

namespace sltt {

// unsigned long long is the 64-bit type of CUDA's atomicMin.
__device__ inline void find_nonfinite_body(unsigned long long* first, const float* values, int64_t n) {
    int64_t found = n;
    for_elements<float>(n, [&](auto lanes, int64_t i) {
        constexpr int V = decltype(lanes)::value;
        Pack<V> x = load<V>(values, i);
        if (all_finite(x)) return;
        for (int k = 0; k < V; ++k)
            if (!is_finite(x.v[k]) && i + k < found) found = i + k;
    });
    if (found < n) atomicMin(first, (unsigned long long)found);
}

SLTT_KERNEL(find_nonfinite, (unsigned long long* first, const float* __restrict__ values, int64_t n),
            find_nonfinite_body(first, values, n))

}  // namespace sltt
