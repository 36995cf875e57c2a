// A row of floats that a block works on: a filter's weights. It stays in the processor's cache between two loops over it.
#pragma once
#include "sums.cuh"
#include "work.cuh"

namespace sltt {

struct FilterRow {
    const float* row;
    int n;
    FilterRow(const float* from, int count) : row(from), n(count) {}
};

// f(lanes, j, x, y) for every element j of two rows of the same length.
template <class F> inline void for_row_pairs(const FilterRow& x, const FilterRow& y, F f) {
    each_pack(0, x.n, [&](auto lanes, int64_t j) {
        constexpr int V = decltype(lanes)::value;
        f(lanes, (int)j, load<V>(x.row, j), load<V>(y.row, j));
    });
}
// f(lanes, j, x) for every element j of a row.
template <class F> inline void for_row(const FilterRow& x, F f) {
    each_pack(0, x.n, [&](auto lanes, int64_t j) { f(lanes, (int)j, load<decltype(lanes)::value>(x.row, j)); });
}

struct RowMoments {
    double mean, variance;  // variance: unbiased
};
inline RowMoments row_moments(const FilterRow& x) {
    const float* row = x.row;
    float mean = (float)(block_sums<1>(x.n, [=](auto lanes, int j) { return packs(load<decltype(lanes)::value>(row, j)); })[0] / x.n);
    // The mean is rounded: the square of the sum of differences corrects the sum of their squares.
    Totals<2> moments = block_sums<2>(x.n, [=](auto lanes, int j) {
        auto d = load<decltype(lanes)::value>(row, j) - mean;
        return packs(d, d * d);
    });
    return {mean, (moments[1] - moments[0] * moments[0] / x.n) / (x.n - 1)};
}

struct PairMoments {
    RowMoments x;
    double sum_y, sum_xy;  // sum of y; sum of (x - mean) y
};
inline PairMoments pair_moments(const FilterRow& x, const FilterRow& y) {
    RowMoments moments = row_moments(x);
    float mean = (float)moments.mean;
    const float *of_x = x.row, *of_y = y.row;
    Totals<2> sums = block_sums<2>(x.n, [=](auto lanes, int j) {
        constexpr int V = decltype(lanes)::value;
        Pack<V> b = load<V>(of_y, j);
        return packs(b, b * (load<V>(of_x, j) - mean));
    });
    return {moments, sums[0], sums[1]};
}

}  // namespace sltt
