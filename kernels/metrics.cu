// label_ranks, metrics: adds a batch's loss and hits to the epoch's sums, in two stages.
//
//   ranks[i] = classes that come before the label in the order of total_logits, the lower index first among equals
//   metrics[0] += sum of sample_loss;  [1] += samples of rank < 1;  [2] += samples of rank < 5;  [3] += n
//
// ranks (n); metrics (4) double; total_logits (n, classes), sample_loss (n), labels (n). A label whose logit is NaN is behind all hits,
// however few classes there are.
// label_ranks: reads 4 bytes a logit, overwrites ranks; a block takes one sample at a time. metrics: reads 8 bytes a sample, adds to
// metrics; one block.
// Numerics: counts are exact; the losses are added up in double, in a fixed order.
// Source: torch.argmax, torch.topk over the sum of the logits over t.
#include "common/sltt.cuh"

namespace sltt {

// 1 for each of the classes c, c + 1, ... that comes before the label, else 0. A NaN comes before it.
template <int V> __device__ inline Pack<V> before_label(const Pack<V>& logits, int c, float of_label, int label) {
    Pack<V> index;
    for (int k = 0; k < V; ++k) index.v[k] = (float)k;
    return select(index < (float)(label - c), select(logits < of_label, 0.0f, Pack<V>(1.0f)),
                  select(logits <= of_label, 0.0f, Pack<V>(1.0f)));
}

__device__ inline void label_ranks_body(int32_t* ranks, const float* total_logits, const int32_t* labels, int n, int classes) {
    for_blocks(n, [=](int64_t i) {
        const float* z = total_logits + i * classes;
        int label = labels[i];
        float of_label = z[label];
        double rank = block_sums<1>(classes, [=](auto lanes, int c) {
            constexpr int V = decltype(lanes)::value;
            return packs(before_label<V>(load<V>(z, c), c, of_label, label));
        })[0];
        if (first_thread()) ranks[i] = of_label == of_label ? (int)rank : classes + 5;
    });
}

__device__ inline void metrics_body(double* metrics, const int32_t* ranks, const float* sample_loss, int n) {
    if (blockIdx.x != 0) return;
    Totals<3> sums = block_sums<3>(n, [=](auto lanes, int i) {
        constexpr int V = decltype(lanes)::value;
        Packs<3, V> terms{{load<V>(sample_loss, i), Pack<V>(0.0f), Pack<V>(0.0f)}};
        for (int k = 0; k < V; ++k) {
            terms[1].v[k] = ranks[i + k] < 1 ? 1.0f : 0.0f;
            terms[2].v[k] = ranks[i + k] < 5 ? 1.0f : 0.0f;
        }
        return terms;
    });
    if (first_thread()) {
        for (int k = 0; k < 3; ++k) metrics[k] += sums[k];
        metrics[3] += n;
    }
}

SLTT_KERNEL(label_ranks,
            (int32_t* __restrict__ ranks, const float* __restrict__ total_logits, const int32_t* __restrict__ labels, int n, int classes),
            label_ranks_body(ranks, total_logits, labels, n, classes))
SLTT_KERNEL(metrics, (double* __restrict__ metrics, const int32_t* __restrict__ ranks, const float* __restrict__ sample_loss, int n),
            metrics_body(metrics, ranks, sample_loss, n))

}  // namespace sltt
