// loss: one time step's loss, its gradient, and the running sum of the logits.
//
//   l_i = (1-lambda) CE(z_i, y_i) + lambda mean_c (z_ic - target_ic)^2       (lambda = 0: CE alone)
//   target: one-hot of y_i (mse_one_hot), else loss_means everywhere
//   sample_loss[i] += scale l_i;  total_logits += z;  grad_logits = loss_scale scale/n dl/dz
//
// logits z, total_logits (n, classes) float; grad_logits (n, classes), type T, its input gradient of the linear layer; labels (n).
// scale: 1/T. loss_scale: the run state's (AMP). A null output is skipped. One sample a block turn.
// Bytes an element (type of b bytes): reads 4, total_logits 4; writes grad_logits b, total_logits 4.
// Overwrites grad_logits; adds to sample_loss and total_logits.
// Numerics: log-sum-exp about the largest logit; sums in double.
// Source: the official training programs' loss; torch.nn.CrossEntropyLoss, MSELoss (means over n, over n classes).
#include "common/sltt.cuh"

namespace SLTT_VARIANT {

template <class T>
__device__ inline void loss(T* grad_logits, float* sample_loss, float* total_logits, const float* logits, const int32_t* labels, float lambda,
                            int mse_one_hot, float loss_means, float scale, const RunState* state, int n, int classes) {
    for_blocks(n, [=](int64_t i) {
        const float* z = logits + i * classes;
        int label = labels[i];
        float largest = z[0];
        for_block_items(classes, [&](int c) { largest = z[c] > largest ? z[c] : largest; });
        largest = block_max(largest);
        Totals<2> sums = block_sums<2>(classes, [=](int c) {  // exp(z - largest); squared distance to the target
            float d = z[c] - (mse_one_hot ? (c == label ? 1.0f : 0.0f) : loss_means);
            return Packs<2, 1>{{{{exp_of_negative(z[c] - largest)}}, {{d * d}}}};
        });
        if (sample_loss && first_thread()) {
            double l = log(sums[0]) - ((double)z[label] - (double)largest);
            if (lambda != 0.0f) l = (1.0 - (double)lambda) * l + (double)lambda * (sums[1] / classes);
            sample_loss[i] += (float)((double)scale * l);
        }
        float over_sum = (float)(1.0 / sums[0]), factor = grad_logits ? state->loss_scale * (scale / (float)n) : 0.0f;
        float of_ce = 1.0f - lambda, of_mse = 2.0f * lambda / (float)classes;
        for_block_items(classes, [=](int c) {
            float hot = c == label ? 1.0f : 0.0f;
            if (grad_logits) {
                float d = of_ce * (exp_of_negative(z[c] - largest) * over_sum - hot);
                if (lambda != 0.0f) d += of_mse * (z[c] - (mse_one_hot ? hot : loss_means));
                grad_logits[i * classes + c] = from_float<T>(factor * d);
            }
            if (total_logits) total_logits[i * classes + c] += z[c];
        });
    });
}

#define VARIANT(T, suffix)                                                                                                                  \
    SLTT_KERNEL(loss_##suffix,                                                                                                              \
                (T* __restrict__ grad_logits, float* __restrict__ sample_loss, float* __restrict__ total_logits,                            \
                 const float* __restrict__ logits, const int32_t* __restrict__ labels, float loss_lambda, int mse_one_hot, float loss_means, \
                 float scale, const RunState* state, int n, int classes),                                                                   \
                loss<T>(grad_logits, sample_loss, total_logits, logits, labels, loss_lambda, mse_one_hot, loss_means, scale, state, n,      \
                        classes))
SLTT_FOR_EACH_TYPE(VARIANT)
#undef VARIANT

}  // namespace SLTT_VARIANT
