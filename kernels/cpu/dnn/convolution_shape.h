// The sizes of a convolution, from cuDNN's descriptors.
#pragma once

#include "convolution.h"
#include "dnn/descriptors.h"

namespace sltt_cpu {

// Outputs of a window of `size` taps, `dilation` apart, that moves in steps of `stride` over `input`.
inline int output_size(int input, int size, int pad, int stride, int dilation) {
    return 1 + (input + 2 * pad - ((size - 1) * dilation + 1)) / stride;
}

// Throws where the descriptors are no convolution that is served.
void require_convolution(cudnnTensorDescriptor_t x, cudnnFilterDescriptor_t w, cudnnConvolutionDescriptor_t convolution);
ConvolutionShape convolution_shape(cudnnTensorDescriptor_t x, cudnnFilterDescriptor_t w, cudnnConvolutionDescriptor_t convolution,
                                   cudnnTensorDescriptor_t y);

}  // namespace sltt_cpu
