// Average pools folded into the neurons in front of them (Windows in common/windows.cuh).
#pragma once
#include "common/windows.cuh"
#include "work.cuh"

namespace sltt {

// ---- Backward: the gradient that reaches the spikes --------------------------------------------------------------------
// A kernel's MaskSource is Dropout where grad_spikes holds that gradient, PooledGradient where it comes through a pool.
// fetch_spike_gradient reads at spike_gradient_at(source, i), with the kernel's other loads; spike_gradient computes. source.at(step) is
// the source at a step.

inline int64_t spike_gradient_at(const Dropout&, int64_t i) { return i; }
template <int V, class T> inline Stored<T, V> fetch_spike_gradient(const Dropout&, const T* grad_spikes, int64_t at) {
    return fetch<V, STREAM>(grad_spikes, at);
}
template <int V, class T> inline Pack<V> spike_gradient(const Dropout&, const Pack<V>& mask, const Stored<T, V>& in) {
    return mask * from_memory(in);
}

// Here the tile's array holds the whole product mask * (share * gradient), so there is nothing left to fetch.
template <class T> inline int64_t spike_gradient_at(const PooledGradient<T>&, int64_t i) { return i; }
template <int V, class T> inline Stored<T, V> fetch_spike_gradient(const PooledGradient<T>&, const T*, int64_t) { return {}; }
template <int V, class T> inline Pack<V> spike_gradient(const PooledGradient<T>&, const Pack<V>& product, const Stored<T, V>&) {
    return product;
}

template <class T> struct MaskTile<PooledGradient<T>> {
    MaskTile<Dropout> masks;
    alignas(64) float product[TILE];

    // Goes over the elements in runs that lie in one pixel: a run's gradient is contiguous in its window's row.
    const float* of(const PooledGradient<T>& source, int64_t first, int count) {
        const float* mask = masks.of(source.drop, first, count);
        const float share = source.windows.share();
        const int size = source.windows.size, across = source.windows.width / size;
        int64_t pixel = first / source.channels, line = pixel / source.windows.width;
        int c = (int)(first - pixel * source.channels), x = (int)(pixel - line * source.windows.width);
        int window = x / size, in_window = x % size;
        const T* windows = source.gradient + line / size * across * source.channels;  // the line's windows
        for (int j = 0; j < count; c = 0) {
            int run = source.channels - c < count - j ? source.channels - c : count - j;
            const T* from = windows + (int64_t)window * source.channels + c;
            each_pack(0, run, [&](auto lanes, int64_t k) {
                constexpr int V = decltype(lanes)::value;
                store<V>(product, j + k, load<V>(mask, j + k) * (share * load<V>(from, k)));
            });
            j += run;
            if (++in_window < size) continue;
            in_window = 0;
            if (++window < across) continue;
            window = 0;
            windows = source.gradient + ++line / size * across * source.channels;
        }
        return product;
    }
};

// Here a walk is one step, as a tile's array holds the product of one step.
template <class T, class G, class F>
inline void walk_elements_back(int steps, bool in_order, int64_t n, const PooledGradient<G>& source, F f) {
    for_steps_back(steps, in_order, [&](int step) {
        for_rows_channels<T>(n / source.channels, source.channels, PerChannel<0>{}, source.at(step),
                             [&](auto lanes, int64_t i, const auto&, const auto& product) {
                                 f(lanes, i, Walk{step, step + 1}, product);
                             });
    });
}

// ---- Forward: the mean over each window --------------------------------------------------------------------------------

// pool_rows without dropout, for channels that are whole packs: a window is added up in a register.
template <int P, class Read, class F, class Put>
inline void pool_whole_packs(int64_t rows, int channels, const Windows& windows, const PerChannel<P>& parameters, Read& read, F& f,
                             Put& put) {
    specialise(windows.size == 2, [&](auto two) {
        const int size = two ? 2 : windows.size, across = windows.width / size;
        const float share = windows.share();
        Share s = block_share(rows / windows.pixels(), 1);
        ParameterTile<P> params;
        for (int c0 = 0; c0 < channels; c0 += TILE) {
            int width = channels - c0 < TILE ? channels - c0 : TILE;
            params.fill(parameters, c0, width, 1);
            for (int64_t window = s.begin, line_end; window < s.end; window = line_end) {
                line_end = (window / across + 1) * across < s.end ? (window / across + 1) * across : s.end;
                int64_t first = (int64_t)windows.first((int)window) * channels + c0;
                for (; window < line_end; ++window, first += (int64_t)size * channels)
                    for (int c = 0; c < width; c += WIDE) {
                        Packs<P, WIDE> channel_params = params.template at<WIDE>(c);
                        WidePack sum(0.0f);
                        for (int a = 0; a < size; ++a)
                            for (int b = 0; b < size; ++b) {
                                int64_t i = first + ((int64_t)a * windows.width + b) * channels + c;
                                sum = sum + f(Lanes<WIDE>{}, i, channel_params, WidePack(1.0f), read(Lanes<WIDE>{}, i));
                            }
                        put(Lanes<WIDE>{}, window * channels + c0 + c, share * sum);
                    }
            }
        }
    });
}

// read(lanes, i) returns the inputs at element i, as memory holds them. f(lanes, i, params, mask, in), params and mask as in
// for_rows_channels, returns the value that is pooled, a Pack<V>; f may also write, but nothing that `read` reads at another element.
// put(lanes, o, mean) for every element o of the pooled matrix: the mean over its window, added up in row order.
//
// A tile is one window and some of its channels, or `count` windows side by side and all channels: then each of their lines is one run of
// neighbouring elements. First the values of all runs are laid out one after the other, then each window is added up.
template <class T, int P, class Read, class F, class Put>
inline void pool_rows(int64_t rows, int channels, Windows windows, PerChannel<P> parameters, Dropout drop, Read read, F f, Put put) {
    if (drop.rate <= 0.0f && channels % WIDE == 0) return pool_whole_packs(rows, channels, windows, parameters, read, f, put);
    const int size = windows.size, across = windows.width / size, max_count = TILE / size / channels;
    const float share = windows.share();
    Share s = block_share(rows / windows.pixels(), 1);
    ParameterTile<P> params;
    MaskTile<Dropout> masks;
    alignas(64) float value[MAX_WINDOW * TILE];
    for (int c0 = 0; c0 < channels; c0 += TILE / size) {
        int width = channels - c0 < TILE / size ? channels - c0 : TILE / size;
        params.fill(parameters, c0, width, max_count > 0 ? max_count * size : 1);
        for (int64_t window = s.begin; window < s.end;) {
            int64_t line = window / across, left = across - (window - line * across), pixel = windows.first((int)window);
            if (s.end - window < left) left = s.end - window;
            int count = max_count < 1 ? 1 : left < max_count ? (int)left : max_count;
            int runs = max_count > 0 ? 1 : size, n = count * size / runs * width;  // runs in a line, elements in a run
            float* to = value;
            for (int a = 0; a < size; ++a)
                for (int b = 0; b < runs; ++b, to += n) {
                    int64_t base = (pixel + (int64_t)a * windows.width + b) * channels + c0;
                    const float* mask = masks.of(drop, base, n);
                    each_pack(0, n, [&](auto lanes, int64_t j) {
                        constexpr int V = decltype(lanes)::value;
                        store<V>(to, j, f(lanes, base + j, params.template at<V>(j), load<V>(mask, j), read(lanes, base + j)));
                    });
                }
            for (int w = 0; w < count; ++w, ++window)
                each_pack(0, width, [&](auto lanes, int64_t c) {
                    constexpr int V = decltype(lanes)::value;
                    Pack<V> sum(0.0f);
                    for (int a = 0; a < size; ++a)
                        for (int b = 0; b < size; ++b) sum = sum + load<V>(value, ((a * count + w) * size + b) * width + c);
                    put(lanes, window * channels + c0 + c, share * sum);
                });
        }
    }
}

// Average pools of several steps. before(lanes, i, step) returns the state of element i in front of a step, read(lanes, i, step) the step's
// inputs, both as memory holds them. f(lanes, i, step, held, params, mask, in, state) returns the value that is pooled, a Pack<V>, and
// updates the state; it may also write at element i. held: the next step gets that state; else it calls `before`, which reads what f wrote.
// put(lanes, o, step, mean) for every element o of the pooled matrix: the mean over its window, added up in row order.
template <class T, int P, int BY_STEP, class Before, class Read, class F, class Put>
inline void walk_pool_rows(int steps, int64_t rows, int channels, Windows windows, PerStepAndChannel<P, BY_STEP> parameters, Dropout drop,
                           Before before, Read read, F f, Put put) {
    if (blockIdx.y != 0) return;
    for (int step = 0; step < steps; ++step)
        pool_rows<T>(
            rows, channels, windows, parameters.at(step), drop,
            [&](auto lanes, int64_t i) {
                struct {
                    decltype(read(lanes, i, step)) in;
                    decltype(before(lanes, i, step)) state;
                } all = {read(lanes, i, step), before(lanes, i, step)};
                return all;
            },
            [&](auto lanes, int64_t i, const auto& params, const auto& mask, const auto& all) {
                auto state = all.state;
                return f(lanes, i, step, No{}, params, mask, all.in, state);
            },
            [&](auto lanes, int64_t o, const auto& mean) { put(lanes, o, step, mean); });
}

}  // namespace sltt
