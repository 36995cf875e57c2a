// 3x3 filters of stride 1 by Winograd's algorithm F(4x4, 3x3): a quarter of the multiplications. The data gradient, and the forward pass.
//
// A tile of 4x4 numbers of the result is made from a patch of 6x6 of the input (y for the data gradient, x forward). Patches and filters are transformed to 36 points
// each, where the convolution is 36 products of (tiles, in) by (in, out) matrices, and the products are transformed back to tiles; in and out are
// the channels k and c of the data gradient, c and k forward. out is worked on in panels of a few vectors. Transformed, a filter takes four times its memory, so that there are two orders of work:
//   filter first   small filters are transformed once; then a few tiles at a time, in a thread's cache from patches to result.
//   tiles first    large filters belong to layers with few tiles: the patches of many tiles at once; then by panel, whose filter is
//                  transformed a share of the input channels at a time in a thread's cache and never stored as a whole.
//
// A result is the direct convolution's within a rounding that is some ten times larger, the same for any number of threads. Such a rounding can
// flip a spike, so forward is done so only where asked for (fast_math). docs/winograd.md: the floor, and what was measured.
#pragma once

#include "dnn_convolution_plan.h"

namespace sltt_cpu {

struct WinogradKernels;

class Winograd {
public:
    Winograd(ConvolutionPass pass, const ConvolutionShape& shape, const WinogradKernels& kernels, int threads);
    size_t workspace() const { return workspace_; }
    // result = alpha * convolution + beta * result
    void run(const ConvolutionCall& call) const;

private:
    void filter_first(const ConvolutionCall& call) const;
    void tiles_first(const ConvolutionCall& call) const;
    void transform_filter(const ConvolutionCall& call, int out, int in, int count, float* to, size_t point_stride) const;
    void transform_input(const ConvolutionCall& call, int first, int tiles, float* to) const;
    void transform_output(const ConvolutionCall& call, int out, int first, int tiles, const float* products) const;

    struct Map {
        int h, w, channels;
    };
    const bool forward_;
    const Map in_, out_;
    const int pad_;  // zeros above and left of the input
    const WinogradKernels& kernels_;
    const int threads_, tiles_h_, tiles_w_, tiles_, panels_;  // tiles of all images
    bool filter_first_;
    int block_;                              // tiles that are worked on together
    int share_;                              // input channels whose filters are transformed together
    size_t filter_point_, pitch_, input_point_, product_point_;  // floats from a point to the next; pitch: from a tile's input to the next
    size_t filter_bytes_, input_bytes_, product_bytes_, workspace_;
};

// A pass of the shape, planned; null where it can't be done so: other shapes, types and instruction sets, the filter's gradient, and forward
// without fast_math.
const Winograd* winograd(ConvolutionPass pass, const ConvolutionShape& shape, cudnnDataType_t type);

// Whether it takes clearly less time than the direct way, by a rule.
bool winograd_is_faster(ConvolutionPass pass, const ConvolutionShape& shape);

}  // namespace sltt_cpu
