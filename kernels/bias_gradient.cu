// bias_gradient, bias_gradient_finalize: gradient of a bias: column sums of the output's gradient, in two stages.
//
//   partials[b][0][c] = sum of grad_y[r][c] over block b's rows;  grad_bias[c] += sum over b of partials[b][0][c]
//
// grad_y (rows, channels), NHWC, type T; partials (parts, 1, channels) double; grad_bias (channels) float.
// Reads b bytes an element (type of b bytes). Overwrites partials; adds to grad_bias.
// Numerics: float over a few dozen rows, then double, in a fixed order; no atomics. column_sum does it in one launch, for few rows.
#include "common/sltt.cuh"

namespace sltt {

template <class T> __device__ inline void bias_gradient(double* partials, const T* grad_y, int64_t rows, int channels) {
    sum_rows<1, 4, T>(
        partials, rows, channels, PerChannel<0>{}, no_dropout(),
        [=](auto lanes, int64_t i) { return fetch<decltype(lanes)::value>(grad_y, i); },
        [=](auto, int64_t, const auto&, const auto&, const auto& in) { return packs(from_memory(in)); });
}

__device__ inline void bias_gradient_finalize_body(float* grad_bias, const double* partials, int parts, int channels) {
    finish_sums<1>(partials, parts, channels, [=](int c, const Totals<1>& sums) { grad_bias[c] += (float)sums[0]; });
}

#define VARIANT(T, suffix)                                                                                                             \
    SLTT_SUM_KERNEL(bias_gradient_##suffix, (double* __restrict__ partials, const T* __restrict__ grad_y, int64_t rows, int channels), \
                    bias_gradient<T>(partials, grad_y, rows, channels))
SLTT_FOR_EACH_TYPE(VARIANT)
#undef VARIANT

SLTT_KERNEL(bias_gradient_finalize, (float* __restrict__ grad_bias, const double* __restrict__ partials, int parts, int channels),
            bias_gradient_finalize_body(grad_bias, partials, parts, channels))

}  // namespace sltt
