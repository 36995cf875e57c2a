// Sums: a few terms in float, then double, in a fixed order; no atomics.
//
// Column sums of a (rows, channels) matrix. A block's threads lie in a tile: `columns` threads side by side over packs of channels and
// `lines` threads one below the other over rows.
//   read_rows      a thread loads ROWS rows before it uses the first
//   add_rows       adds their terms to a float sum
//   sum_chunk      CHUNK rows, one float sum
//   sum_rows_of_thread   all rows of the thread, the chunks' sums added in float
//   reduce_lines   the sums of the tile's lines added in double, through shared memory
#pragma once
#include <math.h>

#include "common/totals.cuh"
#include "work.cuh"

namespace sltt {

// The block's part of a (rows, channels) matrix, in packs of channels.
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

// put(k, c, total) for each sum of the tile that begins at pack `first`: the lines' sums are added in double, from the first line on.
// Every thread of the block calls it.
template <int K, int V, class Put>
__device__ inline void reduce_lines(const Packs<K, V>& sum, const Tile& tile, int first, int packs, Put& put) {
    constexpr int SUMS = K * V, PADDING = 32;
    __shared__ float scratch[SUMS * (MAX_BLOCK + PADDING)];
    int threads = (int)blockDim.x, t = (int)threadIdx.x;
    int pitch = threads + (tile.columns < PADDING ? tile.columns : 0);  // puts the different sums of a narrow tile into different banks
    __syncthreads();
    for (int k = 0; k < K; ++k)
        for (int l = 0; l < V; ++l) scratch[(k * V + l) * pitch + t] = sum[k].v[l];
    __syncthreads();
    for (int o = t; o < SUMS * tile.columns; o += threads) {
        int s = o / tile.columns, x = o % tile.columns;
        double total = 0.0;
        for (int y = 0; y < tile.lines; ++y) total += (double)scratch[s * pitch + y * tile.columns + x];
        if (first + x < packs) put(s / V, (first + x) * V + s % V, total);
    }
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
        reduce_lines(sum, tile, first, packs, put);
    }
}

// Column sums, first stage: K sums for each channel over the block's rows.
// read(lanes, i) returns the inputs at element i, as memory holds them. ROWS_IN_FLIGHT: rows that a thread reads before it adds the first.
// f(lanes, i, params, mask, in), params and mask as in for_rows_channels, returns Packs<K, V>: the K terms of V elements. f may also
// write, but nothing that `read` reads at another element.
// partials (gridDim.x, K, channels), double; every entry is written. finish_sums adds the blocks.
template <int K, int ROWS_IN_FLIGHT, class T, int P, class MaskSource, class Read, class F>
__device__ inline void sum_rows(double* partials, int64_t rows, int channels, PerChannel<P> parameters, MaskSource source, Read read, F f) {
    double* block_partials = partials + (int64_t)blockIdx.x * K * channels;
    auto put = [=](int k, int c, double total) { block_partials[(int64_t)k * channels + c] = total; };
    constexpr int V = pack_width<T>;
    SumShare share = {rows, channels, (int)blockIdx.x, (int)gridDim.x, 0, 1, MAX_BLOCK};
    if (channels % V == 0) sum_share<K, ROWS_IN_FLIGHT, V>(share, parameters, source, read, f, put);
    else sum_share<K, ROWS_IN_FLIGHT, 1>(share, parameters, source, read, f, put);
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

// One thread's share of finish_sums: parts line, line + lines, ... of channel c. The partial sums are few and the loop's whole cost is
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

// Column sums, second stage, step by step: f(c, step, totals, state) for each channel, totals[k] the sum over the parts of partials (steps,
// parts, K, channels). state: start(c), kept from step to step. 8 channels side by side share a block, its other threads share the parts.
template <int K, class Start, class F>
__device__ inline void finish_sums(const double* partials, int parts, int steps, int channels, Start start, F f) {
    constexpr int CHANNELS = 8;
    if (blockIdx.y != 0) return;
    __shared__ double scratch[K * MAX_BLOCK];
    int threads = (int)blockDim.x, t = (int)threadIdx.x;
    Tile tile(CHANNELS, CHANNELS);
    for (int first = (int)blockIdx.x * tile.columns; first < channels; first += (int)gridDim.x * tile.columns) {
        int c = first + tile.column;
        auto state = start(c < channels ? c : 0);
        for (int step = 0; step < steps; ++step) {
            const double* of_step = partials + (int64_t)step * parts * K * channels;
            Totals<K> total;
            for (int k = 0; k < K; ++k) total.k[k] = 0.0;
            if (c < channels && tile.line < tile.lines) total = sum_parts<K>(of_step, parts, channels, c, tile.line, tile.lines);
            __syncthreads();
            for (int k = 0; k < K; ++k) scratch[k * threads + t] = total.k[k];
            __syncthreads();
            if (tile.line == 0 && c < channels) {
                for (int k = 0; k < K; ++k) {
                    total.k[k] = 0.0;
                    for (int y = 0; y < tile.lines; ++y) total.k[k] += scratch[k * threads + y * tile.columns + tile.column];
                }
                f(c, step, total, state);
            }
        }
    }
}
// The same for one step: f(c, totals).
template <int K, class F> __device__ inline void finish_sums(const double* partials, int parts, int channels, F f) {
    finish_sums<K>(
        partials, parts, 1, channels, [](int) { return 0; }, [&](int c, int, const Totals<K>& totals, int&) { f(c, totals); });
}

// Sum of x over the block's threads, the same value in all of them. Every thread calls it. Fixed order.
__device__ inline double block_sum(double x) {
    __shared__ double scratch[MAX_BLOCK];
    int n = (int)blockDim.x, t = (int)threadIdx.x;
    __syncthreads();
    scratch[t] = x;
    for (int width = 1; width < n; width *= 2) {
        __syncthreads();
        if (t % (2 * width) == 0 && t + width < n) scratch[t] += scratch[t + width];
    }
    __syncthreads();
    return scratch[0];
}
// The largest element over j in [0, n) by the block's threads, the same value in all of them; f(lanes, j) returns Pack<V>.
// Every thread calls it.
template <class F> __device__ inline float block_max(int n, F f) {
    __shared__ float scratch[MAX_BLOCK];
    int threads = (int)blockDim.x, t = (int)threadIdx.x;
    float largest = -INFINITY;
    for (int j = t; j < n; j += threads) {
        float x = f(Lanes<1>{}, j).v[0];
        largest = largest < x ? x : largest;
    }
    __syncthreads();
    scratch[t] = largest;
    for (int width = 1; width < threads; width *= 2) {
        __syncthreads();
        if (t % (2 * width) == 0 && t + width < threads) scratch[t] = scratch[t] < scratch[t + width] ? scratch[t + width] : scratch[t];
    }
    __syncthreads();
    return scratch[0];
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
