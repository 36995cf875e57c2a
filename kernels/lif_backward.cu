// lif_backward, lif_backward_accumulate, lif_pool_backward_accumulate: backward of lif_forward for one time step.
//
//   ds = spike_scale (mask grad_spikes + grad_residual)          dL/ds(t)
//   pooled: ds = mask grad_pooled[window of the pixel] / window^2
//   g  = surrogate(u(t) - v_th)
//   SLTT (carried null): du = g ds
//   BPTT:                du = g ds + carried (1 - v_th g),  carried <- lambda du     (carried: dL/dv(t) in, dL/dv(t-1) out)
//   grad_x = x_scale du + grad_skip          lif_backward_accumulate: grad_x_sum += that
//
// All (n), NHWC or any other layout. grad_pooled: (rows / window^2, channels) where the rest are (rows, channels), rows = N*H*W,
// `width` = W; windows as in batch_norm_lif_pool_forward. grad_residual reaches the spikes
// past the dropout, grad_skip reaches the layer's input past the neuron; null: 0.
// Bytes an element (type of b bytes): reads grad_spikes b, u b, grad_residual b, grad_skip b, carried b; writes grad_x b,
// carried b. lif_backward_accumulate reads and writes 4 for grad_x_sum instead of writing b,
// lif_pool_backward_accumulate b / window^2 for grad_pooled instead of grad_spikes b.
// Overwrites grad_x, which may be grad_spikes, grad_residual or grad_skip; carried in place; adds to grad_x_sum (float).
// Numerics: float, each output rounded once.
// Source: Meng et al., ICCV 2023, eq. 8-9 (SLTT drops the term of v(t-1)); BPTT with the reset not detached.
#include "common/sltt.cuh"

namespace sltt {

template <class T> struct LifBackward {
    const T *grad_spikes, *grad_residual, *grad_skip, *u;
    T* carried;
    float x_scale, spike_scale, lambda, v_th;
    int kind;
};

// put(lanes, i, dx) stores the gradient with respect to the layer's input.
// source: Dropout; or PooledGradient, with grad_spikes and grad_residual null.
template <class T, class MaskSource, class Put>
__device__ inline void lif_backward_each(const LifBackward<T>& a, MaskSource source, int64_t n, Put put) {
    const T *grad_spikes = a.grad_spikes, *grad_residual = a.grad_residual, *grad_skip = a.grad_skip, *u = a.u;
    T* carried = a.carried;
    float x_scale = a.x_scale, spike_scale = a.spike_scale, lambda = a.lambda, v_th = a.v_th;
    bool rectangle = a.kind == RECTANGLE;
    specialise(grad_residual != nullptr, grad_skip != nullptr, carried != nullptr, a.kind == SIGMOID,
               [=](auto residual, auto skip, auto bptt, auto sigmoid) {
                   for_elements<T>(n, source, [=](auto lanes, int64_t i, const auto& mask) {
                       constexpr int V = decltype(lanes)::value;
                       Pack<V> ds = spike_gradient(source, mask, fetch_spike_gradient<V>(source, grad_spikes, i));
                       if (residual) ds = ds + load<V, STREAM>(grad_residual, i);
                       ds = spike_scale * ds;
                       Pack<V> g = surrogate(load<V>(u, i) - v_th, sigmoid, rectangle);
                       Pack<V> du = bptt ? lif_backward_step(g, ds, load<V>(carried, i), v_th) : lif_backward_step(g, ds);
                       Pack<V> dx = x_scale * du;
                       if (skip) dx = dx + load<V, STREAM>(grad_skip, i);
                       if (bptt) store<V>(carried, i, lambda * du);
                       put(lanes, i, dx);
                   });
               });
}

template <class T> __device__ inline void lif_backward(T* grad_x, const LifBackward<T>& a, Dropout drop, int64_t n) {
    lif_backward_each<T>(a, drop, n, [=](auto lanes, int64_t i, const auto& dx) { store<decltype(lanes)::value>(grad_x, i, dx); });
}

template <class T, class MaskSource>
__device__ inline void lif_backward_accumulate(float* grad_x_sum, const LifBackward<T>& a, MaskSource source, int64_t n) {
    lif_backward_each<T>(a, source, n, [=](auto lanes, int64_t i, const auto& dx) {
        constexpr int V = decltype(lanes)::value;
        store<V, STREAM>(grad_x_sum, i, load<V, STREAM>(grad_x_sum, i) + dx);
    });
}

#define VARIANT(T, suffix)                                                                                                                 \
    SLTT_KERNEL(                                                                                                                           \
        lif_backward_##suffix,                                                                                                             \
        (T * grad_x, const T* grad_spikes, const T* grad_residual, const T* grad_skip, const T* __restrict__ u, T* __restrict__ carried,   \
         float x_scale, float spike_scale, float lambda, float v_th, int surrogate, float drop_rate, uint32_t drop_layer,                  \
         const RunState* state, int64_t n),                                                                                                \
        lif_backward<T>(grad_x, {grad_spikes, grad_residual, grad_skip, u, carried, x_scale, spike_scale, lambda, v_th, surrogate},        \
                        dropout(drop_rate, drop_layer, state), n))                                                                         \
    SLTT_KERNEL(lif_backward_accumulate_##suffix,                                                                                          \
                (float* __restrict__ grad_x_sum, const T* grad_spikes, const T* grad_residual, const T* grad_skip,                         \
                 const T* __restrict__ u, T* __restrict__ carried, float x_scale, float spike_scale, float lambda, float v_th,             \
                 int surrogate, float drop_rate, uint32_t drop_layer, const RunState* state, int64_t n),                                   \
                lif_backward_accumulate<T>(                                                                                                \
                    grad_x_sum, {grad_spikes, grad_residual, grad_skip, u, carried, x_scale, spike_scale, lambda, v_th, surrogate},        \
                    dropout(drop_rate, drop_layer, state), n))                                                                             \
    SLTT_KERNEL(lif_pool_backward_accumulate_##suffix,                                                                                     \
                (float* __restrict__ grad_x_sum, const T* __restrict__ grad_pooled, const T* __restrict__ u, T* __restrict__ carried,      \
                 float lambda, float v_th, int surrogate, float drop_rate, uint32_t drop_layer, const RunState* state, int64_t rows,       \
                 int channels, int width, int window),                                                                                     \
                lif_backward_accumulate<T>(grad_x_sum, {nullptr, nullptr, nullptr, u, carried, 1.0f, 1.0f, lambda, v_th, surrogate},       \
                                           pooled_gradient(grad_pooled, channels, {width, window}, dropout(drop_rate, drop_layer, state)), \
                                           rows * channels))
SLTT_FOR_EACH_TYPE(VARIANT)
#undef VARIANT

}  // namespace sltt
