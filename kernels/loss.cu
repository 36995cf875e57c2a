// loss: the loss of time steps, its gradient, and the running sum of the logits.
//
// For each step, in order:
//   l_i = (1-lambda) CE(z_i, y_i) + lambda mean_c (z_ic - target_ic)^2       (lambda = 0: CE alone)
//   target: one-hot of y_i (mse_one_hot), else loss_means everywhere
//   sample_loss[i] += scale l_i;  total_logits += z;  grad_logits = loss_scale scale/n dl/dz
//
// logits z (steps, n, classes), total_logits (n, classes) float; grad_logits (steps, n, classes), type T, the gradient of the linear
// layer's output; labels, sample_loss (n). scale: 1/T. loss_scale: RunState's (AMP). A null output is not written. A block takes one sample at a time.
// Bytes an element (type of b bytes): reads 4, total_logits 4; writes grad_logits b, total_logits 4.
// Overwrites grad_logits; adds to sample_loss and total_logits.
// Numerics: log-sum-exp about the largest logit; sums in double.
// Source: the official training programs' loss; torch.nn.CrossEntropyLoss, MSELoss (means over n, over n classes).
#include "common/sltt.cuh"

namespace sltt {

// target of classes c, c + 1, ...: one-hot of the label times `hot`, plus `base`.
template <int V> __device__ inline Pack<V> one_hot(int c, int label, float hot, float base) {
    Pack<V> out(base);
    if (label >= c && label < c + V) out.v[label - c] = base + hot;
    return out;
}

template <class T>
__device__ inline void loss(T* grad_logits, float* sample_loss, float* total_logits, const float* logits, const int32_t* labels,
                            float lambda, int mse_one_hot, float loss_means, float scale, const RunState* state, int steps, int n,
                            int classes) {
    float hot = mse_one_hot ? 1.0f : 0.0f, base = mse_one_hot ? 0.0f : loss_means;
    if (blockIdx.y != 0) return;
    for_blocks(n, [=](int64_t i) {
        int label = labels[i];
        for (int step = 0; step < steps; ++step) {
            const int64_t row = ((int64_t)step * n + i) * classes;
            const float* z = logits + row;
            float largest = block_max(classes, [=](auto lanes, int c) { return load<decltype(lanes)::value>(z, c); });
            Totals<2> sums = block_sums<2>(classes, [=](auto lanes, int c) {  // exp(z - largest); squared distance to the target
                constexpr int V = decltype(lanes)::value;
                Pack<V> logit = load<V>(z, c), d = logit - one_hot<V>(c, label, hot, base);
                return packs(exp_of_negative(logit - largest), d * d);
            });
            if (sample_loss && first_thread()) {
                double l = log(sums[0]) - ((double)z[label] - (double)largest);
                if (lambda != 0.0f) l = (1.0 - (double)lambda) * l + (double)lambda * (sums[1] / classes);
                sample_loss[i] += (float)((double)scale * l);
            }
            float over_sum = (float)(1.0 / sums[0]), factor = grad_logits ? state->loss_scale * (scale / (float)n) : 0.0f;
            float of_ce = 1.0f - lambda, of_mse = 2.0f * lambda / (float)classes;
            for_block_items(classes, [=](auto lanes, int64_t c) {
                constexpr int V = decltype(lanes)::value;
                Pack<V> logit = load<V>(z, c);
                if (grad_logits) {
                    Pack<V> d = of_ce * (exp_of_negative(logit - largest) * over_sum - one_hot<V>((int)c, label, 1.0f, 0.0f));
                    if (lambda != 0.0f) d = d + of_mse * (logit - one_hot<V>((int)c, label, hot, base));
                    store<V>(grad_logits, row + c, factor * d);
                }
                if (total_logits) store<V>(total_logits, i * classes + c, load<V>(total_logits, i * classes + c) + logit);
            });
        }
    });
}

#define VARIANT(T, suffix)                                                                                                                 \
    SLTT_KERNEL(loss_##suffix,                                                                                                             \
                (T* __restrict__ grad_logits, float* __restrict__ sample_loss, float* __restrict__ total_logits,                           \
                 const float* __restrict__ logits, const int32_t* __restrict__ labels, float loss_lambda, int mse_one_hot,                 \
                 float loss_means, float scale, const RunState* state, int steps, int n, int classes),                                     \
                loss<T>(grad_logits, sample_loss, total_logits, logits, labels, loss_lambda, mse_one_hot, loss_means, scale, state, steps, \
                        n, classes))
SLTT_FOR_EACH_TYPE(VARIANT)
#undef VARIANT

}  // namespace sltt
