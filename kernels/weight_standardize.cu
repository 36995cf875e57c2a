// weight_standardize, weight_standardize_backward: scaled weight standardisation of normaliser-free networks; sum_to_scalar.
//
// For each output channel o, over its fan_in weights:
//   r = 1/sqrt(var fan_in + eps), var unbiased;  nhat = (w - mean) r;  w_hat = gain_o nhat
//   f = alpha skipinit_gain (null: f = 1): the block's output gain, folded into its last convolution
//   weight_eff = f w_hat,  bias_eff = f bias
// backward, from G = dL/dweight_eff and Gb = dL/dbias_eff:
//   grad_bias = f Gb;  grad_gain = f <G, nhat>;  grad_skip_partial[o] = alpha (<G, w_hat> + Gb bias)
//   grad_weight = f gain r (G - mean(G) - fan_in/(fan_in-1) nhat <G, nhat>)
// sum_to_scalar: out[0] = sum of the n partials, in a fixed order.
//
// weight, weight_eff, grad_weight, grad_weight_eff (O, fan_in); rstd r, bias_eff, gain, bias, ... (O). weight_eff is type T,
// everything else float. A block takes one output channel at a time and keeps its weights in registers (filters.cuh).
// Bytes a weight (type of b bytes): forward reads 4, writes b; backward reads 8, writes 4.
// Overwrites all outputs; grad_weight may be grad_weight_eff, grad_bias may be grad_bias_eff.
// Numerics: sums in double; f w_hat in float, rounded once.
// Source: Brock, De and Smith 2021 (Characterizing signal propagation); the official ScaledWSConv2d, eps 1e-4.
#include "common/sltt.cuh"
#include "filters.cuh"

namespace sltt {

struct FilterStatistics {
    float mean, rstd;
};
// Mean and 1/sqrt(variance * fan_in + eps) of a filter.
__device__ inline FilterStatistics filter_statistics(const RowMoments& moments, int fan_in, float eps) {
    return {(float)moments.mean, (float)(1.0 / sqrt(moments.variance * fan_in + (double)eps))};
}

template <class T>
__device__ inline void weight_standardize(T* weight_eff, float* rstd, float* bias_eff, const float* weight, const float* gain,
                                          const float* bias, const float* skipinit_gain, float alpha, float eps, int out_channels,
                                          int fan_in) {
    float f = skipinit_gain ? alpha * *skipinit_gain : 1.0f;
    for_blocks(out_channels, [=](int64_t o) {
        FilterRow w(weight + o * fan_in, fan_in);
        FilterStatistics s = filter_statistics(row_moments(w), fan_in, eps);
        float g = gain[o];
        for_row(w, [=](auto lanes, int j, const auto& x) {
            store<decltype(lanes)::value>(weight_eff, o * fan_in + j, f * (g * ((x - s.mean) * s.rstd)));
        });
        if (first_thread()) {
            rstd[o] = s.rstd;
            bias_eff[o] = f * bias[o];
        }
    });
}

__device__ inline void weight_standardize_backward_body(float* grad_weight, float* grad_gain, float* grad_bias, float* grad_skip_partial,
                                                        const float* grad_weight_eff, const float* grad_bias_eff, const float* weight,
                                                        const float* gain, const float* bias, const float* skipinit_gain, float alpha,
                                                        float eps, int out_channels, int fan_in) {
    float f = skipinit_gain ? alpha * *skipinit_gain : 1.0f;
    for_blocks(out_channels, [=](int64_t o) {
        FilterRow w(weight + o * fan_in, fan_in), grad(grad_weight_eff + o * fan_in, fan_in);
        PairMoments moments = pair_moments(w, grad);
        FilterStatistics s = filter_statistics(moments.x, fan_in, eps);
        double dot = moments.sum_xy * (double)s.rstd;  // <G, nhat>
        float factor = f * gain[o] * s.rstd, average = (float)(moments.sum_y / fan_in),
              along = (float)(dot * ((double)fan_in / (fan_in - 1)));
        float* out = grad_weight + o * fan_in;
        for_row_pairs(w, grad, [=](auto lanes, int j, const auto& x, const auto& g) {
            store<decltype(lanes)::value>(out, j, factor * ((g - average) - (x - s.mean) * s.rstd * along));
        });
        if (first_thread()) {
            float of_bias = grad_bias_eff[o];
            if (grad_skip_partial)
                grad_skip_partial[o] = (float)((double)alpha * ((double)gain[o] * dot + (double)of_bias * (double)bias[o]));
            grad_gain[o] = (float)((double)f * dot);
            grad_bias[o] = f * of_bias;
        }
    });
}

__device__ inline void sum_to_scalar_body(float* out, const float* x, int n) {
    if (blockIdx.x != 0) return;
    double total = block_sums<1>(n, [=](auto lanes, int j) { return packs(load<decltype(lanes)::value>(x, j)); })[0];
    if (first_thread()) *out = (float)total;
}

#define VARIANT(T, suffix)                                                                                                             \
    SLTT_KERNEL(weight_standardize_##suffix,                                                                                           \
                (T* __restrict__ weight_eff, float* __restrict__ rstd, float* __restrict__ bias_eff, const float* __restrict__ weight, \
                 const float* __restrict__ gain, const float* __restrict__ bias, const float* __restrict__ skipinit_gain, float alpha, \
                 float eps, int out_channels, int fan_in),                                                                             \
                weight_standardize<T>(weight_eff, rstd, bias_eff, weight, gain, bias, skipinit_gain, alpha, eps, out_channels, fan_in))
SLTT_FOR_EACH_TYPE(VARIANT)
#undef VARIANT

SLTT_KERNEL(weight_standardize_backward,
            (float* grad_weight, float* __restrict__ grad_gain, float* grad_bias, float* __restrict__ grad_skip_partial,
             const float* grad_weight_eff, const float* grad_bias_eff, const float* __restrict__ weight, const float* __restrict__ gain,
             const float* __restrict__ bias, const float* __restrict__ skipinit_gain, float alpha, float eps, int out_channels, int fan_in),
            weight_standardize_backward_body(grad_weight, grad_gain, grad_bias, grad_skip_partial, grad_weight_eff, grad_bias_eff, weight,
                                             gain, bias, skipinit_gain, alpha, eps, out_channels, fan_in))
SLTT_KERNEL(sum_to_scalar, (float* __restrict__ out, const float* __restrict__ x, int n), sum_to_scalar_body(out, x, n))

}  // namespace sltt
