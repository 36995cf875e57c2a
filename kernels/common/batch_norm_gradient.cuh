// The gradient of a batch norm's parameters, from sums over its rows.
#pragma once
#include "sums.cuh"

namespace sltt {

// Behind sum_rows_for_last_block of S0 = sum of dy and S1 = sum of dy xhat. For each step, in order:
//   grad_bias += S0;  grad_weight += S1;  coefficients = (S0/rows, S1/rows)
// grad_bias, grad_weight: (channels); coefficients: (steps, 2, channels). The rest is as in finish_in_last_block.
template <class T, int MAX_PACK = 8>
__device__ inline void finish_batch_norm_gradient(uint32_t* arrived, const double* partials, float* grad_weight, float* grad_bias,
                                                  float* coefficients, int steps, int64_t rows, int channels) {
    struct Gradient {
        float weight, bias;
    };
    auto start = [=](int c) { return Gradient{grad_weight[c], grad_bias[c]}; };
    finish_in_last_block<2, T, MAX_PACK>(arrived, partials, steps, channels, start,
                                         [=](int c, int step, const Totals<2>& sums, Gradient& grad) {
                                             grad.bias += (float)sums[0];
                                             grad.weight += (float)sums[1];
                                             int64_t o = (int64_t)step * 2 * channels + c;
                                             coefficients[o] = (float)(sums[0] / (double)rows);
                                             coefficients[o + channels] = (float)(sums[1] / (double)rows);
                                             if (step + 1 < steps) return;
                                             grad_bias[c] = grad.bias;
                                             grad_weight[c] = grad.weight;
                                         });
}

}  // namespace sltt
