// bias_gradient: gradient of a bias, the column sums of the output's gradient, in one launch.
// bias_gradient_finalize: the second stage alone, for kernels that leave partial sums by sum_rows.
//
//   partials[b][0][c] = sum of grad_y[r][c] over block b's rows;  grad_bias[c] += sum over b of partials[b][0][c]
//
// grad_y (rows, channels), NHWC, type T; partials (parts, 1, channels) double; grad_bias (channels) float. arrived: a counter for each 32
// channels, 0 before and after the launch.
// Reads b bytes an element (type of b bytes). Overwrites partials; adds to grad_bias.
// Numerics: float over a few dozen rows, then double, in a fixed order. column_sum does it without partial sums, for few rows.
#include "common/sltt.cuh"

namespace sltt {

template <class T>
__device__ inline void bias_gradient(double* partials, uint32_t* arrived, float* grad_bias, const T* grad_y, int64_t rows, int channels) {
    sum_rows_for_last_block<1, 4, T>(
        partials, rows, channels, PerChannel<0>{}, no_dropout(),
        [=](auto lanes, int64_t i) { return fetch<decltype(lanes)::value>(grad_y, i); },
        [=](auto, int64_t, const auto&, const auto&, const auto& in) { return packs(from_memory(in)); });
    auto start = [](int) { return 0; };
    finish_in_last_block<1, T>(arrived, partials, 1, channels, start,
                               [=](int c, int, const Totals<1>& sums, int&) { grad_bias[c] += (float)sums[0]; });
}

__device__ inline void bias_gradient_finalize_body(float* grad_bias, const double* partials, int parts, int channels) {
    finish_sums<1>(partials, parts, channels, [=](int c, const Totals<1>& sums) { grad_bias[c] += (float)sums[0]; });
}

#define VARIANT(T, suffix)                                                                                         \
    SLTT_SUM_KERNEL(bias_gradient_##suffix,                                                                        \
                    (double* __restrict__ partials, uint32_t* __restrict__ arrived, float* __restrict__ grad_bias, \
                     const T* __restrict__ grad_y, int64_t rows, int channels),                                    \
                    bias_gradient<T>(partials, arrived, grad_bias, grad_y, rows, channels))
SLTT_FOR_EACH_TYPE(VARIANT)
#undef VARIANT

SLTT_KERNEL(bias_gradient_finalize, (float* __restrict__ grad_bias, const double* __restrict__ partials, int parts, int channels),
            bias_gradient_finalize_body(grad_bias, partials, parts, channels))

}  // namespace sltt
