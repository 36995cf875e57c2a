// The LIF neuron: threshold v_th, soft reset, input not scaled, reset not detached (spikingjelly's LIFNode with v_reset=None,
// decay_input=False). lambda = 1 - 1/tau, v(0) = 0:
//   u(t) = lambda v(t-1) + x(t)        membrane potential before firing: the one number a neuron keeps
//   s(t) = [u(t) >= v_th]              spike, decided from u as stored (rounded to the compute type)
//   v(t) = u(t) - s(t) v_th            carried to the next step; made from u where it is needed
#pragma once
#include "sltt.cuh"

namespace SLTT_VARIANT {

__device__ inline float spike(float u, float v_th) { return u >= v_th ? 1.0f : 0.0f; }

// v: what is left of u after firing.
__device__ inline float reset(float u, float v_th) { return u >= v_th ? u - v_th : u; }

// u(t) from v(t-1) and the input.
__device__ inline float lif_step(float v, float x, float lambda) { return lambda * v + x; }

// Surrogate derivative g at z = u - v_th: triangle max(0, 1-|z|); rectangle [|z| <= 1/2]; sigmoid
// alpha s(alpha z)(1 - s(alpha z)), alpha = 4, written with e = exp(-alpha |z|) so that nothing cancels.
enum SurrogateKind { TRIANGLE = 0, RECTANGLE = 1, SIGMOID = 2 };
__device__ inline float surrogate_hat(float z, bool rectangle) {
    float a = z < 0.0f ? -z : z;
    float triangle = a < 1.0f ? 1.0f - a : 0.0f, box = a <= 0.5f ? 1.0f : 0.0f;
    return rectangle ? box : triangle;
}
__device__ inline float surrogate_sigmoid(float z) {
    float a = z < 0.0f ? -z : z, e = exp_of_negative(-4.0f * a);
    return 4.0f * e / ((1.0f + e) * (1.0f + e));
}

// dL/du(t) from ds = dL/ds(t) and, under BPTT, carried = dL/dv(t) (0 under SLTT, which cuts the graph there):
//   dL/du = g ds + carried (1 - v_th g)
__device__ inline float lif_backward_step(float g, float ds) { return g * ds; }
__device__ inline float lif_backward_step(float g, float ds, float carried, float v_th) { return g * ds + carried * (1.0f - v_th * g); }

}  // namespace SLTT_VARIANT
