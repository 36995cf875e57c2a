// Average pools folded into the neurons in front of them (Windows in common/windows.cuh).
#pragma once
#include "common/windows.cuh"
#include "work.cuh"

namespace sltt {

// ---- Backward: the gradient that reaches the spikes --------------------------------------------------------------------
// A kernel's MaskSource is Dropout where grad_spikes holds that gradient, PooledGradient where it comes through a pool.
// fetch_spike_gradient reads at spike_gradient_at(source, i), with the kernel's other loads; spike_gradient computes. source.at(step) is
// the source at a step.

__device__ inline int64_t spike_gradient_at(const Dropout&, int64_t i) { return i; }
template <int V, class T> __device__ inline Stored<T, V> fetch_spike_gradient(const Dropout&, const T* grad_spikes, int64_t at) {
    return fetch<V, STREAM>(grad_spikes, at);
}
template <int V, class T> __device__ inline Pack<V> spike_gradient(const Dropout&, const Pack<V>& mask, const Stored<T, V>& in) {
    return mask * from_memory(in);
}

template <int V, class T> __device__ inline Pack<V> mask_at(const PooledGradient<T>& source, int64_t i) {
    return mask_at<V>(source.drop, i);
}
template <class T> __device__ inline int64_t spike_gradient_at(const PooledGradient<T>& source, int64_t i) {
    int pixel = (int)i / source.channels, c = (int)i - pixel * source.channels;
    return (int64_t)source.windows.of(pixel) * source.channels + c;
}
template <int V, class T> __device__ inline Stored<T, V> fetch_spike_gradient(const PooledGradient<T>& source, const T*, int64_t at) {
    return fetch<V>(source.gradient, at);
}
template <int V, class T>
__device__ inline Pack<V> spike_gradient(const PooledGradient<T>& source, const Pack<V>& mask, const Stored<T, V>& in) {
    return mask * (source.windows.share() * from_memory(in));
}

template <class T, class G, class F>
__device__ inline void walk_elements_back(int steps, bool in_order, int64_t n, const PooledGradient<G>& source, F f) {
    for_walks(steps, in_order, [&](Walk walk) {
        for_rows_channels<T>(n / source.channels, source.channels, PerChannel<0>{}, source,
                             [&](auto lanes, int64_t i, const auto&, const auto& mask) { f(lanes, i, walk, mask); });
    });
}

// ---- Forward: the mean over each window --------------------------------------------------------------------------------

// walk_pool_rows with packs of V channels. A thread loads PIXELS of its window before it uses the first, as read_rows does with rows. A
// pixel beyond the last repeats the last: f writes the same value twice, and its value is left out. HELD: the window has no more pixels than
// that, so their states stay in registers from step to step; else each step gets them from `before`.
template <int V, bool HELD, int P, int BY_STEP, class Before, class Read, class F, class Put>
__device__ inline void walk_pool_packs(int steps, int64_t count, int channels, const Windows& windows,
                                       const PerStepAndChannel<P, BY_STEP>& parameters, const Dropout& drop, Before& before, Read& read,
                                       F& f, Put& put) {
    constexpr int PIXELS = 4;
    int packs = channels / V, size = windows.size, pixels = size * size;
    for (int64_t p = thread_index(), stride = thread_count(); p < count * packs; p += stride) {
        int window = (int)p / packs, c = ((int)p - window * packs) * V;
        decltype(before(Lanes<V>{}, p, 0)) state[PIXELS];
        for (int step = 0; step < steps; ++step) {
            int line = windows.first(window);  // where the window's current line begins, in pixels
            int column = 0;                    // of the next pixel in that line
            Packs<P, V> params = load_parameters<V>(parameters.at(step), c);
            Pack<V> sum(0.0f);
            for (int first = 0; first < (HELD ? 1 : pixels); first += PIXELS) {
                int at[PIXELS];
                decltype(read(Lanes<V>{}, p, 0)) in[PIXELS];
#pragma unroll
                for (int a = 0; a < PIXELS; ++a) {
                    at[a] = (line + column) * channels + c;
                    in[a] = read(Lanes<V>{}, at[a], step);
                    if (!HELD || step == 0) state[a] = before(Lanes<V>{}, at[a], step);
                    if (first + a + 1 < pixels && ++column == size) {
                        column = 0;
                        line += windows.width;
                    }
                }
#pragma unroll
                for (int a = 0; a < PIXELS; ++a) {
                    Pack<V> value = f(Lanes<V>{}, at[a], step, HELD, params, mask_at<V>(drop, at[a]), in[a], state[a]);
                    bool counts = first + a < pixels;
                    for (int l = 0; l < V; ++l) sum.v[l] = counts ? sum.v[l] + value.v[l] : sum.v[l];
                }
            }
            put(Lanes<V>{}, p * V, step, windows.share() * sum);
        }
    }
}

// Average pools of several steps. before(lanes, i, step) returns the state of element i in front of a step, read(lanes, i, step) the step's
// inputs, both as memory holds them. f(lanes, i, step, held, params, mask, in, state) returns the value that is pooled, a Pack<V>, and
// updates the state; it may also write at element i. held: the next step gets that state; else it calls `before`, which reads what f wrote.
// put(lanes, o, step, mean) for every element o of the pooled matrix: the mean over its window, added up in row order. The mask of an
// element is drawn anew at each step: a window's masks would take too many registers.
template <class T, int P, int BY_STEP, class Before, class Read, class F, class Put>
__device__ inline void walk_pool_rows(int steps, int64_t rows, int channels, Windows windows, PerStepAndChannel<P, BY_STEP> parameters,
                                      Dropout drop, Before before, Read read, F f, Put put) {
    constexpr int V = pack_width<T>;
    if (blockIdx.y != 0) return;
    int64_t count = rows / windows.pixels();
    if (channels % V != 0) walk_pool_packs<1, false>(steps, count, channels, windows, parameters, drop, before, read, f, put);
    else if (windows.size <= 2) walk_pool_packs<V, true>(steps, count, channels, windows, parameters, drop, before, read, f, put);
    else walk_pool_packs<V, false>(steps, count, channels, windows, parameters, drop, before, read, f, put);
}

// The same for one step and no state: read(lanes, i), f(lanes, i, params, mask, in), put(lanes, o, mean).
template <class T, int P, class Read, class F, class Put>
__device__ inline void pool_rows(int64_t rows, int channels, Windows windows, PerChannel<P> parameters, Dropout drop, Read read, F f,
                                 Put put) {
    constexpr int V = pack_width<T>;
    int64_t count = rows / windows.pixels();
    PerStepAndChannel<P, 0> of_one_step = {parameters, 0};
    auto before = [](auto, int64_t, int) { return 0; };
    auto read_step = [&](auto lanes, int64_t i, int) { return read(lanes, i); };
    auto pool = [&](auto lanes, int64_t i, int, bool, const auto& params, const auto& mask, const auto& in, int&) {
        return f(lanes, i, params, mask, in);
    };
    auto put_step = [&](auto lanes, int64_t o, int, const auto& mean) { put(lanes, o, mean); };
    if (channels % V == 0) walk_pool_packs<V, false>(1, count, channels, windows, of_one_step, drop, before, read_step, pool, put_step);
    else walk_pool_packs<1, false>(1, count, channels, windows, of_one_step, drop, before, read_step, pool, put_step);
}

}  // namespace sltt
