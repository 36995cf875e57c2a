// metrics: adds a batch's loss and hits to the epoch's sums.
//
//   metrics[0] += sum of sample_loss;  [1] += top-1 hits;  [2] += top-5 hits;  [3] += n
//   hit: fewer than 1 (5) classes come before the label in the order of total_logits, the lower index first among equals
//
// metrics (4) double; total_logits (n, classes), sample_loss (n), labels (n). A label whose logit is NaN is no hit.
// Reads 4 bytes an element. Adds to metrics. One block, a thread a sample.
// Source: torch.argmax, torch.topk over the sum of the logits over t.
#include "common/sltt.cuh"

namespace sltt {

// How many classes come before `label`.
__device__ inline int rank_of(const float* z, int label, int classes) {
    int rank = 0;
    for (int c = 0; c < classes; ++c) {
        bool before = !(z[c] <= z[label]) || (z[c] == z[label] && c < label);
        rank += before && c != label ? 1 : 0;
    }
    return z[label] == z[label] ? rank : classes + 5;  // behind all hits, however few classes
}

__device__ inline void metrics_body(double* metrics, const float* total_logits, const float* sample_loss, const int32_t* labels, int n,
                                    int classes) {
    Totals<3> sums = block_sums<3>(n, [=](auto lanes, int i) {
        constexpr int V = decltype(lanes)::value;
        Packs<3, V> terms{{load<V>(sample_loss, i), Pack<V>(0.0f), Pack<V>(0.0f)}};
        for (int k = 0; k < V; ++k) {
            int rank = rank_of(total_logits + (int64_t)(i + k) * classes, labels[i + k], classes);
            terms[1].v[k] = rank < 1 ? 1.0f : 0.0f;
            terms[2].v[k] = rank < 5 ? 1.0f : 0.0f;
        }
        return terms;
    });
    if (first_thread()) {
        for (int k = 0; k < 3; ++k) metrics[k] += sums[k];
        metrics[3] += n;
    }
}

SLTT_KERNEL(metrics,
            (double* __restrict__ metrics, const float* __restrict__ total_logits, const float* __restrict__ sample_loss,
             const int32_t* __restrict__ labels, int n, int classes),
            metrics_body(metrics, total_logits, sample_loss, labels, n, classes))

}  // namespace sltt
