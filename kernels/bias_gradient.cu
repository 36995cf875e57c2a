// bias_gradient, bias_gradient_finalize: gradient of a bias, the column sums of the gradient of what it was added to.
//
//   grad_bias[c] += sum over rows r of grad_y[r][c]
//
// grad_y (rows, channels), NHWC, type T; grad_bias (channels), float. Two stages of fixed order, no atomics: bias_gradient writes
// one partial sum a block, partials (gridDim.x, 1, channels) double; bias_gradient_finalize adds them to grad_bias in order.
// Bytes an element (type of b bytes): reads b. For few rows column_sum does it in one launch.
// Numerics: sums in float over at most a few dozen rows, then double (common/sltt.cuh).
#include "common/sltt.cuh"

namespace SLTT_VARIANT {

template <class T> __device__ inline void bias_gradient(double* partials, const T* grad_y, int64_t rows, int channels) {
    sum_rows<1, T>(partials, rows, channels, PerChannel<0>{}, no_dropout(), [=](auto lanes, int64_t i, const auto&, const auto&) {
        return Packs<1, decltype(lanes)::value>{{load<decltype(lanes)::value>(grad_y, i)}};
    });
}

__device__ inline void bias_gradient_finalize_body(float* grad_bias, const double* partials, int parts, int channels) {
    finish_sums<1>(partials, parts, channels, [=](int c, const Totals<1>& sums) { grad_bias[c] += (float)sums[0]; });
}

#define VARIANT(T, suffix)                                                                                                      \
    SLTT_KERNEL(bias_gradient_##suffix, (double* __restrict__ partials, const T* __restrict__ grad_y, int64_t rows, int channels), \
                bias_gradient<T>(partials, grad_y, rows, channels))
SLTT_FOR_EACH_TYPE(VARIANT)
#undef VARIANT

SLTT_KERNEL(bias_gradient_finalize, (float* __restrict__ grad_bias, const double* __restrict__ partials, int parts, int channels),
            bias_gradient_finalize_body(grad_bias, partials, parts, channels))

}  // namespace SLTT_VARIANT
