// Shares of work: which elements, rows, channels or lines a block and its threads see, and decisions made once a launch.
#pragma once
#include "random.cuh"

namespace SLTT_VARIANT {

// with(b, ..., f) calls f(b, ...). Where loops are vectorised each value of b gets its own loop (b is then a constant of its
// type); on the GPU a uniform branch costs nothing and the code stays small.
#if defined(SLTT_FAST)
struct Yes { constexpr operator bool() const { return true; } };
struct No { constexpr operator bool() const { return false; } };
template <class F> inline void with(bool a, F f) {
    if (a) f(Yes{});
    else f(No{});
}
#else
template <class F> __device__ inline void with(bool a, F f) { f(a); }
#endif
template <class F> __device__ inline void with(bool a, bool b, F f) {
    with(a, [&](auto x) { with(b, [&](auto y) { f(x, y); }); });
}
template <class F> __device__ inline void with(bool a, bool b, bool c, F f) {
    with(a, [&](auto x) { with(b, c, [&](auto y, auto z) { f(x, y, z); }); });
}
template <class F> __device__ inline void with(bool a, bool b, bool c, bool d, F f) {
    with(a, b, [&](auto x, auto y) { with(c, d, [&](auto z, auto w) { f(x, y, z, w); }); });
}

#if defined(SLTT_FAST)
// The block's contiguous share [begin, end) of n items, cut at multiples of `unit`.
struct Share { int64_t begin, end; };
inline Share block_share(int64_t n, int64_t unit) {
    int64_t units = (n + unit - 1) / unit, blocks = gridDim.x, b = blockIdx.x;
    int64_t begin = units * b / blocks * unit, end = units * (b + 1) / blocks * unit;
    return {begin, end < n ? end : n};
}

// f(lanes, i) for every i in [begin, end): lanes.value elements from i on.
template <class F> inline void each_pack(int64_t begin, int64_t end, F f) {
    int64_t i = begin;
    for (; i + WIDE <= end; i += WIDE) f(Lanes<WIDE>{}, i);
    for (; i < end; ++i) f(Lanes<1>{}, i);
}
#else
__device__ inline int64_t thread_index() { return (int64_t)blockIdx.x * blockDim.x + threadIdx.x; }
__device__ inline int64_t thread_count() { return (int64_t)gridDim.x * blockDim.x; }
#endif

// f(lanes, i) for every element i in [0, n): lanes.value elements from i on. T: the type whose 16 bytes make a pack.
template <class T, class F> __device__ inline void for_elements(int64_t n, F f) {
#if defined(SLTT_FAST)
    Share s = block_share(n, 64);
    each_pack(s.begin, s.end, f);
#else
    constexpr int V = pack_width<T>;
    int64_t packs = n / V, stride = thread_count(), first = thread_index();
    for (int64_t p = first; p < packs; p += stride) f(Lanes<V>{}, p * V);
    for (int64_t i = packs * V + first; i < n; i += stride) f(Lanes<1>{}, i);
#endif
}

// The same with dropout: f(lanes, i, mask), mask a Pack of 0 or 1/(1-rate).
template <class T, class F> __device__ inline void for_elements(int64_t n, Dropout d, F f) {
#if defined(SLTT_FAST)
    Share s = block_share(n, 64);
    MaskTile masks;
    for (int64_t first = s.begin; first < s.end; first += TILE) {
        int count = s.end - first < TILE ? (int)(s.end - first) : TILE;
        const float* mask = masks.of(d, first, count);
        each_pack(0, count, [&](auto lanes, int64_t j) { f(lanes, first + j, load<decltype(lanes)::value>(mask, j)); });
    }
#else
    for_elements<T>(n, [&](auto lanes, int64_t i) { f(lanes, i, beside<decltype(lanes)::value>(d, i)); });
#endif
}

// True in any thread that has an element i with f(lanes, i); f may also write.
template <class T, class F> __device__ inline bool any_element(int64_t n, F f) {
    bool any = false;
#if defined(SLTT_FAST)
    Share s = block_share(n, 64);
    each_pack(s.begin, s.end, [&](auto lanes, int64_t i) { any = f(lanes, i) || any; });
#else
    for_elements<T>(n, [&](auto lanes, int64_t i) { any = f(lanes, i) || any; });
#endif
    return any;
}

// P per-channel parameters, float; a null one reads as 0.
template <int P> struct PerChannel { const float* p[P > 0 ? P : 1]; };

// The CPU device goes through rows tile by tile: what is not an element's own (its channel's parameters, its dropout mask) is laid
// out beside the tile first, so that the loop over the tile is plain and long whatever the number of channels.
#if defined(SLTT_FAST)
// The parameters of `width` channels from c0 on, `group` times side by side.
template <int P> struct ParameterTile {
    alignas(64) float value[P > 0 ? P : 1][TILE];
    void fill(const PerChannel<P>& parameters, int c0, int width, int group) {
        for (int i = 0; i < P; ++i)
            for (int g = 0; g < group; ++g)
                for (int c = 0; c < width; ++c) value[i][g * width + c] = parameters.p[i] ? parameters.p[i][c0 + c] : 0.0f;
    }
    template <int V> Packs<P, V> at(int64_t j) const {
        Packs<P, V> out;
        SLTT_UNROLL
        for (int i = 0; i < P; ++i) out.k[i] = load<V>(value[i], j);
        return out;
    }
};
// How many rows of `channels` make a tile.
inline int rows_in_tile(int channels, int64_t rows) {
    int64_t group = channels < TILE ? TILE / channels : 1;
    return (int)(group < rows ? group : rows > 0 ? rows : 1);
}
#else
template <int V, int P> __device__ inline Packs<P, V> load_parameters(const PerChannel<P>& parameters, int c) {
    Packs<P, V> out;
    for (int i = 0; i < P; ++i) out.k[i] = parameters.p[i] ? load<V>(parameters.p[i], c) : Pack<V>(0.0f);
    return out;
}
template <int V, int P, class Beside, class F>
__device__ inline void for_packs_of_rows(int64_t rows, int channels, const PerChannel<P>& parameters, const Beside& d, F& f) {
    int64_t packs = rows * channels / V, stride = thread_count(), p = thread_index();
    if (p >= packs) return;
    int c = (int)(p * V % channels), step = (int)(stride * V % channels);
    Packs<P, V> own = load_parameters<V>(parameters, c);
    for (; p < packs; p += stride) {
        f(Lanes<V>{}, p * V, own, beside<V>(d, p * V));
        if (step != 0) {
            c += step;
            if (c >= channels) c -= channels;
            own = load_parameters<V>(parameters, c);
        }
    }
}
#endif

// f(lanes, i, parameters, mask) for every element i = row * channels + c of a (rows, channels) matrix, NHWC with
// rows = N*H*W: parameters is Packs<P, V>, those of the element's channel; mask as in for_elements. Instead of Dropout, d may be
// another kind of what is not an element's own: mask is then what that gives for it (PooledGradient).
template <class T, int P, class Beside, class F>
__device__ inline void for_rows_channels(int64_t rows, int channels, PerChannel<P> parameters, Beside d, F f) {
#if defined(SLTT_FAST)
    Share s = block_share(rows, 1);
    if (s.begin >= s.end) return;
    int group = rows_in_tile(channels, s.end - s.begin);
    ParameterTile<P> own;
    typename Beside::Tile masks;
    for (int c0 = 0; c0 < channels; c0 += TILE) {
        int width = channels - c0 < TILE ? channels - c0 : TILE;
        own.fill(parameters, c0, width, group);
        for (int64_t r = s.begin; r < s.end; r += group) {
            int64_t base = r * channels + c0;
            int count = (int)(s.end - r < group ? s.end - r : group) * width;
            const float* mask = masks.of(d, base, count);
            each_pack(0, count, [&](auto lanes, int64_t j) {
                constexpr int V = decltype(lanes)::value;
                f(lanes, base + j, own.template at<V>(j), load<V>(mask, j));
            });
        }
    }
#else
    constexpr int V = pack_width<T>;
    if (channels % V == 0) for_packs_of_rows<V>(rows, channels, parameters, d, f);
    else for_packs_of_rows<1>(rows, channels, parameters, d, f);
#endif
}

// f(lanes, row, c, prepare(row)) for every pack of channels of every row: for kernels that find their inputs from the row.
template <class T, class Prepare, class F> __device__ inline void for_row_packs(int64_t rows, int channels, Prepare prepare, F f) {
#if defined(SLTT_FAST)
    Share s = block_share(rows, 1);
    for (int64_t r = s.begin; r < s.end; ++r) {
        auto prepared = prepare(r);
        each_pack(0, channels, [&](auto lanes, int64_t c) { f(lanes, r, (int)c, prepared); });
    }
#else
    constexpr int V = pack_width<T>;
    int64_t stride = thread_count(), first = thread_index();
    if (channels % V == 0) {
        int packs = channels / V;
        for (int64_t p = first; p < rows * packs; p += stride) f(Lanes<V>{}, p / packs, (int)(p % packs) * V, prepare(p / packs));
    } else {
        for (int64_t p = first; p < rows * channels; p += stride) f(Lanes<1>{}, p / channels, (int)(p % channels), prepare(p / channels));
    }
#endif
}

// f(line, j, prepare(line)) for every j in [0, width) of every line: neighbouring threads get neighbouring j.
template <class Prepare, class F> __device__ inline void for_lines(int64_t lines, int width, Prepare prepare, F f) {
#if defined(SLTT_FAST)
    Share s = block_share(lines, 1);
    for (int64_t line = s.begin; line < s.end; ++line) {
        auto prepared = prepare(line);
        SLTT_IVDEP
        for (int j = 0; j < width; ++j) f(line, j, prepared);
    }
#else
    for (int64_t p = thread_index(), stride = thread_count(); p < lines * width; p += stride) f(p / width, (int)(p % width), prepare(p / width));
#endif
}

// f(lanes, line, j, prepare(line)): the same for lanes.value neighbouring j at once on the CPU device; the GPU takes single ones.
template <class Prepare, class F> __device__ inline void for_line_packs(int64_t lines, int width, Prepare prepare, F f) {
#if defined(SLTT_FAST)
    Share s = block_share(lines, 1);
    for (int64_t line = s.begin; line < s.end; ++line) {
        auto prepared = prepare(line);
        each_pack(0, width, [&](auto lanes, int64_t j) { f(lanes, line, j, prepared); });
    }
#else
    for_lines(lines, width, prepare, [&](int64_t line, int j, const auto& prepared) { f(Lanes<1>{}, line, (int64_t)j, prepared); });
#endif
}

// f(i) for every i in [0, n), one a thread: per-channel work.
template <class F> __device__ inline void for_items(int64_t n, F f) {
#if defined(SLTT_FAST)
    Share s = block_share(n, 1);
    for (int64_t i = s.begin; i < s.end; ++i) f(i);
#else
    for (int64_t i = thread_index(), stride = thread_count(); i < n; i += stride) f(i);
#endif
}

// f(i) for every i in [0, n), one a block: rows that a whole block works on.
template <class F> __device__ inline void for_blocks(int64_t n, F f) {
    for (int64_t i = blockIdx.x; i < n; i += gridDim.x) f(i);
}
// f(lanes, j) for every j in [0, n) by the block's threads; rows of odd lengths have no alignment, so the GPU takes single ones.
template <class F> __device__ inline void for_block_items(int n, F f) {
#if defined(SLTT_FAST)
    each_pack(0, n, f);
#else
    for (int64_t j = threadIdx.x; j < n; j += blockDim.x) f(Lanes<1>{}, j);
#endif
}
// True in one thread of the block.
__device__ inline bool first_thread() { return threadIdx.x == 0; }

}  // namespace SLTT_VARIANT
