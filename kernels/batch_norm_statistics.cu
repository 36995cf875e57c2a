// batch_norm_statistics, batch_norm_finalize: batch statistics of a convolution's output, in two stages.
//
// batch_norm_statistics, stage 1, for each step: x <- x + residual, or x + [residual_u >= v_th] (the spikes of the layer whose potentials
// residual_u holds), or x unchanged. Then, from x as stored, over block b's rows:
//   partials[b][0][c] = sum of (x - shift[c]),  partials[b][1][c] = sum of (x - shift[c])^2
// x, residual, residual_u: (steps, rows, channels), NHWC. shift: (channels), a number near the mean (the running mean), so that the
// variance does not cancel. partials: (steps, gridDim.x, 2, channels) double.
// Bytes an element (type of b bytes): reads x b; with a residual also reads b and writes x b. Overwrites partials, and x in place.
//
// batch_norm_finalize, stage 2, for each step, with d = S0/rows, shift = running_mean before the launch (stage 1 got the same pointer):
//   mean = shift + d;  var = S1/rows - d^2;  invstd = 1/sqrt(var + eps);  scale = weight invstd
//   `repeats` times: running_mean <- (1-m) running_mean + m (mean + conv_bias + shortcut_bias)
//                    running_var <- (1-m) running_var + m var rows/(rows-1),  m = momentum
//   num_batches_tracked += repeats (one number)
// A bias in front of batch norm shifts only the mean. So the convolutions do not add it; only running_mean includes it. The running
// statistics move step by step, in order.
// mean, invstd, scale: (steps, channels); the others (channels). All float; conv_bias and shortcut_bias may be null.
// Numerics: sums in float over at most a few dozen rows, then double; the rest in double, rounded once.
// Source: torch.nn.BatchNorm2d; shifted sums after Chan, Golub and LeVeque 1983.
#include "common/sltt.cuh"

namespace sltt {

template <class T>
__device__ inline void batch_norm_statistics(double* partials, T* x, const T* residual, const T* residual_u, const float* shift, float v_th,
                                             int steps, int64_t rows, int channels) {
    specialise(residual != nullptr, residual_u != nullptr, [=](auto adds, auto adds_spikes) {
        for_steps(steps, [=](int step) {
            const int64_t begin = step * rows * channels;  // of the step's elements
            auto read = [=](auto lanes, int64_t i) {
                constexpr int V = decltype(lanes)::value;
                struct {
                    Stored<T, V> x, other;
                } in = {fetch<V>(x + begin, i), {}};
                if (adds) in.other = fetch<V>(residual + begin, i);
                else if (adds_spikes) in.other = fetch<V>(residual_u + begin, i);
                return in;
            };
            sum_rows<2, 4, T>(partials_at<2>(partials, step, channels), rows, channels, PerChannel<1>{{shift}}, no_dropout(), read,
                              [=](auto lanes, int64_t i, const auto& origin, const auto&, const auto& in) {
                                  constexpr int V = decltype(lanes)::value;
                                  Pack<V> value = from_memory(in.x);
                                  if (adds) value = store_rounded<V>(x + begin, i, value + from_memory(in.other));
                                  else if (adds_spikes) value = store_rounded<V>(x + begin, i, value + spike(from_memory(in.other), v_th));
                                  Pack<V> d = value - origin[0];
                                  return packs(d, d * d);
                              });
        });
    });
}

__device__ inline void batch_norm_finalize_body(float* mean, float* invstd, float* scale, float* running_mean, float* running_var,
                                                int64_t* num_batches_tracked, const double* partials, const float* weight,
                                                const float* conv_bias, const float* shortcut_bias, float momentum, float eps, int parts,
                                                int steps, int64_t rows, int channels, int repeats) {
    struct Running {
        float shift, mean, var;
    };
    auto start = [=](int c) { return Running{running_mean[c], running_mean[c], running_var[c]}; };
    finish_sums<2>(partials, parts, steps, channels, start, [=](int c, int step, const Totals<2>& sums, Running& running) {
        double d = sums[0] / (double)rows, var = sums[1] / (double)rows - d * d, m = momentum;
        if (var < 0.0) var = 0.0;  // NaN stays
        double average = (double)running.shift + d;
        double with_bias = average + (conv_bias ? (double)conv_bias[c] : 0.0) + (shortcut_bias ? (double)shortcut_bias[c] : 0.0);
        double unbiased = rows > 1 ? var * ((double)rows / (double)(rows - 1)) : var;
        double deviation = 1.0 / sqrt(var + (double)eps);
        int64_t o = (int64_t)step * channels + c;
        mean[o] = (float)average;
        invstd[o] = (float)deviation;
        scale[o] = (float)((double)weight[c] * deviation);
        for (int i = 0; i < repeats; ++i) {
            running.mean = (float)((1.0 - m) * (double)running.mean + m * with_bias);
            running.var = (float)((1.0 - m) * (double)running.var + m * unbiased);
        }
        if (step + 1 < steps) return;
        running_mean[c] = running.mean;
        running_var[c] = running.var;
        if (c == 0) *num_batches_tracked += (int64_t)steps * repeats;
    });
}

#define VARIANT(T, suffix)                                                                                                               \
    SLTT_SUM_KERNEL(batch_norm_statistics_##suffix,                                                                                      \
                    (double* __restrict__ partials, T* __restrict__ x, const T* __restrict__ residual, const T* __restrict__ residual_u, \
                     const float* __restrict__ shift, float v_th, int steps, int64_t rows, int channels),                                \
                    batch_norm_statistics<T>(partials, x, residual, residual_u, shift, v_th, steps, rows, channels))
SLTT_FOR_EACH_TYPE(VARIANT)
#undef VARIANT

SLTT_KERNEL(batch_norm_finalize,
            (float* __restrict__ mean, float* __restrict__ invstd, float* __restrict__ scale, float* __restrict__ running_mean,
             float* __restrict__ running_var, int64_t* __restrict__ num_batches_tracked, const double* __restrict__ partials,
             const float* __restrict__ weight, const float* __restrict__ conv_bias, const float* __restrict__ shortcut_bias, float momentum,
             float eps, int parts, int steps, int64_t rows, int channels, int repeats),
            batch_norm_finalize_body(mean, invstd, scale, running_mean, running_var, num_batches_tracked, partials, weight, conv_bias,
                                     shortcut_bias, momentum, eps, parts, steps, rows, channels, repeats))

}  // namespace sltt
