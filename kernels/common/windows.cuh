// Windows of an average pool that is folded into the neurons in front of it: size * size pixels, side by side, none left over (height
// and width are multiples of size). Pixels are the rows of a (rows, channels) matrix, rows = N*H*W; windows are the pooled rows. A step's
// elements are fewer than 2^31, so their numbers have 32 bits: a GPU divides 64 bits in several times as many instructions.
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
    __device__ int of(int pixel) const {
        int line = pixel / width;
        return line / size * (width / size) + (pixel - line * width) / size;
    }
    // The first pixel of a window.
    __device__ int first(int window) const {
        int across = width / size, line = window / across;
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
    int64_t stride;  // elements in a step's gradient
    // The source at a step.
    __device__ PooledGradient at(int step) const { return {gradient + step * stride, channels, windows, drop, stride}; }
};
template <class T>
__device__ inline PooledGradient<T> pooled_gradient(const T* gradient, int64_t rows, int channels, Windows windows, Dropout drop) {
    return {gradient, channels, windows, drop, rows / windows.pixels() * channels};
}

}  // namespace sltt
