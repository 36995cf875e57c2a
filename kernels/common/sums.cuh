// Sums: a few terms in float, then double, in a fixed order; no atomics.
#pragma once
#include "work.cuh"

namespace SLTT_VARIANT {

template <int K> struct Totals {
    double k[K];
    __device__ double& operator[](int i) { return k[i]; }
    __device__ const double& operator[](int i) const { return k[i]; }
};

constexpr int CHUNK = 32;  // float terms added before they go into a wider sum: the error stays a few ulp

#if defined(SLTT_FAST)
// K column sums of the rows [r0, r1) and channels [c_begin, c_end) of a (rows, channels) matrix: put(k, c, total).
// `group`: rows taken side by side, more than one only if the channels are all there are.
template <int K, int P, class Beside, class Read, class F, class Put>
inline void add_up_rows(int64_t r0, int64_t r1, int c_begin, int c_end, int channels, int group, const PerChannel<P>& parameters, const Beside& d,
                        Read& read, F& f, Put put) {
    ParameterTile<P> own;
    typename Beside::Tile masks;
    for (int c0 = c_begin; c0 < c_end; c0 += TILE) {
        int width = c_end - c0 < TILE ? c_end - c0 : TILE, columns = width * group;
        alignas(64) float sum[K][TILE];
        alignas(64) double total[K][TILE];
        own.fill(parameters, c0, width, group);
        for (int k = 0; k < K; ++k)
            for (int j = 0; j < columns; ++j) total[k][j] = 0.0;
        for (int64_t chunk = r0; chunk < r1; chunk += (int64_t)CHUNK * group) {
            int64_t end = chunk + (int64_t)CHUNK * group < r1 ? chunk + (int64_t)CHUNK * group : r1;
            for (int k = 0; k < K; ++k)
                for (int j = 0; j < columns; ++j) sum[k][j] = 0.0f;
            for (int64_t r = chunk; r < end; r += group) {
                int64_t base = r * channels + c0;
                int count = (int)(end - r < group ? end - r : group) * width;
                const float* mask = masks.of(d, base, count);
                each_pack(0, count, [&](auto lanes, int64_t j) {
                    constexpr int V = decltype(lanes)::value;
                    Packs<K, V> term = f(lanes, base + j, own.template at<V>(j), load<V>(mask, j), read(lanes, base + j));
                    SLTT_UNROLL
                    for (int k = 0; k < K; ++k) store<V>(sum[k], j, load<V>(sum[k], j) + term[k]);
                });
            }
            for (int k = 0; k < K; ++k)
                for (int j = 0; j < columns; ++j) total[k][j] += (double)sum[k][j];
        }
        for (int k = 0; k < K; ++k)
            for (int c = 0; c < width; ++c) {
                double all = 0.0;
                for (int g = 0; g < group; ++g) all += total[k][g * width + c];
                put(k, c0 + c, all);
            }
    }
}
#else
// K column sums over the rows part, part + parts, ... by the block's threads: tiles `widest` packs wide, tile number
// group, group + groups, ... Calls put(k, c, total) once for each sum.
// A thread reads AHEAD of its rows before it adds up the first: what f writes may be what the next row reads for all that the
// compiler knows, and one row's few loads at a time would leave memory waiting.
template <int K, int AHEAD, int V, int P, class Beside, class Read, class F, class Put>
__device__ inline void add_up_rows(int64_t rows, int channels, int part, int parts, int group, int groups, int widest, const PerChannel<P>& parameters,
                                   const Beside& d, Read& read, F& f, Put put) {
    constexpr int SUMS = K * V, PADDING = 32;
    __shared__ float scratch[SUMS * (MAX_BLOCK + PADDING)];
    int packs = channels / V, threads = (int)blockDim.x, t = (int)threadIdx.x;
    int wide = packs < widest ? packs : widest;  // threads side by side over channels
    if (wide > threads) wide = threads;
    int deep = threads / wide;  // threads over rows
    int tx = t % wide, ty = t / wide;
    int line = threads + (wide < PADDING ? wide : 0);  // of scratch: a narrow tile's different sums are then in different banks
    for (int tile = group * wide; tile < packs; tile += groups * wide) {
        Packs<K, V> sum;
        for (int k = 0; k < K; ++k) sum[k] = Pack<V>(0.0f);
        if (ty < deep && tile + tx < packs) {
            int c = (tile + tx) * V;
            Packs<P, V> own = load_parameters<V>(parameters, c);
            int64_t n = rows * channels, step = (int64_t)parts * deep * channels;  // elements in all; from one of the thread's rows to the next
            for (int64_t chunk = ((int64_t)part * deep + ty) * channels + c; chunk < n; chunk += CHUNK * step) {
                int64_t end = chunk + CHUNK * step < n ? chunk + CHUNK * step : n;
                Packs<K, V> few;
                for (int k = 0; k < K; ++k) few[k] = Pack<V>(0.0f);
                for (int64_t i = chunk; i < end; i += AHEAD * step) {
                    // Past the end the first row once more, for nothing: it writes what it writes anyway, and does not count. A branch
                    // instead would let the compiler move the reads behind it.
                    int64_t at[AHEAD];
                    decltype(read(Lanes<V>{}, i)) in[AHEAD];
                    SLTT_UNROLL
                    for (int a = 0; a < AHEAD; ++a) {
                        at[a] = i + a * step < end ? i + a * step : i;
                        in[a] = read(Lanes<V>{}, at[a]);
                    }
                    SLTT_UNROLL
                    for (int a = 0; a < AHEAD; ++a) {
                        Packs<K, V> term = f(Lanes<V>{}, at[a], own, beside<V>(d, at[a]), in[a]);
                        bool counts = i + a * step < end;
                        for (int k = 0; k < K; ++k)
                            for (int l = 0; l < V; ++l) few[k].v[l] = counts ? few[k].v[l] + term[k].v[l] : few[k].v[l];
                    }
                }
                for (int k = 0; k < K; ++k) sum[k] = sum[k] + few[k];
            }
        }
        __syncthreads();
        for (int k = 0; k < K; ++k)
            for (int l = 0; l < V; ++l) scratch[(k * V + l) * line + t] = sum[k].v[l];
        __syncthreads();
        for (int o = t; o < SUMS * wide; o += threads) {
            int s = o / wide, x = o % wide;
            double total = 0.0;
            for (int y = 0; y < deep; ++y) total += (double)scratch[s * line + y * wide + x];
            if (tile + x < packs) put(s / V, (tile + x) * V + s % V, total);
        }
    }
}
#endif

// Column sums, first stage: K sums for each channel over the block's rows.
// read(lanes, i) gives what is read at element i, as memory holds it; AHEAD: how many rows' worth a GPU thread has under way.
// f(lanes, i, parameters, mask, that), parameters and mask as in for_rows_channels, returns Packs<K, V>, the K terms of V elements; it
// may also write, but nothing that is read at another element.
// partials (gridDim.x, K, channels), double; every entry is written. finish_sums adds the blocks.
template <int K, int AHEAD, class T, int P, class Beside, class Read, class F>
__device__ inline void sum_rows(double* partials, int64_t rows, int channels, PerChannel<P> parameters, Beside d, Read read, F f) {
    double* mine = partials + (int64_t)blockIdx.x * K * channels;
    auto put = [=](int k, int c, double total) { mine[(int64_t)k * channels + c] = total; };
#if defined(SLTT_FAST)
    Share s = block_share(rows, 1);
    add_up_rows<K>(s.begin, s.end, 0, channels, channels, rows_in_tile(channels, s.end - s.begin), parameters, d, read, f, put);
#else
    constexpr int V = pack_width<T>;
    int part = (int)blockIdx.x, parts = (int)gridDim.x;
    if (channels % V == 0) add_up_rows<K, AHEAD, V>(rows, channels, part, parts, 0, 1, MAX_BLOCK, parameters, d, read, f, put);
    else add_up_rows<K, AHEAD, 1>(rows, channels, part, parts, 0, 1, MAX_BLOCK, parameters, d, read, f, put);
#endif
}

// Column sums in one stage: each block has its own channels and all rows; put(k, c, total) once for each sum. For matrices
// of few rows; the sums do not depend on the grid.
template <int K, int AHEAD, class T, class Read, class F, class Put>
__device__ inline void sum_columns(int64_t rows, int channels, Read read, F f, Put put) {
#if defined(SLTT_FAST)
    constexpr int UNIT = 16;
    Share s = block_share(channels, UNIT);
    int group = channels <= UNIT ? rows_in_tile(channels, rows) : 1;  // no matter how many blocks there are
    if (s.begin < s.end) add_up_rows<K>(0, rows, (int)s.begin, (int)s.end, channels, group, PerChannel<0>{}, no_dropout(), read, f, put);
#else
    constexpr int V = pack_width<T>;
    int group = (int)blockIdx.x, groups = (int)gridDim.x;
    if (channels % V == 0) add_up_rows<K, AHEAD, V>(rows, channels, 0, 1, group, groups, 2, PerChannel<0>{}, no_dropout(), read, f, put);
    else add_up_rows<K, AHEAD, 1>(rows, channels, 0, 1, group, groups, 16, PerChannel<0>{}, no_dropout(), read, f, put);
#endif
}

// Column sums, second stage: f(c, totals) once for each channel, totals[k] the sum over the parts of partials (parts, K, channels).
template <int K, class F> __device__ inline void finish_sums(const double* partials, int parts, int channels, F f) {
#if defined(SLTT_FAST)
    Share s = block_share(channels, 8);
    for (int64_t c = s.begin; c < s.end; ++c) {
        Totals<K> total;
        for (int k = 0; k < K; ++k) {
            total.k[k] = 0.0;
            for (int b = 0; b < parts; ++b) total.k[k] += partials[((int64_t)b * K + k) * channels + c];
        }
        f((int)c, total);
    }
#else
    // A few channels side by side, the other threads over the parts, each with several parts on their way at once: the sums are small
    // and all of their cost is waiting.
    constexpr int WIDEST = 8, AHEAD = 8;
    __shared__ double scratch[K * MAX_BLOCK];
    int threads = (int)blockDim.x, t = (int)threadIdx.x, wide = threads < WIDEST ? threads : WIDEST, deep = threads / wide;
    int tx = t % wide, ty = t / wide;
    for (int tile = (int)blockIdx.x * wide; tile < channels; tile += (int)gridDim.x * wide) {
        int c = tile + tx;
        Totals<K> total;
        for (int k = 0; k < K; ++k) total.k[k] = 0.0;
        if (c < channels && ty < deep)
            for (int begin = ty; begin < parts; begin += AHEAD * deep) {
                double part[K][AHEAD];
                SLTT_UNROLL
                for (int a = 0; a < AHEAD; ++a)
                    for (int k = 0; k < K; ++k) {
                        int b = begin + a * deep;
                        part[k][a] = b < parts ? partials[((int64_t)b * K + k) * channels + c] : 0.0;
                    }
                SLTT_UNROLL
                for (int a = 0; a < AHEAD; ++a)
                    for (int k = 0; k < K; ++k) total.k[k] += part[k][a];
            }
        __syncthreads();
        for (int k = 0; k < K; ++k) scratch[k * threads + t] = total.k[k];
        __syncthreads();
        if (ty == 0 && c < channels) {
            for (int k = 0; k < K; ++k) {
                total.k[k] = 0.0;
                for (int y = 0; y < deep; ++y) total.k[k] += scratch[k * threads + y * wide + tx];
            }
            f(c, total);
        }
    }
#endif
}

// Sum of x over the block's threads, the same value in all of them; every thread calls it. Fixed order.
__device__ inline double block_sum(double x) {
#if defined(SLTT_FAST)
    return x;
#else
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
#endif
}
// The largest element over j in [0, n) by the block's threads, in all of them; f(lanes, j) returns Pack<V>. Every thread calls it.
template <class F> __device__ inline float block_max(int n, F f) {
#if defined(SLTT_FAST)
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
#else
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
#endif
}
// K sums over j in [0, n) by the block's threads, in all of them; f(lanes, j) returns Packs<K, V> for the elements from j on.
// Every thread calls it.
template <int K, class F> __device__ inline Totals<K> block_sums(int n, F f) {
    Totals<K> total;
    for (int k = 0; k < K; ++k) total.k[k] = 0.0;
#if defined(SLTT_FAST)
    for (int begin = 0; begin < n; begin += WIDE * CHUNK) {
        int end = begin + WIDE * CHUNK < n ? begin + WIDE * CHUNK : n;
        Packs<K, WIDE> sum;
        for (int k = 0; k < K; ++k) sum[k] = WidePack(0.0f);
        each_pack(begin, end, [&](auto lanes, int64_t j) {
            constexpr int V = decltype(lanes)::value;
            Packs<K, V> term = f(lanes, (int)j);
            SLTT_UNROLL
            for (int k = 0; k < K; ++k) {
                if constexpr (V == WIDE) sum[k] = sum[k] + term[k];
                else total.k[k] += (double)term[k].v[0];
            }
        });
        for (int k = 0; k < K; ++k)
            for (int l = 0; l < WIDE; ++l) total.k[k] += (double)sum[k].v[l];
    }
#else
    for (int j = (int)threadIdx.x; j < n; j += (int)blockDim.x) {
        Packs<K, 1> term = f(Lanes<1>{}, j);
        for (int k = 0; k < K; ++k) total.k[k] += (double)term[k].v[0];
    }
    for (int k = 0; k < K; ++k) total.k[k] = block_sum(total.k[k]);
#endif
    return total;
}

}  // namespace SLTT_VARIANT
