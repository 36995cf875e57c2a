// The LIF neuron: threshold v_th, soft reset, input not scaled, reset not detached (spikingjelly's LIFNode with v_reset=None,
// decay_input=False). lambda = 1 - 1/tau, v(0) = 0:
//   u(t) = lambda v(t-1) + x(t)        membrane potential before firing: the one number a neuron keeps
//   s(t) = [u(t) >= v_th]              spike, decided from u as stored (rounded to the compute type)
//   v(t) = u(t) - s(t) v_th            potential after firing; computed from u where a kernel needs it
#pragma once
#include "pack.cuh"

namespace sltt {

// s(t) from u(t).
template <int V> __device__ inline Pack<V> spike(const Pack<V>& u, float v_th) { return select(u >= v_th, 1.0f, 0.0f); }

// v(t) from u(t).
template <int V> __device__ inline Pack<V> reset(const Pack<V>& u, float v_th) { return select(u >= v_th, u - v_th, u); }

// u(t) from v(t-1) and the input.
template <int V> __device__ inline Pack<V> lif_step(const Pack<V>& v, const Pack<V>& x, float lambda) { return lambda * v + x; }

// A neuron as kernels take it as a template parameter: surrogate(z) is the surrogate derivative g at z = u - v_th. MAX_PACK: the widest
// pack, in elements, with which a kernel that also keeps sums has enough registers on a GPU.
enum SurrogateKind { TRIANGLE = 0, RECTANGLE = 1, SIGMOID = 2 };

// Triangle: max(0, 1-|z|). Rectangle: [|z| <= 1/2]. Both are so cheap that a branch between them is enough.
struct Piecewise {
    static constexpr int MAX_PACK = 8;
    bool rectangle;
    template <int V> __device__ Pack<V> surrogate(const Pack<V>& z) const {
        Pack<V> a = abs(z);
        return rectangle ? select(a <= 0.5f, 1.0f, 0.0f) : select(a < 1.0f, 1.0f - a, 0.0f);
    }
};
// alpha s(alpha z)(1 - s(alpha z)), alpha = 4, written with e = exp(-alpha |z|) so that nothing cancels.
struct Sigmoid {
    static constexpr int MAX_PACK = 4;
    template <int V> __device__ Pack<V> surrogate(const Pack<V>& z) const {
        Pack<V> e = exp_of_negative(-4.0f * abs(z));
        return 4.0f * e / ((1.0f + e) * (1.0f + e));
    }
};
// The one of a kind that the launch names. `sigmoid` is decided at compile time on the CPU device (specialise in work.cuh).
template <int V, class Decision> __device__ inline Pack<V> surrogate(const Pack<V>& z, Decision sigmoid, bool rectangle) {
    if (sigmoid) return Sigmoid{}.surrogate(z);
    return Piecewise{rectangle}.surrogate(z);
}

// dL/du(t) from ds = dL/ds(t) and, under BPTT, carried = dL/dv(t) (0 under SLTT, which cuts the graph there):
//   dL/du = g ds + carried (1 - v_th g)
template <int V> __device__ inline Pack<V> lif_backward_step(const Pack<V>& g, const Pack<V>& ds) { return g * ds; }
template <int V> __device__ inline Pack<V> lif_backward_step(const Pack<V>& g, const Pack<V>& ds, const Pack<V>& carried, float v_th) {
    return g * ds + carried * (1.0f - v_th * g);
}

}  // namespace sltt
