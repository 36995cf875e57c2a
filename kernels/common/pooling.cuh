// Average pools folded into the neurons in front of them: windows of size * size pixels, side by side, none left over (height and
// width are multiples of size). Pixels count as rows of a (rows, channels) matrix, rows = N*H*W, windows as its pooled rows.
#pragma once
#include "sums.cuh"

namespace SLTT_VARIANT {

constexpr int MAX_WINDOW = 8;  // pixels in a window's line

struct Windows {
    int width, size;  // pixels in a line; pixels in a window's line
    __device__ float share() const { return 1.0f / (float)(size * size); }  // exact for powers of two
    __device__ int64_t pixels() const { return (int64_t)size * size; }
    // The window that a pixel is in.
    __device__ int64_t of(int64_t pixel) const {
        int64_t line = pixel / width;
        return line / size * (width / size) + (int)(pixel - line * width) / size;
    }
    // The first pixel of a window.
    __device__ int64_t first(int64_t window) const {
        int64_t across = width / size, line = window / across;
        return line * size * width + (window - line * across) * size;
    }
};

// Average pool's backward and dropout's as they are needed: mask times the element's share of its window's gradient. For
// for_rows_channels and sum_rows, in place of Dropout: on the CPU device that product stands beside an element, on the GPU the mask
// alone, and the gradient is read where the others are (fetch_reaching).
template <class T> struct PooledGradient {
    const T* gradient;  // (windows, channels)
    int channels;
    Windows windows;
    Dropout drop;
#if defined(SLTT_FAST)
    struct Tile {
        MaskTile masks;
        alignas(64) float reaching[TILE];
        const float* of(const PooledGradient& d, int64_t first, int count) {
            const float* mask = masks.of(d.drop, first, count);
            const float share = d.windows.share();
            const int size = d.windows.size, across = d.windows.width / size;
            int64_t pixel = first / d.channels, line = pixel / d.windows.width;
            int c = (int)(first - pixel * d.channels), x = (int)(pixel - line * d.windows.width), window = x / size, in_window = x % size;
            const T* windows = d.gradient + line / size * across * d.channels;
            for (int j = 0; j < count; c = 0) {
                int run = d.channels - c < count - j ? d.channels - c : count - j;
                const T* from = windows + (int64_t)window * d.channels + c;
                each_pack(0, run, [&](auto lanes, int64_t k) {
                    constexpr int V = decltype(lanes)::value;
                    store<V>(reaching, j + k, load<V>(mask, j + k) * (share * load<V>(from, k)));
                });
                j += run;
                if (++in_window < size) continue;
                in_window = 0;
                if (++window < across) continue;
                window = 0;
                windows = d.gradient + ++line / size * across * d.channels;
            }
            return reaching;
        }
    };
#endif
};
#if !defined(SLTT_FAST)
template <int V, class T> __device__ inline Pack<V> beside(const PooledGradient<T>& d, int64_t i) { return beside<V>(d.drop, i); }

// A thread reads four pixels of its window before it writes the first, as add_up_rows does with rows.
template <int V, int P, class Read, class F, class Put>
__device__ inline void pool_packs(int64_t count, int channels, const Windows& windows, const PerChannel<P>& parameters, const Dropout& d, Read& read, F& f,
                                  Put& put) {
    constexpr int AHEAD = 4;
    int packs = channels / V, size = windows.size, pixels = size * size;
    for (int64_t p = thread_index(), stride = thread_count(); p < count * packs; p += stride) {
        int64_t window = p / packs, line = windows.first(window);  // line: where the window's line of the next pixel begins
        int c = (int)(p - window * packs) * V, column = 0;
        Packs<P, V> own = load_parameters<V>(parameters, c);
        Pack<V> sum(0.0f);
        for (int first = 0; first < pixels; first += AHEAD) {
            int64_t at[AHEAD];
            decltype(read(Lanes<V>{}, p)) in[AHEAD];
            SLTT_UNROLL
            for (int a = 0; a < AHEAD; ++a) {  // past the last pixel that one again, for nothing
                at[a] = (line + column) * channels + c;
                in[a] = read(Lanes<V>{}, at[a]);
                if (first + a + 1 < pixels && ++column == size) {
                    column = 0;
                    line += windows.width;
                }
            }
            SLTT_UNROLL
            for (int a = 0; a < AHEAD; ++a) {
                Pack<V> value = f(Lanes<V>{}, at[a], own, beside<V>(d, at[a]), in[a]);
                bool counts = first + a < pixels;
                for (int l = 0; l < V; ++l) sum.v[l] = counts ? sum.v[l] + value.v[l] : sum.v[l];
            }
        }
        put(Lanes<V>{}, p * V, windows.share() * sum);
    }
}
#endif

template <class T> __device__ inline PooledGradient<T> pooled_gradient(const T* gradient, int channels, Windows windows, Dropout drop) {
    return {gradient, channels, windows, drop};
}
template <class T, class G, class F> __device__ inline void for_elements(int64_t n, const PooledGradient<G>& d, F f) {
    for_rows_channels<T>(n / d.channels, d.channels, PerChannel<0>{}, d, [=](auto lanes, int64_t i, const auto&, const auto& own) { f(lanes, i, own); });
}

// The gradient that reaches element i's spike, of what is read for it and what stands beside the element.
template <int V, class T> __device__ inline Stored<T, V> fetch_reaching(const Dropout&, const T* grad_spikes, int64_t i) {
    return fetch<V, FAR>(grad_spikes, i);
}
template <int V, class T> __device__ inline Pack<V> reaching_spikes(const Dropout&, const Pack<V>& mask, const Stored<T, V>& in) {
    return mask * from_memory(in);
}
#if defined(SLTT_FAST)
template <int V, class T> inline Stored<T, V> fetch_reaching(const PooledGradient<T>&, const T*, int64_t) { return {}; }
template <int V, class T> inline Pack<V> reaching_spikes(const PooledGradient<T>&, const Pack<V>& own, const Stored<T, V>&) { return own; }
#else
template <int V, class T> __device__ inline Stored<T, V> fetch_reaching(const PooledGradient<T>& d, const T*, int64_t i) {
    int64_t pixel = i / d.channels, c = i - pixel * d.channels;
    return fetch<V>(d.gradient, d.windows.of(pixel) * d.channels + c);
}
template <int V, class T> __device__ inline Pack<V> reaching_spikes(const PooledGradient<T>& d, const Pack<V>& mask, const Stored<T, V>& in) {
    return mask * (d.windows.share() * from_memory(in));
}
#endif

#if defined(SLTT_FAST)
// pool_rows without dropout, for channels that are whole packs: a window is added up in registers.
template <int P, class Read, class F, class Put>
inline void pool_whole_packs(int64_t rows, int channels, const Windows& windows, const PerChannel<P>& parameters, Read& read, F& f, Put& put) {
    with(windows.size == 2, [&](auto two) {
        const int size = two ? 2 : windows.size, across = windows.width / size;
        const float share = windows.share();
        Share s = block_share(rows / windows.pixels(), 1);
        ParameterTile<P> own;
        for (int c0 = 0; c0 < channels; c0 += TILE) {
            int width = channels - c0 < TILE ? channels - c0 : TILE;
            own.fill(parameters, c0, width, 1);
            for (int64_t window = s.begin, line_end; window < s.end; window = line_end) {
                line_end = (window / across + 1) * across < s.end ? (window / across + 1) * across : s.end;
                int64_t first = windows.first(window) * channels + c0;
                for (; window < line_end; ++window, first += (int64_t)size * channels)
                    for (int c = 0; c < width; c += WIDE) {
                        Packs<P, WIDE> norm = own.template at<WIDE>(c);
                        WidePack sum(0.0f);
                        for (int a = 0; a < size; ++a)
                            for (int b = 0; b < size; ++b) {
                                int64_t i = first + ((int64_t)a * windows.width + b) * channels + c;
                                sum = sum + f(Lanes<WIDE>{}, i, norm, WidePack(1.0f), read(Lanes<WIDE>{}, i));
                            }
                        put(Lanes<WIDE>{}, window * channels + c0 + c, share * sum);
                    }
            }
        }
    });
}
#endif

// read(lanes, i) gives what is read at element i, as memory holds it; f(lanes, i, parameters, mask, that), parameters and mask as in
// for_rows_channels, returns what is pooled, a Pack<V>; it may also write, but nothing that is read at another element.
// put(lanes, o, mean) once for every element o of the pooled matrix: the mean over its window, added up in row order.
template <class T, int P, class Read, class F, class Put>
__device__ inline void pool_rows(int64_t rows, int channels, Windows windows, PerChannel<P> parameters, Dropout d, Read read, F f, Put put) {
#if defined(SLTT_FAST)
    if (d.rate <= 0.0f && channels % WIDE == 0) return pool_whole_packs(rows, channels, windows, parameters, read, f, put);
    // A tile is one window and some of its channels, or a few windows side by side and all channels: then each of their lines is one
    // run of neighbouring elements. What is pooled is laid out first, lines one after the other, then added up.
    const int size = windows.size, across = windows.width / size, most = TILE / size / channels;
    const float share = windows.share();
    Share s = block_share(rows / windows.pixels(), 1);
    ParameterTile<P> own;
    MaskTile masks;
    alignas(64) float value[MAX_WINDOW * TILE];
    for (int c0 = 0; c0 < channels; c0 += TILE / size) {
        int width = channels - c0 < TILE / size ? channels - c0 : TILE / size;
        own.fill(parameters, c0, width, most > 0 ? most * size : 1);
        for (int64_t window = s.begin; window < s.end;) {
            int64_t line = window / across, left = across - (window - line * across), pixel = windows.first(window);
            if (s.end - window < left) left = s.end - window;
            int count = most < 1 ? 1 : left < most ? (int)left : most, runs = most > 0 ? 1 : size, n = count * size / runs * width;
            float* to = value;
            for (int a = 0; a < size; ++a)
                for (int b = 0; b < runs; ++b, to += n) {
                    int64_t base = (pixel + (int64_t)a * windows.width + b) * channels + c0;
                    const float* mask = masks.of(d, base, n);
                    each_pack(0, n, [&](auto lanes, int64_t j) {
                        constexpr int V = decltype(lanes)::value;
                        store<V>(to, j, f(lanes, base + j, own.template at<V>(j), load<V>(mask, j), read(lanes, base + j)));
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
#else
    constexpr int V = pack_width<T>;
    int64_t count = rows / windows.pixels();
    if (channels % V == 0) pool_packs<V>(count, channels, windows, parameters, d, read, f, put);
    else pool_packs<1>(count, channels, windows, parameters, d, read, f, put);
#endif
}

}  // namespace SLTT_VARIANT
