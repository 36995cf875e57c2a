// 3x3 filters of stride 1 by Winograd's algorithm F(4x4, 3x3): a quarter of the multiplications. For the data gradient, and for the
// forward pass where fast_math allows its rounding.
//
// A tile of 4x4 numbers of the result comes from a patch of 6x6 numbers of the input (x forward, y for the data gradient). Patches and
// filters are transformed to 36 points each. At each point the convolution is a product of matrices, (tiles, in) by (in, out), and the
// 36 products are transformed back to tiles. Forward `in` and `out` are the channels c and k, for the data gradient k and c.
//
// A transformed filter takes four times its memory. So there are two orders of work:
//   filter first   Small filters are transformed whole. Then each thread computes some tiles, in its cache from patches to result.
//   tiles first    Layers with large filters have few tiles. The patches of many tiles are transformed first. Then each thread
//                  computes a panel of outputs (two vectors): it transforms the panel's filter in its cache, some input channels at a
//                  time, and never stores the filter whole.
//
// The result differs from the direct convolution's by about ten times that one's rounding. It is the same for any number of threads.
// docs/internals/winograd.md has the floor and the measurements.
#pragma once

#include "convolution.h"

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
    const int threads_, tiles_h_, tiles_w_, tiles_, panels_;  // tiles_: of all images
    bool filter_first_;
    int block_;                              // tiles that are computed together
    int share_;                              // input channels whose filters are transformed together
    size_t filter_point_, input_point_, product_point_;  // floats from a point to the next
    size_t pitch_;                           // floats from a tile's input to the next
    size_t filter_bytes_, input_bytes_, product_bytes_, workspace_;
};

// The plan of a pass. Null where the algorithm does not apply: other shapes, types and instruction sets, the weight gradient, and the
// forward pass without fast_math. Plans are made at the first call and live as long as the process.
const Winograd* winograd(ConvolutionPass pass, const ConvolutionShape& shape, Number type, LoopTarget target);

// Whether Winograd's algorithm is estimated to take clearly less time than the direct way.
bool winograd_is_faster(ConvolutionPass pass, const ConvolutionShape& shape, int level);

}  // namespace sltt_cpu
