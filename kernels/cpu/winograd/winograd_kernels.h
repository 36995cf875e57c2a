// The inner loops of Winograd's convolution F(4x4, 3x3). winograd_kernels_tu.cpp is compiled for each instruction set and fills one
// WinogradKernels. winograd.h says how the loops work together.
#pragma once

#include <stddef.h>

namespace sltt_cpu {

constexpr int WINOGRAD_TILE = 4;     // outputs of a tile, each way
constexpr int WINOGRAD_PATCH = 6;    // inputs of a tile, each way
constexpr int WINOGRAD_POINTS = 36;  // products for a pair of channels: WINOGRAD_PATCH squared

// Transforms a filter (k, 3, 3, c), one panel of outputs: to points (36, in, panel). Outputs beyond the last are 0.
// Forward: `in` is c and the outputs are k. Data gradient: `in` is k, the outputs are c, and the filter is turned by 180 degrees.
struct WinogradFilter {
    const float* filter;  // at the panel's first output and the first input channel
    int k;                // input channels; forward a multiple of 16
    int outputs;          // from the panel's first to the filter's last
    size_t row;           // floats from a k of the filter to the next: 9 c
    float alpha;
    float* points;
    size_t point_stride;  // floats from a point to the next
};

// Patches of an image for `tiles` tiles: (36, tiles, k), `pitch` floats from a tile to the next, zeros around the image.
struct WinogradInput {
    const float* input;  // (images, h, w, k)
    int h, w, k, pad;
    int tiles_h, tiles_w;
    int first, tiles;  // of all images' tiles
    float* points;
    size_t pitch, point_stride;
};

// products (rows, panel) = input (rows, k) * filter (k, panel), or += where `add`.
struct WinogradProduct {
    const float* input;
    size_t pitch;  // floats from a row to the next
    const float* filter;
    float* products;
    int rows, k;
    bool add;
};

// Tiles of the result, from (36, tiles, panel): output = tiles + beta * output.
struct WinogradOutput {
    const float* products;
    size_t point_stride;
    float* output;  // (images, h, w, c), at the panel's first channel
    int channels;   // of the panel, as far as the output has them: a multiple of 16
    int h, w, c;
    int tiles_h, tiles_w;
    int first, tiles;
    float beta;
};

struct WinogradKernels {
    int panel;  // outputs that are computed together
    int rows;   // tiles that are multiplied together
    void (*filter)(const WinogradFilter&);          // for the data gradient
    void (*filter_forward)(const WinogradFilter&);
    void (*input)(const WinogradInput&);
    void (*multiply)(const WinogradProduct&);
    void (*output)(const WinogradOutput&);
};

}  // namespace sltt_cpu
