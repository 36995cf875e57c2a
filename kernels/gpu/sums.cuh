// Sums: a few terms in float, then double, in a fixed order; no atomics.
//
// Column sums of a (rows, channels) matrix. A block's threads lie in a tile: `columns` threads side by side over packs of channels and
// `lines` threads one below the other over rows.
//   read_rows      a thread loads ROWS rows before it uses the first
//   add_rows       adds their terms to a float sum
//   sum_chunk      CHUNK rows, one float sum
//   sum_rows_of_thread   all rows of the thread, the chunks' sums added in float
//   reduce_lines   the sums of the tile's lines added in double, through shared memory
//
// A block's sums are partial sums of the channels. They are added in one of two ways:
//   sum_rows, then in a second launch finish_sums
//   sum_rows_for_last_block, then in the same launch finish_in_last_block: the block that ends last adds what the others left
#pragma once
#include <math.h>

#include "common/totals.cuh"
#include "work.cuh"

namespace sltt {

// The block's part of a (rows, channels) matrix.
struct SumShare {
    int64_t rows;
    int channels;
    int row_part, row_parts;        // lines of threads of all parts take turns over the rows
    int column_part, column_parts;  // tiles column_part, column_part + column_parts, ...
    int max_columns;                // threads side by side, at most
};

// The tile of the block's threads and this thread's place in it. Threads beyond `lines` lines are idle.
struct Tile {
    int columns, lines;  // threads side by side, one below the other
    int column, line;    // of this thread
    __device__ Tile(int packs, int max_columns) {
        int threads = (int)blockDim.x, t = (int)threadIdx.x;
        columns = packs < max_columns ? packs : max_columns;
        if (columns > threads) columns = threads;
        lines = threads / columns;
        column = t % columns;
        line = t / columns;
    }
};

// A thread's walk over rows: elements begin, begin + step, ... below end, all in one channel.
struct RowRange {
    int64_t begin, end, step;
};

// Loads ROWS rows from element i on. The compiler must assume that f's stores alias the next row's loads, so all loads come first: several
// are then in flight. A row beyond the end is row i instead, without a branch: behind a branch the compiler would move the loads.
template <int V, int ROWS, class Read, class In>
__device__ inline void read_rows(int64_t i, const RowRange& range, Read& read, int64_t (&at)[ROWS], In (&in)[ROWS]) {
#pragma unroll
    for (int a = 0; a < ROWS; ++a) {
        at[a] = i + a * range.step < range.end ? i + a * range.step : i;
        in[a] = read(Lanes<V>{}, at[a]);
    }
}

// partial += the terms of those rows. A row beyond the end repeats row i: f writes the same value twice, and its term is left out.
template <int K, int ROWS, int V, int P, class MaskSource, class F, class In>
__device__ inline void add_rows(Packs<K, V>& partial, int64_t i, const RowRange& range, const Packs<P, V>& params, const MaskSource& source,
                                F& f, const int64_t (&at)[ROWS], const In (&in)[ROWS]) {
#pragma unroll
    for (int a = 0; a < ROWS; ++a) {
        Packs<K, V> term = f(Lanes<V>{}, at[a], params, mask_at<V>(source, at[a]), in[a]);
        bool counts = i + a * range.step < range.end;
        for (int k = 0; k < K; ++k)
            for (int l = 0; l < V; ++l) partial[k].v[l] = counts ? partial[k].v[l] + term[k].v[l] : partial[k].v[l];
    }
}

// The sums over one chunk of rows.
template <int K, int ROWS, int V, int P, class MaskSource, class Read, class F>
__device__ inline Packs<K, V> sum_chunk(const RowRange& range, const Packs<P, V>& params, const MaskSource& source, Read& read, F& f) {
    Packs<K, V> partial = zero_packs<K, V>();
    for (int64_t i = range.begin; i < range.end; i += ROWS * range.step) {
        int64_t at[ROWS];
        decltype(read(Lanes<V>{}, i)) in[ROWS];
        read_rows<V>(i, range, read, at, in);
        add_rows(partial, i, range, params, source, f, at, in);
    }
    return partial;
}

// The sums over all of the thread's rows, chunk by chunk.
template <int K, int ROWS, int V, int P, class MaskSource, class Read, class F>
__device__ inline Packs<K, V> sum_rows_of_thread(const RowRange& range, const Packs<P, V>& params, const MaskSource& source, Read& read,
                                                 F& f) {
    Packs<K, V> sum = zero_packs<K, V>();
    for (int64_t chunk = range.begin; chunk < range.end; chunk += CHUNK * range.step) {
        RowRange rows = {chunk, chunk + CHUNK * range.step < range.end ? chunk + CHUNK * range.step : range.end, range.step};
        Packs<K, V> partial = sum_chunk<K, ROWS, V>(rows, params, source, read, f);
        for (int k = 0; k < K; ++k) sum[k] = sum[k] + partial[k];
    }
    return sum;
}

// put(k, c, total) for each sum of the tile, whose first channel is c0 and which has `packs` packs: the lines' sums are added in double,
// from the first line on. Where the sums are fewer than the threads, threads take segments of the lines, and the segments are added after.
// Every thread of the block calls it.
template <int K, int V, class Put>
__device__ inline void reduce_lines(const Packs<K, V>& sum, const Tile& tile, int c0, int packs, Put& put) {
    constexpr int SUMS = K * V, PADDING = 32;
    union Scratch {
        float lines[SUMS * (MAX_BLOCK + PADDING)];
        double segments[MAX_BLOCK];
    };
    __shared__ Scratch scratch;
    int threads = (int)blockDim.x, t = (int)threadIdx.x, all = SUMS * tile.columns;
    int pitch = threads + (tile.columns < PADDING ? tile.columns : 0);  // puts the different sums of a narrow tile into different banks
    int segments = threads >= 2 * all ? threads / all : 1, length = (tile.lines + segments - 1) / segments;
    auto put_sum = [&](int s, int x, double total) {
        if (x < packs) put(s / V, c0 + x * V + s % V, total);
    };
    __syncthreads();
    for (int k = 0; k < K; ++k)
        for (int l = 0; l < V; ++l) scratch.lines[(k * V + l) * pitch + t] = sum[k].v[l];
    __syncthreads();
    double total = 0.0;
    for (int o = t; o < segments * all; o += threads) {
        int s = o % all / tile.columns, x = o % tile.columns, first = o / all * length;
        int end = first + length < tile.lines ? first + length : tile.lines;
        total = 0.0;
#pragma unroll 4
        for (int y = first; y < end; ++y) total += (double)scratch.lines[s * pitch + y * tile.columns + x];
        if (segments == 1) put_sum(s, x, total);
    }
    if (segments == 1) return;
    __syncthreads();
    scratch.segments[t] = total;
    __syncthreads();
    if (t >= all) return;
#pragma unroll 1
    for (int segment = 1; segment < segments; ++segment) total += scratch.segments[segment * all + t];
    put_sum(t / tile.columns, t % tile.columns, total);
}

// K column sums over the block's share: put(k, c, total) for each.
template <int K, int ROWS, int V, int P, class MaskSource, class Read, class F, class Put>
__device__ inline void sum_share(const SumShare& share, const PerChannel<P>& parameters, const MaskSource& source, Read& read, F& f,
                                 Put put) {
    int packs = share.channels / V;
    Tile tile(packs, share.max_columns);
    for (int first = share.column_part * tile.columns; first < packs; first += share.column_parts * tile.columns) {
        Packs<K, V> sum = zero_packs<K, V>();
        if (tile.line < tile.lines && first + tile.column < packs) {
            int c = (first + tile.column) * V;
            Packs<P, V> params = load_parameters<V>(parameters, c);
            int64_t first_row = (int64_t)share.row_part * tile.lines + tile.line, row_step = (int64_t)share.row_parts * tile.lines;
            RowRange range = {first_row * share.channels + c, share.rows * share.channels, row_step * share.channels};
            sum = sum_rows_of_thread<K, ROWS, V>(range, params, source, read, f);
        }
        reduce_lines(sum, tile, first * V, packs - first, put);
    }
}

// Column sums, first stage: K sums for each channel over the block's rows.
// read(lanes, i) returns the inputs at element i, as memory holds them. ROWS_IN_FLIGHT: rows that a thread reads before it adds the first.
// f(lanes, i, params, mask, in), params and mask as in for_rows_channels, returns Packs<K, V>: the K terms of V elements. f may also
// write, but nothing that `read` reads at another element.
// partials (gridDim.x, K, channels), double; every entry is written. finish_sums adds the blocks. MAX_PACK: elements of a pack at most.
template <int K, int ROWS_IN_FLIGHT, class T, int MAX_PACK = 8, int P, class MaskSource, class Read, class F>
__device__ inline void sum_rows(double* partials, int64_t rows, int channels, PerChannel<P> parameters, MaskSource source, Read read, F f) {
    double* block_partials = partials + (int64_t)blockIdx.x * K * channels;
    auto put = [=](int k, int c, double total) { block_partials[(int64_t)k * channels + c] = total; };
    constexpr int V = pack_width<T> < MAX_PACK ? pack_width<T> : MAX_PACK;
    SumShare share = {rows, channels, (int)blockIdx.x, (int)gridDim.x, 0, 1, MAX_BLOCK};
    if (channels % V == 0) sum_share<K, ROWS_IN_FLIGHT, V>(share, parameters, source, read, f, put);
    else sum_share<K, ROWS_IN_FLIGHT, 1>(share, parameters, source, read, f, put);
}

// Elements of a pack in sums over a matrix of so many channels.
template <class T, int MAX_PACK> __device__ inline int sum_pack(int channels) {
    constexpr int V = pack_width<T> < MAX_PACK ? pack_width<T> : MAX_PACK;
    return channels % V == 0 ? V : 1;
}

// Channels of a tile, if the block has as many threads. The last block of a tile adds the partial sums of all, so a tile is narrow. A row
// of it is still 64 bytes or more of consecutive memory.
constexpr int TILE_CHANNELS = 32;
// Channels that a block of sum_rows_for_last_block has side by side; of the last tile maybe fewer.
__device__ inline int tile_width(int channels, int pack) { return pack * Tile(channels / pack, TILE_CHANNELS / pack).columns; }

// Column sums whose last block finishes them: as sum_rows, but the grid's z dimension takes turns over tiles of the channels
// (LaunchShape.TiledRowSums).
template <int K, int ROWS_IN_FLIGHT, class T, int MAX_PACK = 8, int P, class MaskSource, class Read, class F>
__device__ inline void sum_rows_for_last_block(double* partials, int64_t rows, int channels, PerChannel<P> parameters, MaskSource source,
                                               Read read, F f) {
    double* block_partials = partials + (int64_t)blockIdx.x * K * channels;
    auto put = [=](int k, int c, double total) { block_partials[(int64_t)k * channels + c] = total; };
    constexpr int V = pack_width<T> < MAX_PACK ? pack_width<T> : MAX_PACK;
    SumShare share = {rows, channels, (int)blockIdx.x, (int)gridDim.x, (int)blockIdx.z, (int)gridDim.z, TILE_CHANNELS};
    if (channels % V == 0) {
        share.max_columns /= V;
        sum_share<K, ROWS_IN_FLIGHT, V>(share, parameters, source, read, f, put);
    } else {
        sum_share<K, ROWS_IN_FLIGHT, 1>(share, parameters, source, read, f, put);
    }
}

// Column sums in one stage: each block has channels of its own and all rows; put(k, c, total) for each sum. For matrices of few rows.
// The sums do not depend on the grid.
template <int K, int ROWS_IN_FLIGHT, class T, class Read, class F, class Put>
__device__ inline void sum_columns(int64_t rows, int channels, Read read, F f, Put put) {
    constexpr int V = pack_width<T>;
    bool whole_packs = channels % V == 0;
    SumShare share = {rows, channels, 0, 1, (int)blockIdx.x, (int)gridDim.x, whole_packs ? 2 : 16};
    if (whole_packs) sum_share<K, ROWS_IN_FLIGHT, V>(share, PerChannel<0>{}, no_dropout(), read, f, put);
    else sum_share<K, ROWS_IN_FLIGHT, 1>(share, PerChannel<0>{}, no_dropout(), read, f, put);
}

// One thread's share of a channel's partial sums: parts line, line + lines, ... The partial sums are few and the loop's whole cost is
// latency, so PARTS loads of each sum are in flight.
template <int K> __device__ inline Totals<K> sum_parts(const double* partials, int parts, int channels, int c, int line, int lines) {
    constexpr int PARTS = 8;
    Totals<K> total;
    for (int k = 0; k < K; ++k) total.k[k] = 0.0;
    for (int begin = line; begin < parts; begin += PARTS * lines) {
        double part[K][PARTS];
#pragma unroll
        for (int a = 0; a < PARTS; ++a)
            for (int k = 0; k < K; ++k) {
                int b = begin + a * lines;
                part[k][a] = b < parts ? partials[((int64_t)b * K + k) * channels + c] : 0.0;
            }
#pragma unroll
        for (int a = 0; a < PARTS; ++a)
            for (int k = 0; k < K; ++k) total.k[k] += part[k][a];
    }
    return total;
}

// f(c, step, totals, state), step by step, for the channels [c_begin, c_end): totals[k] the sum over the parts of partials (steps, parts,
// K, channels). SIDE channels side by side, the block's other threads share the parts.
template <int K, int SIDE, class Start, class F>
__device__ inline void finish_channels(const double* partials, int parts, int steps, int channels, int c_begin, int c_end, Start& start,
                                       F& f) {
    constexpr int WARP = 32;
    __shared__ double scratch[K * MAX_BLOCK];
    int threads = (int)blockDim.x, t = (int)threadIdx.x;
    Tile tile(SIDE, SIDE);
    // The lines of a warp are added by shuffles, those sums through shared memory, in order. A block of no whole warps has no shuffles.
    bool whole_warps = threads % WARP == 0;
    int sums = whole_warps ? threads / WARP : tile.lines, sum = whole_warps ? t / WARP : tile.line;
    bool writes = whole_warps ? t % WARP < SIDE : tile.line < tile.lines;
    for (int first = c_begin; first < c_end; first += tile.columns) {
        int c = first + tile.column;
        auto state = start(c < c_end ? c : c_begin);
        for (int step = 0; step < steps; ++step) {
            const double* of_step = partials + (int64_t)step * parts * K * channels;
            Totals<K> total;
            for (int k = 0; k < K; ++k) total.k[k] = 0.0;
            if (c < c_end && tile.line < tile.lines) total = sum_parts<K>(of_step, parts, channels, c, tile.line, tile.lines);
            if (whole_warps)
                for (int lanes = SIDE; lanes < WARP; lanes *= 2)
                    for (int k = 0; k < K; ++k) total.k[k] += __shfl_xor_sync(0xffffffffu, total.k[k], lanes);
            __syncthreads();
            if (writes)
                for (int k = 0; k < K; ++k) scratch[k * threads + sum * tile.columns + tile.column] = total.k[k];
            __syncthreads();
            if (t < tile.columns && c < c_end) {
                for (int k = 0; k < K; ++k) {
                    total.k[k] = 0.0;
#pragma unroll 4
                    for (int y = 0; y < sums; ++y) total.k[k] += scratch[k * threads + y * tile.columns + tile.column];
                }
                f(c, step, total, state);
            }
        }
    }
}

// Column sums, second stage: f(c, totals) for each channel, totals[k] the sum over the parts of partials (parts, K, channels).
template <int K, class F> __device__ inline void finish_sums(const double* partials, int parts, int channels, F f) {
    constexpr int SIDE = 8;
    if (blockIdx.y != 0) return;
    auto start = [](int) { return 0; };
    auto of_step = [&](int c, int, const Totals<K>& totals, int&) { f(c, totals); };
    for (int c = (int)blockIdx.x * SIDE; c < channels; c += (int)gridDim.x * SIDE)
        finish_channels<K, SIDE>(partials, parts, 1, channels, c, c + SIDE < channels ? c + SIDE : channels, start, of_step);
}

// True in the whole block if it is the last of `blocks` that come here; it then sees what they wrote before. The counter begins at 0 and is
// 0 again after the last. Every thread of the block calls it.
__device__ inline bool comes_last(uint32_t* counter, uint32_t blocks) {
    __shared__ bool last;
    __syncthreads();
    if (threadIdx.x == 0) {
        __threadfence();
        last = atomicInc(counter, blocks - 1) == blocks - 1;
        __threadfence();
    }
    __syncthreads();
    return last;
}

// Behind sum_rows_for_last_block of all steps: f(c, step, totals, state), step by step, for each channel, totals[k] the sum over the parts
// of partials (steps, gridDim.x, K, channels). state: start(c), kept from step to step. The order of the sums does not depend on which
// block is the last. arrived: gridDim.z counters, 0; null: the partial sums are all that is wanted. T, MAX_PACK: as there.
template <int K, class T, int MAX_PACK = 8, class Start, class F>
__device__ inline void finish_in_last_block(uint32_t* arrived, const double* partials, int steps, int channels, Start start, F f) {
    if (arrived == nullptr || !comes_last(arrived + blockIdx.z, gridDim.x * gridDim.y)) return;
    int width = tile_width(channels, sum_pack<T, MAX_PACK>(channels));
    for (int c = (int)blockIdx.z * width; c < channels; c += (int)gridDim.z * width)
        finish_channels<K, TILE_CHANNELS>(partials, (int)gridDim.x, steps, channels, c, c + width < channels ? c + width : channels, start,
                                          f);
}

// x of all the block's threads joined by a tree, neighbours first; the same value in all of them. Every thread calls it. Fixed order:
// shuffles within each warp, then of the warps' values within the first.
template <class X, class Join> __device__ inline X block_tree(X x, Join join) {
    constexpr int WARP = 32, WARPS = MAX_BLOCK / WARP;
    __shared__ X scratch[WARPS + 1];
    int threads = (int)blockDim.x, t = (int)threadIdx.x, lane = t % WARP, warps = (threads + WARP - 1) / WARP;
    int lanes = threads - (t - lane) < WARP ? threads - (t - lane) : WARP;  // of this thread's warp
    unsigned mask = 0xffffffffu >> (WARP - lanes);
    auto join_lanes = [&](int count) {
        for (int width = 1; width < WARP; width *= 2) {
            X other = __shfl_down_sync(mask, x, width);
            if (lane + width < count) x = join(x, other);
        }
    };
    join_lanes(lanes);
    __syncthreads();
    if (lane == 0) scratch[t / WARP] = x;
    __syncthreads();
    if (t < WARP) {
        x = scratch[lane < warps ? lane : 0];
        join_lanes(warps);
        if (t == 0) scratch[WARPS] = x;
    }
    __syncthreads();
    return scratch[WARPS];
}
// Sum of x over the block's threads, the same value in all of them. Every thread calls it. Fixed order.
__device__ inline double block_sum(double x) {
    return block_tree(x, [](double a, double b) { return a + b; });
}
// The largest element over j in [0, n) by the block's threads, the same value in all of them; f(lanes, j) returns Pack<V>.
// Every thread calls it.
template <class F> __device__ inline float block_max(int n, F f) {
    float largest = -INFINITY;
    for (int j = (int)threadIdx.x; j < n; j += (int)blockDim.x) {
        float x = f(Lanes<1>{}, j).v[0];
        largest = largest < x ? x : largest;
    }
    return block_tree(largest, [](float a, float b) { return a < b ? b : a; });
}
// K sums over j in [0, n) by the block's threads, the same values in all of them; f(lanes, j) returns Packs<K, V>, the terms of the
// elements from j on. Every thread calls it.
template <int K, class F> __device__ inline Totals<K> block_sums(int n, F f) {
    Totals<K> total;
    for (int k = 0; k < K; ++k) total.k[k] = 0.0;
    for (int j = (int)threadIdx.x; j < n; j += (int)blockDim.x) {
        Packs<K, 1> term = f(Lanes<1>{}, j);
        for (int k = 0; k < K; ++k) total.k[k] += (double)term[k].v[0];
    }
    for (int k = 0; k < K; ++k) total.k[k] = block_sum(total.k[k]);
    return total;
}

}  // namespace sltt
