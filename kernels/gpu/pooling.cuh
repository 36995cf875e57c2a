// Average pools folded into the neurons in front of them (Windows in common/windows.cuh).
#pragma once
#include "common/windows.cuh"
#include "work.cuh"

namespace sltt {

// ---- Backward: the gradient that reaches the spikes --------------------------------------------------------------------
// A kernel's MaskSource is Dropout where grad_spikes holds that gradient, PooledGradient where it comes through a pool.
// fetch_spike_gradient reads, with the kernel's other loads; spike_gradient computes.

template <int V, class T> __device__ inline Stored<T, V> fetch_spike_gradient(const Dropout&, const T* grad_spikes, int64_t i) {
    return fetch<V, STREAM>(grad_spikes, i);
}
template <int V, class T> __device__ inline Pack<V> spike_gradient(const Dropout&, const Pack<V>& mask, const Stored<T, V>& in) {
    return mask * from_memory(in);
}

template <int V, class T> __device__ inline Pack<V> mask_at(const PooledGradient<T>& source, int64_t i) {
    return mask_at<V>(source.drop, i);
}
template <int V, class T> __device__ inline Stored<T, V> fetch_spike_gradient(const PooledGradient<T>& source, const T*, int64_t i) {
    int64_t pixel = i / source.channels, c = i - pixel * source.channels;
    return fetch<V>(source.gradient, source.windows.of(pixel) * source.channels + c);
}
template <int V, class T>
__device__ inline Pack<V> spike_gradient(const PooledGradient<T>& source, const Pack<V>& mask, const Stored<T, V>& in) {
    return mask * (source.windows.share() * from_memory(in));
}

template <class T, class G, class F> __device__ inline void for_elements(int64_t n, const PooledGradient<G>& source, F f) {
    for_rows_channels<T>(n / source.channels, source.channels, PerChannel<0>{}, source,
                         [=](auto lanes, int64_t i, const auto&, const auto& mask) { f(lanes, i, mask); });
}

// ---- Forward: the mean over each window --------------------------------------------------------------------------------

// pool_rows with packs of V channels. A thread loads PIXELS of its window before it uses the first, as read_rows does with rows. A pixel
// beyond the last repeats the last: f writes the same value twice, and its value is left out.
template <int V, int P, class Read, class F, class Put>
__device__ inline void pool_packs(int64_t count, int channels, const Windows& windows, const PerChannel<P>& parameters, const Dropout& drop,
                                  Read& read, F& f, Put& put) {
    constexpr int PIXELS = 4;
    int packs = channels / V, size = windows.size, pixels = size * size;
    for (int64_t p = thread_index(), stride = thread_count(); p < count * packs; p += stride) {
        int64_t window = p / packs;
        int c = (int)(p - window * packs) * V;
        int64_t line = windows.first(window);  // where the window's current line begins, in pixels
        int column = 0;                        // of the next pixel in that line
        Packs<P, V> params = load_parameters<V>(parameters, c);
        Pack<V> sum(0.0f);
        for (int first = 0; first < pixels; first += PIXELS) {
            int64_t at[PIXELS];
            decltype(read(Lanes<V>{}, p)) in[PIXELS];
#pragma unroll
            for (int a = 0; a < PIXELS; ++a) {
                at[a] = (line + column) * channels + c;
                in[a] = read(Lanes<V>{}, at[a]);
                if (first + a + 1 < pixels && ++column == size) {
                    column = 0;
                    line += windows.width;
                }
            }
#pragma unroll
            for (int a = 0; a < PIXELS; ++a) {
                Pack<V> value = f(Lanes<V>{}, at[a], params, mask_at<V>(drop, at[a]), in[a]);
                bool counts = first + a < pixels;
                for (int l = 0; l < V; ++l) sum.v[l] = counts ? sum.v[l] + value.v[l] : sum.v[l];
            }
        }
        put(Lanes<V>{}, p * V, windows.share() * sum);
    }
}

// read(lanes, i) returns the inputs at element i, as memory holds them. f(lanes, i, params, mask, in), params and mask as in
// for_rows_channels, returns the value that is pooled, a Pack<V>; f may also write, but nothing that `read` reads at another element.
// put(lanes, o, mean) for every element o of the pooled matrix: the mean over its window, added up in row order.
template <class T, int P, class Read, class F, class Put>
__device__ inline void pool_rows(int64_t rows, int channels, Windows windows, PerChannel<P> parameters, Dropout drop, Read read, F f,
                                 Put put) {
    constexpr int V = pack_width<T>;
    int64_t count = rows / windows.pixels();
    if (channels % V == 0) pool_packs<V>(count, channels, windows, parameters, drop, read, f, put);
    else pool_packs<1>(count, channels, windows, parameters, drop, read, f, put);
}

}  // namespace sltt
