// sgd: stochastic gradient descent with momentum, all parameters in one launch.
//
//   g = grad_scale grad + weight_decay w;  buf = momentum buf + g;  w <- w - lr buf
//
// weight, momentum_buffer, grad: (n) float. lr, grad_scale, overflow: fields of RunState. On overflow nothing changes.
// Bytes an element: reads 12, writes 8. Overwrites weight and momentum_buffer in place.
// Numerics: float. A zero buffer gives torch's first step (buf = g). Source: torch.optim.SGD, dampening 0.
#include "common/sltt.cuh"

namespace sltt {

template <int V>
__device__ inline void sgd_step(Pack<V>& w, Pack<V>& buf, const Pack<V>& grad, float lr, float momentum, float weight_decay) {
    buf = momentum * buf + (grad + weight_decay * w);
    w = w - lr * buf;
}

__device__ inline void sgd_body(float* weight, float* momentum_buffer, const float* grad, const RunState* state, float momentum,
                                float weight_decay, int64_t n) {
    if (state->overflow) return;
    float lr = state->lr, grad_scale = state->grad_scale;
    for_elements<float>(n, [=](auto lanes, int64_t i) {
        constexpr int V = decltype(lanes)::value;
        Pack<V> w = load<V>(weight, i), buf = load<V, STREAM>(momentum_buffer, i);
        sgd_step(w, buf, load<V, STREAM>(grad, i) * grad_scale, lr, momentum, weight_decay);
        store<V>(weight, i, w);
        store<V, STREAM>(momentum_buffer, i, buf);
    });
}

SLTT_KERNEL(sgd,
            (float* __restrict__ weight, float* __restrict__ momentum_buffer, const float* __restrict__ grad, const RunState* state,
             float momentum, float weight_decay, int64_t n),
            sgd_body(weight, momentum_buffer, grad, state, momentum, weight_decay, n))

}  // namespace sltt
