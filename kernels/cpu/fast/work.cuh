// Which elements, rows, channels or lines a block works on: one contiguous share, in packs of a vector register.
#pragma once
#include "common/steps.cuh"
#include "dropout_mask.cuh"
#include "memory.cuh"

namespace sltt {

// specialise(a, ..., f) calls f(a, ...) with each value as a constant of its type: a vectorised loop is compiled for each of them.
template <class F> inline void specialise(bool a, F f) {
    if (a) f(Yes{});
    else f(No{});
}
template <class F> inline void specialise(bool a, bool b, F f) {
    specialise(a, [&](auto x) { specialise(b, [&](auto y) { f(x, y); }); });
}
template <class F> inline void specialise(bool a, bool b, bool c, F f) {
    specialise(a, [&](auto x) { specialise(b, c, [&](auto y, auto z) { f(x, y, z); }); });
}
template <class F> inline void specialise(bool a, bool b, bool c, bool d, F f) {
    specialise(a, b, [&](auto x, auto y) { specialise(c, d, [&](auto z, auto w) { f(x, y, z, w); }); });
}

// True in one thread of the block: here in the only one.
inline bool first_thread() { return threadIdx.x == 0; }

// The block's contiguous share [begin, end) of n items, cut at multiples of `unit`.
struct Share {
    int64_t begin, end;
};
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

// f(lanes, i) for every element i in [0, n): lanes.value elements from i on. T is the GPU's concern.
template <class T, class F> inline void for_elements(int64_t n, F f) {
    Share s = block_share(n, 64);
    each_pack(s.begin, s.end, f);
}

// The same with dropout: f(lanes, i, mask), mask a Pack of 0 or 1/(1-rate).
template <class T, class F> inline void for_elements(int64_t n, Dropout d, F f) {
    Share s = block_share(n, 64);
    MaskTile<Dropout> masks;
    for (int64_t first = s.begin; first < s.end; first += TILE) {
        int count = s.end - first < TILE ? (int)(s.end - first) : TILE;
        const float* mask = masks.of(d, first, count);
        each_pack(0, count, [&](auto lanes, int64_t j) { f(lanes, first + j, load<decltype(lanes)::value>(mask, j)); });
    }
}

// True where the share has an element i with f(lanes, i); f may also write.
template <class T, class F> inline bool any_element(int64_t n, F f) {
    bool any = false;
    Share s = block_share(n, 64);
    each_pack(s.begin, s.end, [&](auto lanes, int64_t i) { any = f(lanes, i) || any; });
    return any;
}

// A loop over rows goes tile by tile. The tile's per-channel parameters and masks are copied into arrays of the tile's length first, so
// the loop over the tile is plain and long, whatever the number of channels.

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

// f(j, base, mask) for every tile of the block's rows: `count` elements from `base` on. fill(c0, width, group) comes before the tiles of
// a strip of channels.
template <class MaskSource, class Fill, class F>
inline void for_tiles_of_rows(int64_t rows, int channels, const MaskSource& source, Fill fill, F f) {
    Share s = block_share(rows, 1);
    if (s.begin >= s.end) return;
    int group = rows_in_tile(channels, s.end - s.begin);
    MaskTile<MaskSource> masks;
    for (int c0 = 0; c0 < channels; c0 += TILE) {
        int width = channels - c0 < TILE ? channels - c0 : TILE;
        fill(c0, width, group);
        for (int64_t r = s.begin; r < s.end; r += group) {
            int64_t base = r * channels + c0;
            int count = (int)(s.end - r < group ? s.end - r : group) * width;
            f(base, count, masks.of(source, base, count));
        }
    }
}

// f(lanes, i, params, mask) for every element i = row * channels + c of a (rows, channels) matrix, NHWC with rows = N*H*W.
// params: Packs<P, V>, the parameters of the element's channel. MaskSource: Dropout, or PooledGradient (pooling.cuh).
template <class T, int P, class MaskSource, class F>
inline void for_rows_channels(int64_t rows, int channels, PerChannel<P> parameters, MaskSource source, F f) {
    ParameterTile<P> params;
    for_tiles_of_rows(
        rows, channels, source, [&](int c0, int width, int group) { params.fill(parameters, c0, width, group); },
        [&](int64_t base, int count, const float* mask) {
            each_pack(0, count, [&](auto lanes, int64_t j) {
                constexpr int V = decltype(lanes)::value;
                f(lanes, base + j, params.template at<V>(j), load<V>(mask, j));
            });
        });
}

// The same for a walk: f(lanes, i, walk, params_at, mask) takes the elements from i on through the steps of `walk`, in order;
// params_at(step) returns their parameters. Several calls for an element follow one another in time: here one for STEPS steps, as many as
// have their parameters laid out at once.
template <class T, int P, int BY_STEP, class F>
inline void walk_rows_channels(int steps, int64_t rows, int channels, PerStepAndChannel<P, BY_STEP> parameters, Dropout drop, F f) {
    constexpr int STEPS = BY_STEP > 0 ? 4 : 1;
    if (blockIdx.y != 0) return;
    if (steps == 1) {  // compiled by itself: with the bounds known, a walk is as fast as for_rows_channels
        for_rows_channels<T>(rows, channels, parameters.first, drop, [&](auto lanes, int64_t i, const auto& params, const auto& mask) {
            f(
                lanes, i, Walk{0, 1}, [&](int) -> const auto& { return params; }, mask);
        });
        return;
    }
    ParameterTile<P> params[STEPS];
    const int length = BY_STEP > 0 && parameters.stride != 0 ? STEPS : steps;
    for (int first = 0; first < steps; first += length) {
        Walk walk = {first, first + length < steps ? first + length : steps};
        for_tiles_of_rows(
            rows, channels, drop,
            [&](int c0, int width, int group) {
                for (int step = first; step < (parameters.stride != 0 ? walk.end : first + 1); ++step)
                    params[step - first].fill(parameters.at(step), c0, width, group);
            },
            [&](int64_t base, int count, const float* mask) {
                each_pack(0, count, [&](auto lanes, int64_t j) {
                    constexpr int V = decltype(lanes)::value;
                    auto params_at = [&](int step) {
                        return params[BY_STEP > 0 && parameters.stride != 0 ? step - first : 0].template at<V>(j);
                    };
                    f(lanes, base + j, walk, params_at, load<V>(mask, j));
                });
            });
    }
}

// f(lanes, i, walk, mask) for every element i in [0, n) takes the elements from i on through the steps of `walk`, from the last to the
// first. Without in_order a walk is one step. Several calls for an element follow one another, back in time.
template <class T, class F> inline void walk_elements_back(int steps, bool in_order, int64_t n, Dropout d, F f) {
    for_walks(steps, in_order,
              [&](Walk walk) { for_elements<T>(n, d, [&](auto lanes, int64_t i, const auto& mask) { f(lanes, i, walk, mask); }); });
}

// f(lanes, row, c, prepare(row)) for every pack of channels of every row: for kernels that find their inputs from the row.
template <class T, class Prepare, class F> inline void for_row_packs(int64_t rows, int channels, Prepare prepare, F f) {
    Share s = block_share(rows, 1);
    for (int64_t r = s.begin; r < s.end; ++r) {
        auto prepared = prepare(r);
        each_pack(0, channels, [&](auto lanes, int64_t c) { f(lanes, r, (int)c, prepared); });
    }
}

// f(line, j, prepare(line)) for every j in [0, width) of every line.
template <class Prepare, class F> inline void for_lines(int64_t lines, int width, Prepare prepare, F f) {
    Share s = block_share(lines, 1);
    for (int64_t line = s.begin; line < s.end; ++line) {
        auto prepared = prepare(line);
#pragma GCC ivdep
        for (int j = 0; j < width; ++j) f(line, j, prepared);
    }
}

// f(lanes, line, j, prepare(line)): the same in packs.
template <class Prepare, class F> inline void for_line_packs(int64_t lines, int width, Prepare prepare, F f) {
    Share s = block_share(lines, 1);
    for (int64_t line = s.begin; line < s.end; ++line) {
        auto prepared = prepare(line);
        each_pack(0, width, [&](auto lanes, int64_t j) { f(lanes, line, j, prepared); });
    }
}

// f(i) for every i in [0, n): per-channel work.
template <class F> inline void for_items(int64_t n, F f) {
    Share s = block_share(n, 1);
    for (int64_t i = s.begin; i < s.end; ++i) f(i);
}

// f(i) for every i in [0, n), one a block: rows that a whole block works on.
template <class F> inline void for_blocks(int64_t n, F f) {
    for (int64_t i = blockIdx.x; i < n; i += gridDim.x) f(i);
}
// f(lanes, j) for every j in [0, n) by the block.
template <class F> inline void for_block_items(int n, F f) { each_pack(0, n, f); }

}  // namespace sltt
