// batch_norm_statistics: batch statistics of a convolution's output, in one launch.
//
// First, for each step: x <- x + residual, or x + [residual_u >= v_th] (the spikes of the layer whose potentials residual_u holds), or x
// unchanged. From x as stored, over all rows, with shift = running_mean before the launch:
//   S0 = sum of (x - shift[c]),  S1 = sum of (x - shift[c])^2
// The block that ends last adds up what each block has summed, and for each step, with d = S0/rows:
//   mean = shift + d;  var = S1/rows - d^2;  invstd = 1/sqrt(var + eps);  scale = weight invstd
//   `repeats` times: running_mean <- (1-m) running_mean + m (mean + conv_bias + shortcut_bias)
//                    running_var <- (1-m) running_var + m var rows/(rows-1),  m = momentum
//   num_batches_tracked += repeats (one number)
// A bias in front of batch norm shifts only the mean. So the convolutions do not add it; only running_mean includes it. The running
// statistics move step by step, in order. The shift is near the mean, so the variance does not cancel.
//
// x, residual, residual_u: (steps, rows, channels), NHWC. mean, invstd, scale: (steps, channels); the other channel arrays (channels). All
// float; conv_bias and shortcut_bias may be null. partials: (steps, gridDim.x, 2, channels) double, S0 and S1 of each block's rows.
// arrived: a counter for each 32 channels, 0 before and after the launch. Null: x and the partial sums are all that is wanted, and of the
// channel arrays running_mean alone is read.
// Bytes an element (type of b bytes): reads x b; with a residual also reads b and writes x b. Overwrites partials, and x in place.
// Numerics: sums in float over at most a few dozen rows, then double; the rest in double, rounded once.
// Source: torch.nn.BatchNorm2d; shifted sums after Chan, Golub and LeVeque 1983.
#include "common/sltt.cuh"

namespace sltt {

// Adds, AddsSpikes: Yes or No, whether residual, residual_u is there. Each is a kernel of its own: the one that adds nothing then has
// registers for twice as many rows under way.
template <class T, class Adds, class AddsSpikes>
__device__ inline void sum_for_statistics(double* partials, T* x, const T* residual, const T* residual_u, const float* shift, float v_th,
                                          Adds adds, AddsSpikes adds_spikes, int steps, int64_t rows, int channels) {
    constexpr int ROWS = adds || adds_spikes ? 4 : 8;
    for_steps(steps, [=](int step) {
        const int64_t begin = step * rows * channels;  // of the step's elements
        auto read = [=](auto lanes, int64_t i) {
            constexpr int V = decltype(lanes)::value;
            struct {
                Stored<T, V> x, other;
            } in = {fetch<V>(x + begin, i), {}};
            if (adds) in.other = fetch<V>(residual + begin, i);
            if (adds_spikes) in.other = fetch<V>(residual_u + begin, i);
            return in;
        };
        sum_rows_for_last_block<2, ROWS, T>(partials_at<2>(partials, step, channels), rows, channels, PerChannel<1>{{shift}}, no_dropout(),
                                            read, [=](auto lanes, int64_t i, const auto& origin, const auto&, const auto& in) {
                                                constexpr int V = decltype(lanes)::value;
                                                Pack<V> value = from_memory(in.x);
                                                if (adds) value = store_rounded<V>(x + begin, i, value + from_memory(in.other));
                                                if (adds_spikes)
                                                    value = store_rounded<V>(x + begin, i, value + spike(from_memory(in.other), v_th));
                                                Pack<V> d = value - origin[0];
                                                return packs(d, d * d);
                                            });
    });
}

// The channel arrays and numbers of the second half.
struct Statistics {
    float *mean, *invstd, *scale, *running_mean, *running_var;
    int64_t* num_batches_tracked;
    const float *weight, *conv_bias, *shortcut_bias;
    float momentum, eps;
    int repeats;
};

template <class T>
__device__ inline void finish_statistics(uint32_t* arrived, const double* partials, const Statistics& s, int steps, int64_t rows,
                                         int channels) {
    struct Running {
        float shift, mean, var;
    };
    auto start = [=](int c) { return Running{s.running_mean[c], s.running_mean[c], s.running_var[c]}; };
    finish_in_last_block<2, T>(arrived, partials, steps, channels, start, [=](int c, int step, const Totals<2>& sums, Running& running) {
        double d = sums[0] / (double)rows, var = sums[1] / (double)rows - d * d, m = s.momentum;
        if (var < 0.0) var = 0.0;  // NaN stays
        double average = (double)running.shift + d;
        double with_bias = average + (s.conv_bias ? (double)s.conv_bias[c] : 0.0) + (s.shortcut_bias ? (double)s.shortcut_bias[c] : 0.0);
        double unbiased = rows > 1 ? var * ((double)rows / (double)(rows - 1)) : var;
        double deviation = 1.0 / sqrt(var + (double)s.eps);
        int64_t o = (int64_t)step * channels + c;
        s.mean[o] = (float)average;
        s.invstd[o] = (float)deviation;
        s.scale[o] = (float)((double)s.weight[c] * deviation);
        for (int i = 0; i < s.repeats; ++i) {
            running.mean = (float)((1.0 - m) * (double)running.mean + m * with_bias);
            running.var = (float)((1.0 - m) * (double)running.var + m * unbiased);
        }
        if (step + 1 < steps) return;
        s.running_mean[c] = running.mean;
        s.running_var[c] = running.var;
        if (c == 0) *s.num_batches_tracked += (int64_t)steps * s.repeats;
    });
}

#define INSTANCE(T, name, adds, adds_spikes)                                                                                         \
    SLTT_SUM_KERNEL(                                                                                                                 \
        name,                                                                                                                        \
        (double* __restrict__ partials, uint32_t* __restrict__ arrived, T* __restrict__ x, float* __restrict__ mean,                 \
         float* __restrict__ invstd, float* __restrict__ scale, float* __restrict__ running_mean, float* __restrict__ running_var,   \
         int64_t* __restrict__ num_batches_tracked, const T* __restrict__ residual, const T* __restrict__ residual_u,                \
         const float* __restrict__ weight, const float* __restrict__ conv_bias, const float* __restrict__ shortcut_bias, float v_th, \
         float momentum, float eps, int steps, int64_t rows, int channels, int repeats),                                             \
        sum_for_statistics<T>(partials, x, residual, residual_u, running_mean, v_th, adds, adds_spikes, steps, rows, channels);      \
        finish_statistics<T>(arrived, partials,                                                                                      \
                             {mean, invstd, scale, running_mean, running_var, num_batches_tracked, weight, conv_bias, shortcut_bias, \
                              momentum, eps, repeats},                                                                               \
                             steps, rows, channels))
#define VARIANT(T, suffix)                                                 \
    INSTANCE(T, batch_norm_statistics_##suffix, No{}, No{})                \
    INSTANCE(T, batch_norm_statistics_with_residual_##suffix, Yes{}, No{}) \
    INSTANCE(T, batch_norm_statistics_with_residual_u_##suffix, No{}, Yes{})
SLTT_FOR_EACH_TYPE(VARIANT)
#undef VARIANT
#undef INSTANCE

}  // namespace sltt
