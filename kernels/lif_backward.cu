// lif_backward, lif_backward_accumulate, lif_pool_backward_accumulate: backward of lif_forward.
//
// For each step, from the last to the first:
//   ds = spike_scale (mask grad_spikes + grad_residual)          dL/ds(t)
//   pooled: ds = mask grad_pooled[window of the pixel] / window^2
//   g  = surrogate(u(t) - v_th)
//   SLTT (carried null): du = g ds
//   BPTT:                du = g ds + carried (1 - v_th g),  carried <- lambda du     (carried: dL/dv(t) in, dL/dv(t-1) out)
//   grad_x = x_scale du + grad_skip          lif_backward_accumulate: grad_x_sum += that
//
// All (steps, n), NHWC or any other layout; carried and grad_x_sum (n). grad_pooled: (steps, rows / window^2, channels) where
// n = rows channels, rows = N*H*W, `width` = W; windows as in batch_norm_lif_pool_forward. mask: the same at every step. grad_residual
// reaches the spikes past the dropout, grad_skip reaches the layer's input past the neuron; null: 0.
// Bytes an element and step (type of b bytes): reads grad_spikes b, u b, grad_residual b, grad_skip b; writes grad_x b.
// lif_pool_backward_accumulate reads b / window^2 for grad_pooled instead of grad_spikes b. Besides, once a launch: reads and writes
// carried b, and grad_x_sum 4 in the two that accumulate, which do not write grad_x.
// Overwrites grad_x, which may be grad_spikes, grad_residual or grad_skip; carried in place; adds to grad_x_sum (float).
// Numerics: float, each output rounded once, and carried at each step.
// Source: Meng et al., ICCV 2023, eq. 8-9 (SLTT drops the term of v(t-1)); BPTT with the reset not detached.
#include "common/sltt.cuh"

namespace sltt {

template <class T> struct LifBackward {
    const T *grad_spikes, *grad_residual, *grad_skip, *u;
    T* carried;
    float x_scale, spike_scale, lambda, v_th;
    int kind;
};

// Where the gradient with respect to the layer's input goes: to a step's grad_x, or added to a sum over the steps, which is in registers
// during a walk.
template <class T> struct StepGradient {
    T* grad_x;
    int64_t n;
    template <int V> __device__ Pack<V> begin(int64_t) const { return Pack<V>(0.0f); }
    template <int V> __device__ void put(Pack<V>&, int64_t i, int step, const Pack<V>& dx) const { store<V>(grad_x + step * n, i, dx); }
    template <int V> __device__ void end(const Pack<V>&, int64_t) const {}
};
struct GradientSum {
    float* grad_x_sum;
    template <int V> __device__ Pack<V> begin(int64_t i) const { return load<V, STREAM>(grad_x_sum, i); }
    template <int V> __device__ void put(Pack<V>& sum, int64_t, int, const Pack<V>& dx) const { sum = sum + dx; }
    template <int V> __device__ void end(const Pack<V>& sum, int64_t i) const { store<V, STREAM>(grad_x_sum, i, sum); }
};

// source: Dropout; or PooledGradient, with grad_spikes and grad_residual null. in_order: the output needs the steps in order.
template <class T, class MaskSource, class Output>
__device__ inline void lif_backward_each(const LifBackward<T>& a, MaskSource source, Output output, bool in_order, int steps, int64_t n) {
    const T *grad_spikes = a.grad_spikes, *grad_residual = a.grad_residual, *grad_skip = a.grad_skip, *u = a.u;
    T* carried = a.carried;
    float x_scale = a.x_scale, spike_scale = a.spike_scale, lambda = a.lambda, v_th = a.v_th;
    bool rectangle = a.kind == RECTANGLE;
    specialise(grad_residual != nullptr, grad_skip != nullptr, carried != nullptr, a.kind == SIGMOID,
               [=](auto residual, auto skip, auto bptt, auto sigmoid) {
                   walk_elements_back<T>(
                       steps, in_order || bptt, n, source, [=](auto lanes, int64_t i, const Walk& walk, const auto& mask) {
                           constexpr int V = decltype(lanes)::value;
                           int64_t gradient_at = spike_gradient_at(source, i);
                           Pack<V> sum = output.template begin<V>(i);
                           Stored<T, V> carry = {};
                           if (bptt) carry = fetch<V>(carried, i);
                           for (int step = walk.end - 1; step >= walk.first; --step) {
                               const int64_t begin = step * n;  // of the step's elements
                               auto in = fetch_spike_gradient<V>(source.at(step), grad_spikes + begin, gradient_at);
                               Pack<V> ds = spike_gradient(source, mask, in);
                               if (residual) ds = ds + load<V, STREAM>(grad_residual + begin, i);
                               ds = spike_scale * ds;
                               Pack<V> g = surrogate(load<V>(u + begin, i) - v_th, sigmoid, rectangle);
                               Pack<V> du = bptt ? lif_backward_step(g, ds, from_memory(carry), v_th) : lif_backward_step(g, ds);
                               Pack<V> dx = x_scale * du;
                               if (skip) dx = dx + load<V, STREAM>(grad_skip + begin, i);
                               if (bptt) carry = to_memory<T>(lambda * du);
                               output.put(sum, i, step, dx);
                           }
                           if (bptt) store<V>(carried, i, carry);
                           output.end(sum, i);
                       });
               });
}

#define VARIANT(T, suffix)                                                                                                                 \
    SLTT_KERNEL(lif_backward_##suffix,                                                                                                     \
                (T * grad_x, const T* grad_spikes, const T* grad_residual, const T* grad_skip, const T* __restrict__ u,                    \
                 T* __restrict__ carried, float x_scale, float spike_scale, float lambda, float v_th, int surrogate, float drop_rate,      \
                 uint32_t drop_layer, const RunState* state, int steps, int64_t n),                                                        \
                lif_backward_each<T>({grad_spikes, grad_residual, grad_skip, u, carried, x_scale, spike_scale, lambda, v_th, surrogate},   \
                                     dropout(drop_rate, drop_layer, state), StepGradient<T>{grad_x, n}, false, steps, n))                  \
    SLTT_KERNEL(lif_backward_accumulate_##suffix,                                                                                          \
                (float* __restrict__ grad_x_sum, const T* grad_spikes, const T* grad_residual, const T* grad_skip,                         \
                 const T* __restrict__ u, T* __restrict__ carried, float x_scale, float spike_scale, float lambda, float v_th,             \
                 int surrogate, float drop_rate, uint32_t drop_layer, const RunState* state, int steps, int64_t n),                        \
                lif_backward_each<T>({grad_spikes, grad_residual, grad_skip, u, carried, x_scale, spike_scale, lambda, v_th, surrogate},   \
                                     dropout(drop_rate, drop_layer, state), GradientSum{grad_x_sum}, true, steps, n))                      \
    SLTT_KERNEL(lif_pool_backward_accumulate_##suffix,                                                                                     \
                (float* __restrict__ grad_x_sum, const T* __restrict__ grad_pooled, const T* __restrict__ u, T* __restrict__ carried,      \
                 float lambda, float v_th, int surrogate, float drop_rate, uint32_t drop_layer, const RunState* state, int steps,          \
                 int64_t rows, int channels, int width, int window),                                                                       \
                lif_backward_each<T>({nullptr, nullptr, nullptr, u, carried, 1.0f, 1.0f, lambda, v_th, surrogate},                         \
                                     pooled_gradient(grad_pooled, rows, channels, {width, window}, dropout(drop_rate, drop_layer, state)), \
                                     GradientSum{grad_x_sum}, true, steps, rows * channels))
SLTT_FOR_EACH_TYPE(VARIANT)
#undef VARIANT

}  // namespace sltt
