// batch_norm_lif_backward, batch_norm_lif_pool_backward: backward of batch_norm_lif_forward and of batch_norm_lif_pool_forward
// through the neuron, with batch norm's sums in the same pass.
//
// For each step, from the last to the first:
//   ds = mask grad_spikes + grad_residual,  g = surrogate(u(t) - v_th)
//   pooled: ds = mask grad_pooled[window of the pixel] / window^2
//   SLTT (carried null): du = g ds
//   BPTT:                du = g ds + carried (1 - v_th g),  carried <- lambda du
//   grad_y = du                                       gradient with respect to batch norm's output
//   partials[b][0][c] = sum of du, partials[b][1][c] = sum of du xhat, xhat = (x - mean[c]) invstd[c], over block b's rows
//
// grad_y, grad_spikes, grad_residual (null: 0), u, x: (steps, rows, channels), NHWC; carried: (rows, channels). grad_pooled: (steps,
// rows / window^2, channels), rows = N*H*W, `width` = W; windows as in batch_norm_lif_pool_forward. mask: the same at every step. mean,
// invstd: (steps, channels). partials: (steps, gridDim.x, 2, channels) double; batch_norm_backward_finalize adds them,
// batch_norm_backward_apply computes the gradient of x.
// Bytes an element (type of b bytes): reads grad_spikes b, u b, x b, grad_residual b, carried b; writes grad_y b, carried b.
// Pooled: grad_pooled b / window^2 instead of grad_spikes b. Under BPTT the grid's first row does all steps.
// Overwrites grad_y (may be grad_spikes or grad_residual, not grad_pooled), partials; carried in place.
// Numerics: float; the sums take du as stored (rounded to T), as batch_norm_backward_apply will read it.
// Source: Meng et al., ICCV 2023, eq. 8-9; Ioffe and Szegedy 2015.
#include "common/sltt.cuh"

namespace sltt {

// source: Dropout; or PooledGradient, with grad_spikes and grad_residual null.
template <class T, class MaskSource>
__device__ inline void batch_norm_lif_backward(T* grad_y, double* partials, const T* grad_spikes, const T* grad_residual, const T* u,
                                               T* carried, const T* x, const float* mean, const float* invstd, float lambda, float v_th,
                                               int kind, MaskSource source, int steps, int64_t rows, int channels) {
    bool rectangle = kind == RECTANGLE;
    specialise(grad_residual != nullptr, carried != nullptr, kind == SIGMOID, [=](auto residual, auto bptt, auto sigmoid) {
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
            sum_rows<2, 2, T>(partials_at<2>(partials, step, channels), rows, channels, PerChannel<2>{{mean + c, invstd + c}}, source_now,
                              read, [=](auto lanes, int64_t i, const auto& norm, const auto& mask, const auto& in) {
                                  constexpr int V = decltype(lanes)::value;
                                  Pack<V> ds = spike_gradient(source_now, mask, in.grad_spikes);
                                  if (residual) ds = ds + from_memory(in.grad_residual);
                                  Pack<V> g = surrogate(from_memory(in.u) - v_th, sigmoid, rectangle);
                                  Pack<V> du = bptt ? lif_backward_step(g, ds, from_memory(in.carried), v_th) : lif_backward_step(g, ds);
                                  if (bptt) store<V>(carried, i, lambda * du);
                                  Pack<V> xhat = (from_memory(in.x) - norm[0]) * norm[1];
                                  Pack<V> dy = store_rounded<V>(grad_y + begin, i, du);
                                  return packs(dy, dy * xhat);
                              });
        });
    });
}

#define VARIANT(T, suffix)                                                                                                                 \
    SLTT_SUM_KERNEL(                                                                                                                       \
        batch_norm_lif_backward_##suffix,                                                                                                  \
        (T * grad_y, double* __restrict__ partials, const T* grad_spikes, const T* grad_residual, const T* __restrict__ u,                 \
         T* __restrict__ carried, const T* __restrict__ x, const float* __restrict__ mean, const float* __restrict__ invstd, float lambda, \
         float v_th, int surrogate, float drop_rate, uint32_t drop_layer, const RunState* state, int steps, int64_t rows, int channels),   \
        batch_norm_lif_backward<T>(grad_y, partials, grad_spikes, grad_residual, u, carried, x, mean, invstd, lambda, v_th, surrogate,     \
                                   dropout(drop_rate, drop_layer, state), steps, rows, channels))                                          \
    SLTT_SUM_KERNEL(                                                                                                                       \
        batch_norm_lif_pool_backward_##suffix,                                                                                             \
        (T* __restrict__ grad_y, double* __restrict__ partials, const T* __restrict__ grad_pooled, const T* __restrict__ u,                \
         T* __restrict__ carried, const T* __restrict__ x, const float* __restrict__ mean, const float* __restrict__ invstd, float lambda, \
         float v_th, int surrogate, float drop_rate, uint32_t drop_layer, const RunState* state, int steps, int64_t rows, int channels,    \
         int width, int window),                                                                                                           \
        batch_norm_lif_backward<T>(                                                                                                        \
            grad_y, partials, (const T*)nullptr, (const T*)nullptr, u, carried, x, mean, invstd, lambda, v_th, surrogate,                  \
            pooled_gradient(grad_pooled, rows, channels, {width, window}, dropout(drop_rate, drop_layer, state)), steps, rows, channels))
SLTT_FOR_EACH_TYPE(VARIANT)
#undef VARIANT

}  // namespace sltt
