// batch_norm_lif_backward, batch_norm_lif_pool_backward: backward of batch_norm_lif_forward and of batch_norm_lif_pool_forward
// through the neuron, with batch norm's sums in the same pass.
//
// For each step, from the last to the first:
//   ds = mask grad_spikes + grad_residual,  g = surrogate(u(t) - v_th)
//   pooled: ds = mask grad_pooled[window of the pixel] / window^2
//   SLTT (carried null): du = g ds
//   BPTT:                du = g ds + carried (1 - v_th g),  carried <- lambda du
//   grad_y = du                                       gradient with respect to batch norm's output
// Over all rows, S0 = sum of du and S1 = sum of du xhat, xhat = (x - mean[c]) invstd[c]. The block that ends last adds up what each block
// has summed, step by step in order:
//   grad_bias += S0;  grad_weight += S1;  coefficients = (S0/rows, S1/rows), which batch_norm_backward_apply takes
//
// grad_y, grad_spikes, grad_residual (null: 0), u, x: (steps, rows, channels), NHWC; carried: (rows, channels). grad_pooled: (steps,
// rows / window^2, channels), rows = N*H*W, `width` = W; windows as in batch_norm_lif_pool_forward. mask: the same at every step. mean,
// invstd: (steps, channels). partials: (steps, gridDim.x, 2, channels) double. coefficients: (steps, 2, channels). arrived: a counter for
// each 32 channels, 0 before and after the launch; null: grad_y and the partial sums are all that is wanted.
// Bytes an element (type of b bytes): reads grad_spikes b, u b, x b, grad_residual b, carried b; writes grad_y b, carried b.
// Pooled: grad_pooled b / window^2 instead of grad_spikes b. Under BPTT the grid's first row does all steps.
// Overwrites grad_y (may be grad_spikes or grad_residual, not grad_pooled), partials, coefficients; carried in place. Adds to grad_weight
// and grad_bias.
// Numerics: float; the sums take du as stored (rounded to T), as batch_norm_backward_apply will read it.
// Source: Meng et al., ICCV 2023, eq. 8-9; Ioffe and Szegedy 2015.
#include "common/sltt.cuh"

namespace sltt {

// source: Dropout; or PooledGradient, with grad_spikes and grad_residual null. bptt, residual: Yes or No, whether `carried` and
// grad_residual are there. Neuron: common/neuron.cuh. Each combination is a kernel of its own: with all of them in one the compiler would
// run out of registers.
template <class T, class Neuron, class Bptt, class Residual, class MaskSource>
__device__ inline void batch_norm_lif_backward(T* grad_y, double* partials, const T* grad_spikes, const T* grad_residual, const T* u,
                                               T* carried, const T* x, const float* mean, const float* invstd, float lambda, float v_th,
                                               Neuron neuron, Bptt bptt, Residual residual, MaskSource source, int steps, int64_t rows,
                                               int channels) {
    constexpr int ROWS = bptt ? 1 : 2;  // under way in a thread; BPTT leaves registers for one
    for_steps_back(steps, bptt, [=](int step) {
        const int64_t begin = step * rows * channels, c = (int64_t)step * channels;  // of the step's elements, channels
        const auto source_now = source.at(step);
        auto read = [=](auto lanes, int64_t i) {
            constexpr int V = decltype(lanes)::value;
            struct {
                Stored<T, V> grad_spikes, grad_residual, u, carried, x;
            } in = {};
            in.grad_spikes = fetch_spike_gradient<V>(source_now, grad_spikes + begin, spike_gradient_at(source_now, i));
            in.u = fetch<V>(u + begin, i);
            in.x = fetch<V>(x + begin, i);
            if (residual) in.grad_residual = fetch<V, STREAM>(grad_residual + begin, i);
            if (bptt) in.carried = fetch<V>(carried, i);
            return in;
        };
        sum_rows_for_last_block<2, ROWS, T, Neuron::MAX_PACK>(
            partials_at<2>(partials, step, channels), rows, channels, PerChannel<2>{{mean + c, invstd + c}}, source_now, read,
            [=](auto lanes, int64_t i, const auto& norm, const auto& mask, const auto& in) {
                constexpr int V = decltype(lanes)::value;
                Pack<V> ds = spike_gradient(source_now, mask, in.grad_spikes);
                if (residual) ds = ds + from_memory(in.grad_residual);
                Pack<V> g = neuron.surrogate(from_memory(in.u) - v_th);
                Pack<V> du = bptt ? lif_backward_step(g, ds, from_memory(in.carried), v_th) : lif_backward_step(g, ds);
                if (bptt) store<V>(carried, i, lambda * du);
                Pack<V> xhat = (from_memory(in.x) - norm[0]) * norm[1];
                Pack<V> dy = store_rounded<V>(grad_y + begin, i, du);
                return packs(dy, dy * xhat);
            });
    });
}

#define INSTANCE(T, suffix, neuron, words, bptt, residual)                                                                              \
    SLTT_SUM_KERNEL(batch_norm_lif_backward_of_##words##_##suffix,                                                                      \
                    (T * grad_y, double* __restrict__ partials, uint32_t* __restrict__ arrived, float* __restrict__ grad_weight,        \
                     float* __restrict__ grad_bias, float* __restrict__ coefficients, const T* grad_spikes, const T* grad_residual,     \
                     const T* __restrict__ u, T* __restrict__ carried, const T* __restrict__ x, const float* __restrict__ mean,         \
                     const float* __restrict__ invstd, float lambda, float v_th, int surrogate, float drop_rate, uint32_t drop_layer,   \
                     const RunState* state, int steps, int64_t rows, int channels),                                                     \
                    (void)surrogate;                                                                                                    \
                    batch_norm_lif_backward<T>(grad_y, partials, grad_spikes, grad_residual, u, carried, x, mean, invstd, lambda, v_th, \
                                               neuron, bptt, residual, dropout(drop_rate, drop_layer, state), steps, rows, channels);   \
                    finish_batch_norm_gradient<T, decltype(neuron)::MAX_PACK>(arrived, partials, grad_weight, grad_bias, coefficients,  \
                                                                              steps, rows, channels))
#define POOL_INSTANCE(T, suffix, neuron, words, bptt)                                                                                      \
    SLTT_SUM_KERNEL(                                                                                                                       \
        batch_norm_lif_pool_backward_of_##words##_##suffix,                                                                                \
        (T* __restrict__ grad_y, double* __restrict__ partials, uint32_t* __restrict__ arrived, float* __restrict__ grad_weight,           \
         float* __restrict__ grad_bias, float* __restrict__ coefficients, const T* __restrict__ grad_pooled, const T* __restrict__ u,      \
         T* __restrict__ carried, const T* __restrict__ x, const float* __restrict__ mean, const float* __restrict__ invstd, float lambda, \
         float v_th, int surrogate, float drop_rate, uint32_t drop_layer, const RunState* state, int steps, int64_t rows, int channels,    \
         int width, int window),                                                                                                           \
        (void)surrogate;                                                                                                                   \
        batch_norm_lif_backward<T>(                                                                                                        \
            grad_y, partials, (const T*)nullptr, (const T*)nullptr, u, carried, x, mean, invstd, lambda, v_th, neuron, bptt, No{},         \
            pooled_gradient(grad_pooled, rows, channels, {width, window}, dropout(drop_rate, drop_layer, state)), steps, rows, channels);  \
        finish_batch_norm_gradient<T, decltype(neuron)::MAX_PACK>(arrived, partials, grad_weight, grad_bias, coefficients, steps, rows,    \
                                                                  channels))
#define NEURON(T, suffix, neuron, word)                                              \
    INSTANCE(T, suffix, neuron, word, No{}, No{})                                    \
    INSTANCE(T, suffix, neuron, word##_with_grad_residual, No{}, Yes{})              \
    INSTANCE(T, suffix, neuron, word##_with_carried, Yes{}, No{})                    \
    INSTANCE(T, suffix, neuron, word##_with_grad_residual_and_carried, Yes{}, Yes{}) \
    POOL_INSTANCE(T, suffix, neuron, word, No{})                                     \
    POOL_INSTANCE(T, suffix, neuron, word##_with_carried, Yes{})
#define VARIANT(T, suffix)                                          \
    NEURON(T, suffix, Piecewise{surrogate == RECTANGLE}, piecewise) \
    NEURON(T, suffix, Sigmoid{}, sigmoid)
SLTT_FOR_EACH_TYPE(VARIANT)
#undef VARIANT
#undef NEURON
#undef POOL_INSTANCE
#undef INSTANCE

}  // namespace sltt
