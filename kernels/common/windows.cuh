// Windows of an average pool that is folded into the neurons in front of it: size * size pixels, side by side, none left over (height
// and width are multiples of size). Pixels are the rows of a (rows, channels) matrix, rows = N*H*W; windows are the pooled rows.
#pragma once
#include "random.cuh"

namespace sltt {

constexpr int MAX_WINDOW = 8;  // largest size

struct Windows {
    int width, size;  // pixels in a line of the image; pixels in a line of a window
    // 1 / size^2: a pixel's share of its window's mean. Exact where size is a power of two.
    __device__ float share() const { return 1.0f / (float)(size * size); }
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

// The gradient that reaches the spikes through an average pool and a dropout: mask[i] share gradient[window of i].
// Kernels take it in place of Dropout (MaskSource in work.cuh).
template <class T> struct PooledGradient {
    const T* gradient;  // (windows, channels)
    int channels;
    Windows windows;
    Dropout drop;
};
template <class T> __device__ inline PooledGradient<T> pooled_gradient(const T* gradient, int channels, Windows windows, Dropout drop) {
    return {gradient, channels, windows, drop};
}

}  // namespace sltt
