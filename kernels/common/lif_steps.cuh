// Time steps of LIF neurons whose potential goes from step to step in registers.
#pragma once
#include "memory.cuh"
#include "neuron.cuh"
#include "steps.cuh"

namespace sltt {

template <class T> struct LifSteps {
    T* u;             // (steps, n); u_last: (n), the last step's alone
    const T* u_prev;  // (n), of the step before the first; may be u's last step, so it is read before anything is written
    const T* x;       // (steps, n); x_shared: (n)
    bool x_shared, u_last;
    int steps;
    int64_t n;

    // True if u(step) is written.
    __device__ bool keeps(int step) const { return !u_last || step + 1 == steps; }
    // Where u(step) lies.
    __device__ T* u_at(int step) const { return u_last ? u : u + step * n; }
    // u of the step in front of `step`, as memory holds it; zero in front of the first step unless it `continues` from u_prev.
    template <int V, class Decision> __device__ Stored<T, V> before(int64_t i, int step, Decision continues) const {
        if (step > 0) return fetch<V>((const T*)u_at(step - 1), i);
        if (continues) return fetch<V>(u_prev, i);
        return {};
    }
    __device__ const T* x_at(int step) const { return x_shared ? x : x + step * n; }

    // Takes the V neurons from i on through the walk: input(step, x) is what the potential gets of x, fire(at, spike) stores a step's
    // spikes. The next step's x is on its way while a step is computed: the compiler must assume that stores alias it.
    template <int V, class Decision, class Input, class Fire>
    __device__ void advance(int64_t i, const Walk& walk, Decision continues, float v_th, float lambda, Input input, Fire fire) const {
        Stored<T, V> next = fetch<V, STREAM>(x_at(walk.first), i);
        Pack<V> v = reset(from_memory(before<V>(i, walk.first, continues)), v_th);
        for (int step = walk.first; step < walk.end; ++step) {
            Pack<V> x_now = from_memory(next);
            if (!x_shared && step + 1 < walk.end) next = fetch<V, STREAM>(x_at(step + 1), i);
            Stored<T, V> u_stored = to_memory<T>(lif_step(v, input(step, x_now), lambda));
            if (step + 1 == walk.end || !u_last) store<V>(u_at(step), i, u_stored);
            Pack<V> u_now = from_memory(u_stored);
            fire(i + step * n, spike(u_now, v_th));
            v = reset(u_now, v_th);
        }
    }
};

}  // namespace sltt
