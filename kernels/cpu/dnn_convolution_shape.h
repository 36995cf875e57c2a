// The sizes of a convolution, from cuDNN's descriptors.
#pragma once

#include "dnn_descriptors.h"

namespace sltt_cpu {

enum class ConvolutionPass { Forward, BackwardData, BackwardFilter };

// x: (n, h, w, c), filter: (k, r, s, c), y: (n, p, q, k).
struct ConvolutionShape {
    int n, c, h, w, k, r, s, p, q, pad_h, pad_w, stride_h, stride_w, dilation_h, dilation_w;
    bool fast_math;  // the forward pass may round more than a sum of products does (CUDNN_DEFAULT_MATH; a GPU takes TF32 then)

    size_t x_image() const { return (size_t)c * h * w; }
    size_t y_image() const { return (size_t)k * p * q; }
    size_t filter_count() const { return (size_t)k * c * r * s; }
    double flops() const { return 2.0 * n * (double)y_image() * c * r * s; }
    bool operator<(const ConvolutionShape& o) const;
};

// The size of the result of a window of `size` taps, `dilation` apart, moved in steps of `stride` over `input`.
inline int output_size(int input, int size, int pad, int stride, int dilation) { return 1 + (input + 2 * pad - ((size - 1) * dilation + 1)) / stride; }

// Throws where they are no convolution that is served.
void require_convolution(cudnnTensorDescriptor_t x, cudnnFilterDescriptor_t w, cudnnConvolutionDescriptor_t convolution);
ConvolutionShape convolution_shape(cudnnTensorDescriptor_t x, cudnnFilterDescriptor_t w, cudnnConvolutionDescriptor_t convolution, cudnnTensorDescriptor_t y);

}  // namespace sltt_cpu
