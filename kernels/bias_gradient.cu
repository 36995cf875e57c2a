// Gradient of a bias: the column sums of the gradient of what the bias was added to.
//
//   db[c] += sum over rows r of dy[r, c]
//
// dy (rows, channels), NHWC; db (channels), float. Two stages of fixed order, no atomics: bias_gradient writes a partial sum
// a block, partials (parts, 1, channels), double; bias_gradient_finalize adds them up in order and adds to db.
// Reads sizeof(T) bytes an element, writes nothing an element.
#include "common/sltt.cuh"

namespace SLTT_VARIANT {

template <class T> __device__ void bias_gradient(double* partials, const T* __restrict__ grad_y, int64_t rows, int channels) {
    sum_rows<1, T>(partials, rows, channels, [=](auto lanes, int64_t i, int) {
        constexpr int V = decltype(lanes)::value;
        Terms<1, V> terms;
        terms.k[0] = load<V>(grad_y, i);
        return terms;
    });
}

__device__ inline void bias_gradient_sum(float* grad_bias, const double* partials, int parts, int channels) {
    for (int c = (int)(blockIdx.x * blockDim.x + threadIdx.x); c < channels; c += (int)(gridDim.x * blockDim.x))
        grad_bias[c] += (float)sum_partials(partials, parts, 1, 0, channels, c);
}

}  // namespace SLTT_VARIANT

#define VARIANT(T, suffix) \
    SLTT_KERNEL(bias_gradient_##suffix, (double* partials, const SLTT_VARIANT::T* grad_y, int64_t rows, int channels), \
                SLTT_VARIANT::bias_gradient<SLTT_VARIANT::T>(partials, grad_y, rows, channels))
SLTT_FOR_EACH_TYPE(VARIANT)
#undef VARIANT

SLTT_KERNEL(bias_gradient_finalize, (float* grad_bias, const double* partials, int parts, int channels),
            SLTT_VARIANT::bias_gradient_sum(grad_bias, partials, parts, channels))
