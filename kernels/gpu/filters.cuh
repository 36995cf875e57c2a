// A row of floats that a block works on: a filter's weights. Thread t has the elements t, t + threads, and so on. The first HELD of them
// stay in registers between two loops over the row, so memory is read one time.
#pragma once
#include "common/totals.cuh"
#include "work.cuh"

namespace sltt {

struct FilterRow {
    static constexpr int HELD = 10;  // 5,120 elements on 512 threads; two rows fit into 64 registers a thread
    const float* row;
    int n;
    float held[HELD];
    __device__ FilterRow(const float* from, int count) : row(from), n(count) {
#pragma unroll
        for (int k = 0; k < HELD; ++k) {
            int j = (int)(threadIdx.x + k * blockDim.x);
            held[k] = j < n ? row[j] : 0.0f;
        }
    }
};

// f(lanes, j, x, y) for every element j of two rows of the same length. Packs of one: rows of odd lengths have no alignment.
template <class F> __device__ inline void for_row_pairs(const FilterRow& x, const FilterRow& y, F f) {
    int t = (int)threadIdx.x, threads = (int)blockDim.x;
#pragma unroll
    for (int k = 0; k < FilterRow::HELD; ++k)
        if (t + k * threads < x.n) f(Lanes<1>{}, t + k * threads, Pack<1>(x.held[k]), Pack<1>(y.held[k]));
    for (int j = t + FilterRow::HELD * threads; j < x.n; j += threads) f(Lanes<1>{}, j, Pack<1>(x.row[j]), Pack<1>(y.row[j]));
}
// f(lanes, j, x) for every element j of a row.
template <class F> __device__ inline void for_row(const FilterRow& x, F f) {
    for_row_pairs(x, x, [&](auto lanes, int j, const auto& element, const auto&) { f(lanes, j, element); });
}

// The sums over the block's threads of K numbers of each, the same in all of them. Every thread calls it. Fixed order: halves of a warp,
// then the warps one after the other.
template <int K> __device__ inline Totals<K> filter_totals(Totals<K> sums) {
    constexpr int WARP = 32;
    __shared__ double scratch[K * (MAX_BLOCK / WARP)];
    int threads = (int)blockDim.x, t = (int)threadIdx.x, lane = t % WARP, warp = t / WARP;
    int lanes = threads - warp * WARP < WARP ? threads - warp * WARP : WARP;  // of this warp
    unsigned mask = 0xffffffffu >> (WARP - lanes);
#pragma unroll
    for (int step = WARP / 2; step > 0; step /= 2)
        for (int k = 0; k < K; ++k) {
            double other = __shfl_down_sync(mask, sums[k], step);
            if (lane + step < lanes) sums[k] += other;
        }
    __syncthreads();
    if (lane == 0)
        for (int k = 0; k < K; ++k) scratch[warp * K + k] = sums[k];
    __syncthreads();
    for (int k = 0; k < K; ++k) {
        sums[k] = 0.0;
        for (int other = 0; other * WARP < threads; ++other) sums[k] += scratch[other * K + k];
    }
    return sums;
}

struct RowMoments {
    double mean, variance;  // variance: unbiased
};
__device__ inline RowMoments moments_of(double sum, double squares, int n) {
    double variance = (squares - sum * (sum / n)) / (n - 1);
    return {sum / n, variance > 0.0 ? variance : 0.0};
}
// Every thread of the block calls it. The sums are in double, so squares of elements far from zero cost no digit that a float holds.
__device__ inline RowMoments row_moments(const FilterRow& x) {
    Totals<2> sums = {{0.0, 0.0}};
    for_row(x, [&](auto, int, const Pack<1>& element) {
        double value = (double)element.v[0];
        sums[0] += value;
        sums[1] += value * value;
    });
    sums = filter_totals(sums);
    return moments_of(sums[0], sums[1], x.n);
}

struct PairMoments {
    RowMoments x;
    double sum_y, sum_xy;  // sum of y; sum of (x - mean) y
};
// Every thread of the block calls it.
__device__ inline PairMoments pair_moments(const FilterRow& x, const FilterRow& y) {
    Totals<4> sums = {{0.0, 0.0, 0.0, 0.0}};
    for_row_pairs(x, y, [&](auto, int, const Pack<1>& of_x, const Pack<1>& of_y) {
        double a = (double)of_x.v[0], b = (double)of_y.v[0];
        sums[0] += a;
        sums[1] += a * a;
        sums[2] += b;
        sums[3] += a * b;
    });
    sums = filter_totals(sums);
    RowMoments moments = moments_of(sums[0], sums[1], x.n);
    return {moments, sums[2], sums[3] - moments.mean * sums[2]};
}

}  // namespace sltt
