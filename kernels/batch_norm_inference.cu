// batch_norm_inference: mean and scale for batch_norm_lif_forward from the running statistics (evaluation).
//
//   mean = running_mean - conv_bias - shortcut_bias,  scale = weight / sqrt(running_var + eps)
//
// All (channels), float; conv_bias and shortcut_bias may be null. The convolutions in front do not add their biases, but running_mean
// includes them (batch_norm_statistics.cu). So this kernel subtracts them.
// Overwrites mean and scale. Numerics: double, rounded once.
#include "common/sltt.cuh"

namespace sltt {

__device__ inline void batch_norm_inference_body(float* mean, float* scale, const float* running_mean, const float* running_var,
                                                 const float* weight, const float* conv_bias, const float* shortcut_bias, float eps,
                                                 int channels) {
    for_items(channels, [=](int64_t c) {
        mean[c] =
            (float)((double)running_mean[c] - (conv_bias ? (double)conv_bias[c] : 0.0) - (shortcut_bias ? (double)shortcut_bias[c] : 0.0));
        scale[c] = (float)((double)weight[c] / sqrt((double)running_var[c] + (double)eps));
    });
}

SLTT_KERNEL(batch_norm_inference,
            (float* __restrict__ mean, float* __restrict__ scale, const float* __restrict__ running_mean,
             const float* __restrict__ running_var, const float* __restrict__ weight, const float* __restrict__ conv_bias,
             const float* __restrict__ shortcut_bias, float eps, int channels),
            batch_norm_inference_body(mean, scale, running_mean, running_var, weight, conv_bias, shortcut_bias, eps, channels))

}  // namespace sltt
