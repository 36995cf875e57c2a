// Sums: a few terms in float, then double, in a fixed order. The order differs from gpu/sums.cuh, the error bounds do not.
#pragma once
#include "common/totals.cuh"
#include "work.cuh"

namespace sltt {

// Part of a (rows, channels) matrix: rows [row_begin, row_end), channels [c_begin, c_end).
// group: rows side by side in a tile; more than one only if the share has all channels.
struct SumShare {
    int64_t row_begin, row_end;
    int c_begin, c_end, channels, group;
};

// The sums of one tile of columns: `width` channels, `group` times side by side.
template <int K> struct SumTile {
    alignas(64) float partial[K][TILE];
    alignas(64) double total[K][TILE];
    void clear_partials(int columns) {
        for (int k = 0; k < K; ++k)
            for (int j = 0; j < columns; ++j) partial[k][j] = 0.0f;
    }
    void clear_totals(int columns) {
        for (int k = 0; k < K; ++k)
            for (int j = 0; j < columns; ++j) total[k][j] = 0.0;
    }
    void add_partials(int columns) {
        for (int k = 0; k < K; ++k)
            for (int j = 0; j < columns; ++j) total[k][j] += (double)partial[k][j];
    }
    // put(k, c, total) for each sum: the groups' totals are added in order.
    template <class Put> void finish(int c0, int width, int group, Put& put) const {
        for (int k = 0; k < K; ++k)
            for (int c = 0; c < width; ++c) {
                double all = 0.0;
                for (int g = 0; g < group; ++g) all += total[k][g * width + c];
                put(k, c0 + c, all);
            }
    }
};

// K column sums over a share: put(k, c, total) for each.
template <int K, int P, class MaskSource, class Read, class F, class Put>
inline void sum_share(const SumShare& share, const PerChannel<P>& parameters, const MaskSource& source, Read& read, F& f, Put put) {
    ParameterTile<P> params;
    MaskTile<MaskSource> masks;
    SumTile<K> sums;
    const int group = share.group;
    for (int c0 = share.c_begin; c0 < share.c_end; c0 += TILE) {
        int width = share.c_end - c0 < TILE ? share.c_end - c0 : TILE, columns = width * group;
        params.fill(parameters, c0, width, group);
        sums.clear_totals(columns);
        for (int64_t chunk = share.row_begin; chunk < share.row_end; chunk += (int64_t)CHUNK * group) {
            int64_t end = chunk + (int64_t)CHUNK * group < share.row_end ? chunk + (int64_t)CHUNK * group : share.row_end;
            sums.clear_partials(columns);
            for (int64_t r = chunk; r < end; r += group) {
                int64_t base = r * share.channels + c0;
                int count = (int)(end - r < group ? end - r : group) * width;
                const float* mask = masks.of(source, base, count);
                each_pack(0, count, [&](auto lanes, int64_t j) {
                    constexpr int V = decltype(lanes)::value;
                    Packs<K, V> term = f(lanes, base + j, params.template at<V>(j), load<V>(mask, j), read(lanes, base + j));
                    SLTT_UNROLL
                    for (int k = 0; k < K; ++k) store<V>(sums.partial[k], j, load<V>(sums.partial[k], j) + term[k]);
                });
            }
            sums.add_partials(columns);
        }
        sums.finish(c0, width, group, put);
    }
}

// Column sums, first stage: K sums for each channel over the block's rows.
// read(lanes, i) returns the inputs at element i, as memory holds them. ROWS_IN_FLIGHT and MAX_PACK are the GPU's concern.
// f(lanes, i, params, mask, in), params and mask as in for_rows_channels, returns Packs<K, V>: the K terms of V elements. f may also
// write, but nothing that `read` reads at another element.
// partials (gridDim.x, K, channels), double; every entry is written. finish_sums adds the blocks.
template <int K, int ROWS_IN_FLIGHT, class T, int MAX_PACK = 8, int P, class MaskSource, class Read, class F>
inline void sum_rows(double* partials, int64_t rows, int channels, PerChannel<P> parameters, MaskSource source, Read read, F f) {
    double* block_partials = partials + (int64_t)blockIdx.x * K * channels;
    auto put = [=](int k, int c, double total) { block_partials[(int64_t)k * channels + c] = total; };
    Share s = block_share(rows, 1);
    sum_share<K>({s.begin, s.end, 0, channels, channels, rows_in_tile(channels, s.end - s.begin)}, parameters, source, read, f, put);
}

// Column sums in one stage: each block has channels of its own and all rows; put(k, c, total) for each sum. For matrices of few rows.
// The sums do not depend on the grid.
template <int K, int ROWS_IN_FLIGHT, class T, class Read, class F, class Put>
inline void sum_columns(int64_t rows, int channels, Read read, F f, Put put) {
    constexpr int UNIT = 16;
    Share s = block_share(channels, UNIT);
    int group = channels <= UNIT ? rows_in_tile(channels, rows) : 1;  // the same for any number of blocks
    if (s.begin < s.end) sum_share<K>({0, rows, (int)s.begin, (int)s.end, channels, group}, PerChannel<0>{}, no_dropout(), read, f, put);
}

// A channel's totals: the sums over the parts of partials (parts, K, channels).
template <int K> inline Totals<K> sum_parts(const double* partials, int parts, int channels, int64_t c) {
    Totals<K> total;
    for (int k = 0; k < K; ++k) {
        total.k[k] = 0.0;
        for (int b = 0; b < parts; ++b) total.k[k] += partials[((int64_t)b * K + k) * channels + c];
    }
    return total;
}

// Column sums, second stage: f(c, totals) for each channel, totals[k] the sum over the parts of partials (parts, K, channels).
template <int K, class F> inline void finish_sums(const double* partials, int parts, int channels, F f) {
    if (blockIdx.y != 0) return;
    Share s = block_share(channels, 8);
    for (int64_t c = s.begin; c < s.end; ++c) f((int)c, sum_parts<K>(partials, parts, channels, c));
}

// Column sums whose last block finishes them: as sum_rows, by the blocks with z 0. On a GPU the others have channels of their own.
template <int K, int ROWS_IN_FLIGHT, class T, int MAX_PACK = 8, int P, class MaskSource, class Read, class F>
inline void sum_rows_for_last_block(double* partials, int64_t rows, int channels, PerChannel<P> parameters, MaskSource source, Read read,
                                    F f) {
    if (blockIdx.z == 0) sum_rows<K, ROWS_IN_FLIGHT, T, MAX_PACK>(partials, rows, channels, parameters, source, read, f);
}

// Behind sum_rows_for_last_block of all steps: f(c, step, totals, state), step by step, for each channel, totals[k] the sum over the parts
// of partials (steps, gridDim.x, K, channels). state: start(c), kept from step to step. arrived: a counter, 0 before and after; null: the
// partial sums are all that is wanted.
template <int K, class T, int MAX_PACK = 8, class Start, class F>
inline void finish_in_last_block(uint32_t* arrived, const double* partials, int steps, int channels, Start start, F f) {
    if (arrived == nullptr || blockIdx.z != 0) return;
    uint32_t blocks = gridDim.x * gridDim.y;
    __threadfence();
    if (atomicInc(arrived, blocks - 1) != blocks - 1) return;
    __threadfence();
    for (int c = 0; c < channels; ++c) {
        auto state = start(c);
        for (int step = 0; step < steps; ++step)
            f(c, step, sum_parts<K>(partials + (int64_t)step * gridDim.x * K * channels, (int)gridDim.x, channels, c), state);
    }
}

// The largest element over j in [0, n); f(lanes, j) returns Pack<V>.
template <class F> inline float block_max(int n, F f) {
    WidePack largest(-INFINITY);
    each_pack(0, n, [&](auto lanes, int64_t j) {
        constexpr int V = decltype(lanes)::value;
        if constexpr (V == WIDE) {
            WidePack x = f(lanes, (int)j);
            largest = select(largest < x, x, largest);
        } else {
            float x = f(lanes, (int)j).v[0];
            largest.v[0] = largest.v[0] < x ? x : largest.v[0];
        }
    });
    float out = largest.v[0];
    for (int l = 1; l < WIDE; ++l) out = out < largest.v[l] ? largest.v[l] : out;
    return out;
}
// K sums over j in [0, n); f(lanes, j) returns Packs<K, V>, the terms of the elements from j on.
template <int K, class F> inline Totals<K> block_sums(int n, F f) {
    Totals<K> total;
    for (int k = 0; k < K; ++k) total.k[k] = 0.0;
    for (int begin = 0; begin < n; begin += WIDE * CHUNK) {
        int end = begin + WIDE * CHUNK < n ? begin + WIDE * CHUNK : n;
        Packs<K, WIDE> partial = zero_packs<K, WIDE>();
        each_pack(begin, end, [&](auto lanes, int64_t j) {
            constexpr int V = decltype(lanes)::value;
            Packs<K, V> term = f(lanes, (int)j);
            SLTT_UNROLL
            for (int k = 0; k < K; ++k) {
                if constexpr (V == WIDE) partial[k] = partial[k] + term[k];
                else total.k[k] += (double)term[k].v[0];
            }
        });
        for (int k = 0; k < K; ++k)
            for (int l = 0; l < WIDE; ++l) total.k[k] += (double)partial[k].v[l];
    }
    return total;
}

}  // namespace sltt
