// adamw: Adam with decoupled weight decay, all parameters in one launch.
//
//   g = grad_scale grad;  w <- w (1 - lr weight_decay)
//   m <- beta1 m + (1-beta1) g;  v <- beta2 v + (1-beta2) g^2
//   w <- w - lr/bc1 m / (sqrt(v)/sqrt(bc2) + eps),   bc = 1 - beta^steps, from begin_update
//
// weight, exp_avg m, exp_avg_sq v, grad: (n) float. lr, grad_scale, bc1, bc2, overflow: fields of RunState. On overflow nothing changes.
// Bytes an element: reads 16, writes 12. Overwrites weight, exp_avg, exp_avg_sq in place.
// Numerics: float; the coefficients in double, rounded once, from the betas' decimal values (as_decimal).
// Source: torch.optim.AdamW; Loshchilov and Hutter 2019.
#include "common/sltt.cuh"

namespace sltt {

struct AdamWCoefficients {
    float keep, beta1, rest1, beta2, rest2, step, over_root_bc2, eps;
};

template <int V> __device__ inline void adamw_step(Pack<V>& w, Pack<V>& m, Pack<V>& v, const Pack<V>& g, const AdamWCoefficients& a) {
    m = a.beta1 * m + a.rest1 * g;
    v = a.beta2 * v + a.rest2 * (g * g);
    w = w * a.keep - a.step * (m / (square_root(v) * a.over_root_bc2 + a.eps));
}

__device__ inline void adamw_body(float* weight, float* exp_avg, float* exp_avg_sq, const float* grad, const RunState* state, float beta1,
                                  float beta2, float eps, float weight_decay, int64_t n) {
    if (state->overflow) return;
    double lr = state->lr, b1 = as_decimal(beta1), b2 = as_decimal(beta2);
    AdamWCoefficients a = {(float)(1.0 - lr * (double)weight_decay),
                           (float)b1,
                           (float)(1.0 - b1),
                           (float)b2,
                           (float)(1.0 - b2),
                           (float)(lr / (double)state->bias_correction1),
                           (float)(1.0 / sqrt((double)state->bias_correction2)),
                           eps};
    float grad_scale = state->grad_scale;
    for_elements<float>(n, [=](auto lanes, int64_t i) {
        constexpr int V = decltype(lanes)::value;
        Pack<V> w = load<V>(weight, i), m = load<V, STREAM>(exp_avg, i), v = load<V, STREAM>(exp_avg_sq, i);
        adamw_step(w, m, v, load<V, STREAM>(grad, i) * grad_scale, a);
        store<V>(weight, i, w);
        store<V, STREAM>(exp_avg, i, m);
        store<V, STREAM>(exp_avg_sq, i, v);
    });
}

SLTT_KERNEL(adamw,
            (float* __restrict__ weight, float* __restrict__ exp_avg, float* __restrict__ exp_avg_sq, const float* __restrict__ grad,
             const RunState* state, float beta1, float beta2, float eps, float weight_decay, int64_t n),
            adamw_body(weight, exp_avg, exp_avg_sq, grad, state, beta1, beta2, eps, weight_decay, n))

}  // namespace sltt
