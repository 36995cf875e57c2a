// The data gradient of 3x3 filters by Winograd's algorithm F(4x4, 3x3): a quarter of the multiplications.
//
// A tile of 4x4 numbers of the result is made from a patch of 6x6 of the gradient y. Patches and filters are transformed to 36 points
// each, where the convolution is 36 products of (tiles, k) by (k, c) matrices, and the products are transformed back to tiles. c is worked
// on in panels of a few vectors. Transformed, a filter takes four times its memory, so that there are two orders of work:
//   filter first   small filters are transformed once; then a few tiles at a time, in a thread's cache from patches to result.
//   tiles first    large filters belong to layers with few tiles: the patches of many tiles at once; then by panel, whose filter is
//                  transformed a share of k at a time in a thread's cache and never stored as a whole.
//
// A result is the direct convolution's within a rounding that is some ten times larger, the same for any number of threads. Forward is not
// done so: such a rounding could flip a spike. docs/winograd.md: the floor, and what was measured.
#pragma once

#include "dnn_convolution_plan.h"

namespace sltt_cpu {

struct WinogradKernels;

class Winograd {
public:
    Winograd(const ConvolutionShape& shape, const WinogradKernels& kernels, int threads);
    size_t workspace() const { return workspace_; }
    // x = alpha * gradient + beta * x
    void run(const ConvolutionCall& call) const;

private:
    void filter_first(const ConvolutionCall& call) const;
    void tiles_first(const ConvolutionCall& call) const;
    void transform_filter(const ConvolutionCall& call, int c, int k, int count, float* to, size_t point_stride) const;
    void transform_input(const ConvolutionCall& call, int first, int tiles, float* to) const;
    void transform_output(const ConvolutionCall& call, int c, int first, int tiles, const float* products) const;

    const ConvolutionShape shape_;
    const WinogradKernels& kernels_;
    const int threads_, tiles_h_, tiles_w_, tiles_, panels_;  // tiles of all images
    bool filter_first_;
    int block_;                              // tiles that are worked on together
    int k_share_;                            // k whose filters are transformed together
    size_t filter_point_, pitch_, input_point_, product_point_;  // floats from a point to the next; pitch: from a tile's input to the next
    size_t filter_bytes_, input_bytes_, product_bytes_, workspace_;
};

// The data gradient of the shape in float, planned; null where the direct way is faster or the only one.
const Winograd* winograd(const ConvolutionShape& shape);

}  // namespace sltt_cpu
