// The two event-driven passes of a convolution. event_convolution.h decides whether they run.
#pragma once

#include <vector>

#include "convolution.h"
#include "event/event_kernels.h"

namespace sltt_cpu {

// Widest image served: indices of pixels and of filter rows in a slab have 16 bits.
constexpr int MAX_EVENT_WIDTH = 2048;

// Outputs [first, first + count), computed in `width` lanes. Only the last block may be partly empty.
struct OutputBlock {
    int first, count, width;
};

// y = alpha * conv(x, filter) + beta * y.
//
// Images are processed in groups whose lists of events fit the workspace. A thread computes a strip of output rows for one block
// of outputs. It walks through the filter in slabs that stay in its caches: the taps of one filter row, one block of channels.
// For each output it adds up, in registers, the slab's rows of the events under the window.
// The order of an output's sum is always the same: blocks of channels, filter rows, pixels, channels.
class EventForward {
public:
    EventForward(const ConvolutionShape& shape, Number type, const EventKernels& kernels, int threads);
    size_t workspace() const { return workspace_; }
    void run(const ConvolutionCall& call) const;

private:
    void list(const ConvolutionCall& call, int first_image, int slot) const;
    void add_up(const ConvolutionCall& call, int first_image, int images, int strip, const OutputBlock& block, char* scratch) const;

    const ConvolutionShape shape_;
    const Number type_;
    const EventKernels& kernels_;
    const int threads_;
    int taps_, channel_block_, channel_blocks_;
    bool in_place_;  // sums are made in y itself
    int group_, strip_rows_;
    std::vector<OutputBlock> blocks_;
    std::vector<uint8_t> rows_, columns_;  // which ones a window touches
    // In the workspace: lists for each image of a group. For each thread: slab and sums.
    size_t events_bytes_, starts_bytes_, slab_bytes_, sums_bytes_;
    size_t events_at_, starts_at_, ones_at_, workspace_;
};

// gradient = alpha * (gradient of the filter) + beta * gradient.
//
// Pixels are processed in strips: some rows of an image, or some images. For a strip each channel has a list of the pixels at
// which it fired. A thread computes one block of outputs for one group of channels. It copies the gradients of the outputs that
// saw the strip's pixels into a tile, with zeros around them, that fits the L1 cache. For each channel it then adds up, in
// registers, the tile's rows around each pixel of the list: up to 3 x 3 taps at a time.
// The order of a number's sum is always the same: strips, and in a strip the pixels.
class EventGradient {
public:
    EventGradient(const ConvolutionShape& shape, Number type, const EventKernels& kernels, int threads);
    size_t workspace() const { return workspace_; }
    void run(const ConvolutionCall& call) const;

private:
    // Taps of one dimension that pixels of one remainder (index modulo stride) meet at neighbouring outputs:
    // tap + i * step is seen by the output (index + pad) / stride - delta + i.
    struct Run {
        int tap, step, delta, count;
    };
    using Runs = std::vector<std::vector<Run>>;  // by remainder
    struct Strip {
        int image, images, h0, h1;
        int pixels(int width) const { return images * (h1 - h0) * width; }
    };
    // Where a strip's gradients lie: image_rows rows of `pitch` places an image, `lead` zeros before a row's first output.
    struct Tile {
        int first_row, rows, image_rows, lead, pitch, places;
    };

    static Runs runs(int taps, int dilation, int stride, int pad, int max_count);
    Tile tile_of(const Strip& strip) const;
    void make_strips();
    void list(const ConvolutionCall& call, const Strip& strip, int slot) const;
    void fill(const ConvolutionCall& call, const Strip& strip, const Tile& tile, const OutputBlock& block, float* to) const;
    void add_up(const ConvolutionCall& call, int first_strip, int strips, const OutputBlock& block, int first_channel, float* gradient,
                float alpha, float beta, char* scratch) const;
    // The strip's pixels with remainders (i, j), by index in the strip.
    int pixels_of(const Strip& strip, int i, int j, uint16_t* pixels) const;

    const ConvolutionShape shape_;
    const Number type_;
    const EventKernels& kernels_;
    const int threads_;
    Runs row_runs_, column_runs_;
    int classes_;               // pairs of remainders
    std::vector<int> columns_;  // for each input column the output column under the first tap, counted from the leftmost
    std::vector<OutputBlock> blocks_;
    std::vector<Strip> strips_;
    int capacity_, group_, channel_group_;
    size_t lists_bytes_, counts_bytes_, tile_bytes_, sums_bytes_;
    size_t lists_at_, counts_at_, ones_at_, total_at_, workspace_;
};

}  // namespace sltt_cpu
