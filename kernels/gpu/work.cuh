// Which elements, rows, channels or lines a thread works on. Every loop strides over all threads of the grid, so any grid and any
// block size give the same result.
#pragma once
#include "common/steps.cuh"
#include "dropout_mask.cuh"
#include "memory.cuh"

namespace sltt {

// specialise(a, ..., f) calls f(a, ...), with the same value for the whole launch. The CPU device compiles f for each value of a. Here a
// branch on a value that all threads share costs next to nothing, and the code stays small.
template <class F> __device__ inline void specialise(bool a, F f) { f(a); }
template <class F> __device__ inline void specialise(bool a, bool b, F f) { f(a, b); }
template <class F> __device__ inline void specialise(bool a, bool b, bool c, F f) { f(a, b, c); }
template <class F> __device__ inline void specialise(bool a, bool b, bool c, bool d, F f) { f(a, b, c, d); }

__device__ inline int64_t thread_index() { return (int64_t)blockIdx.x * blockDim.x + threadIdx.x; }
__device__ inline int64_t thread_count() { return (int64_t)gridDim.x * blockDim.x; }
// True in one thread of the block.
__device__ inline bool first_thread() { return threadIdx.x == 0; }

// f(lanes, i) for every element i in [0, n): lanes.value elements from i on. T: the type whose 16 bytes make a pack.
template <class T, class F> __device__ inline void for_elements(int64_t n, F f) {
    constexpr int V = pack_width<T>;
    int64_t packs = n / V, stride = thread_count(), first = thread_index();
    for (int64_t p = first; p < packs; p += stride) f(Lanes<V>{}, p * V);
    for (int64_t i = packs * V + first; i < n; i += stride) f(Lanes<1>{}, i);
}

// The same with dropout: f(lanes, i, mask), mask a Pack of 0 or 1/(1-rate).
template <class T, class F> __device__ inline void for_elements(int64_t n, Dropout d, F f) {
    for_elements<T>(n, [&](auto lanes, int64_t i) { f(lanes, i, mask_at<decltype(lanes)::value>(d, i)); });
}

// True in any thread that has an element i with f(lanes, i); f may also write.
template <class T, class F> __device__ inline bool any_element(int64_t n, F f) {
    bool any = false;
    for_elements<T>(n, [&](auto lanes, int64_t i) { any = f(lanes, i) || any; });
    return any;
}

// The parameters of the V channels from c on.
template <int V, int P> __device__ inline Packs<P, V> load_parameters(const PerChannel<P>& parameters, int c) {
    Packs<P, V> out;
    for (int i = 0; i < P; ++i) out.k[i] = parameters.p[i] ? load<V>(parameters.p[i], c) : Pack<V>(0.0f);
    return out;
}

// for_rows_channels with packs of V channels. A thread's channel moves on by a fixed step, so the loop divides nothing. Where the step is
// a whole number of rows the channel stays, and its parameters are read only before the loop.
template <int V, int P, class MaskSource, class F>
__device__ inline void for_packs_of_rows(int64_t rows, int channels, const PerChannel<P>& parameters, const MaskSource& source, F& f) {
    int64_t packs = rows * channels / V, stride = thread_count(), p = thread_index();
    if (p >= packs) return;
    int c = (int)(p * V % channels), step = (int)(stride * V % channels);
    Packs<P, V> params = load_parameters<V>(parameters, c);
    for (; p < packs; p += stride) {
        f(Lanes<V>{}, p * V, params, mask_at<V>(source, p * V));
        if (step != 0) {
            c += step;
            if (c >= channels) c -= channels;
            params = load_parameters<V>(parameters, c);
        }
    }
}

// f(lanes, i, params, mask) for every element i = row * channels + c of a (rows, channels) matrix, NHWC with rows = N*H*W.
// params: Packs<P, V>, the parameters of the element's channel. MaskSource: Dropout, or PooledGradient (pooling.cuh).
template <class T, int P, class MaskSource, class F>
__device__ inline void for_rows_channels(int64_t rows, int channels, PerChannel<P> parameters, MaskSource source, F f) {
    constexpr int V = pack_width<T>;
    if (channels % V == 0) for_packs_of_rows<V>(rows, channels, parameters, source, f);
    else for_packs_of_rows<1>(rows, channels, parameters, source, f);
}

// walk_rows_channels with packs of V channels. One step keeps the parameters as for_packs_of_rows does; of several, those of each step are
// read at the step.
template <int V, int P, int BY_STEP, class F>
__device__ inline void walk_packs_of_rows(int steps, int64_t rows, int channels, const PerStepAndChannel<P, BY_STEP>& parameters,
                                          const Dropout& drop, F& f) {
    if (steps == 1) {
        auto one_step = [&](auto lanes, int64_t i, const auto& params, const auto& mask) {
            f(
                lanes, i, Walk{0, 1}, [&](int) { return params; }, mask);
        };
        for_packs_of_rows<V>(rows, channels, parameters.first, drop, one_step);
        return;
    }
    for (int64_t p = thread_index(), packs = rows * channels / V, stride = thread_count(); p < packs; p += stride) {
        int c = (int)(p * V) % channels;
        f(
            Lanes<V>{}, p * V, Walk{0, steps}, [&](int step) { return load_parameters<V>(parameters.at(step), c); },
            mask_at<V>(drop, p * V));
    }
}

// The same for a walk: f(lanes, i, walk, params_at, mask) takes the elements from i on through the steps of `walk`, in order;
// params_at(step) returns their parameters. Several calls for an element follow one another in time.
template <class T, int P, int BY_STEP, class F>
__device__ inline void walk_rows_channels(int steps, int64_t rows, int channels, PerStepAndChannel<P, BY_STEP> parameters, Dropout drop,
                                          F f) {
    constexpr int V = pack_width<T>;
    if (blockIdx.y != 0) return;
    if (channels % V == 0) walk_packs_of_rows<V>(steps, rows, channels, parameters, drop, f);
    else walk_packs_of_rows<1>(steps, rows, channels, parameters, drop, f);
}

// f(lanes, i, walk, mask) for every element i in [0, n) takes the elements from i on through the steps of `walk`, from the last to the
// first. Without in_order a walk is one step. Several calls for an element follow one another, back in time.
template <class T, class F> __device__ inline void walk_elements_back(int steps, bool in_order, int64_t n, Dropout d, F f) {
    for_walks(steps, in_order, [&](Walk walk) {
        for_elements<T>(n, [&](auto lanes, int64_t i) { f(lanes, i, walk, mask_at<decltype(lanes)::value>(d, i)); });
    });
}

// f(lanes, row, c, prepare(row)) for every pack of channels of every row: for kernels that find their inputs from the row.
template <class T, class Prepare, class F> __device__ inline void for_row_packs(int64_t rows, int channels, Prepare prepare, F f) {
    constexpr int V = pack_width<T>;
    int64_t stride = thread_count(), first = thread_index();
    if (channels % V == 0) {
        int packs = channels / V;
        for (int64_t p = first; p < rows * packs; p += stride) f(Lanes<V>{}, p / packs, (int)(p % packs) * V, prepare(p / packs));
    } else {
        for (int64_t p = first; p < rows * channels; p += stride) f(Lanes<1>{}, p / channels, (int)(p % channels), prepare(p / channels));
    }
}

// f(line, j, prepare(line)) for every j in [0, width) of every line: neighbouring threads get neighbouring j.
template <class Prepare, class F> __device__ inline void for_lines(int64_t lines, int width, Prepare prepare, F f) {
    for (int64_t p = thread_index(), stride = thread_count(); p < lines * width; p += stride)
        f(p / width, (int)(p % width), prepare(p / width));
}

// f(lanes, line, j, prepare(line)): the same in packs. Here a pack has one element, on the CPU device it is a register.
template <class Prepare, class F> __device__ inline void for_line_packs(int64_t lines, int width, Prepare prepare, F f) {
    for_lines(lines, width, prepare, [&](int64_t line, int j, const auto& prepared) { f(Lanes<1>{}, line, (int64_t)j, prepared); });
}

// f(i) for every i in [0, n), one a thread: per-channel work.
template <class F> __device__ inline void for_items(int64_t n, F f) {
    for (int64_t i = thread_index(), stride = thread_count(); i < n; i += stride) f(i);
}

// f(i) for every i in [0, n), one a block: rows that a whole block works on.
template <class F> __device__ inline void for_blocks(int64_t n, F f) {
    for (int64_t i = blockIdx.x; i < n; i += gridDim.x) f(i);
}
// f(lanes, j) for every j in [0, n) by the block's threads. Packs of one, because rows of odd lengths have no alignment.
template <class F> __device__ inline void for_block_items(int n, F f) {
    for (int64_t j = threadIdx.x; j < n; j += blockDim.x) f(Lanes<1>{}, j);
}

}  // namespace sltt
