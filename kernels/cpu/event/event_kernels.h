// The inner loops of event-driven convolution. event_kernels_tu.cpp is compiled for each instruction set and fills one EventKernels.
// event_convolution.h says how the loops work together.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "number_type.h"

namespace sltt_cpu {

// Channels whose activity is tested together. Blocks of channels and lists are multiples of it.
constexpr int EVENT_CHANNELS = 16;
// A list is written in whole vectors: it needs room for this many numbers beyond its end.
constexpr int EVENT_SLACK = 16;

// The index of something that is not zero: a channel of a pixel, or a pixel of a channel.
using Event = uint16_t;

// The events of one image for the forward pass: for each block of channels, rows in order, and in a row the pixels in order.
// An event is column * block + channel in the block: the offset of its filter row, counted from column 0.
struct ForwardLists {
    const void* x;  // (h, w, c)
    Number type;
    int c, h, w;
    int block;                      // channels, a power of two, a multiple of EVENT_CHANNELS
    const uint8_t *rows, *columns;  // (h), (w): 0 for rows and columns that no window touches
    Event* events;                  // room for h * w * (c in whole blocks) + EVENT_SLACK
    uint32_t* starts;               // (blocks, h, w + 1): a pixel's events lie between its start and the next one
};

// The part of a filter that one pass over an image row reads: (taps, channels of a block, outputs).
struct FilterSlab {
    float* slab;  // (taps, channel_block, outputs); outputs beyond `k` are 0
    const void* filter;  // of the first output, tap and channel
    Number type;
    size_t output_stride;  // elements from an output to the next
    size_t tap_stride;     // elements from a tap to the next
    int taps, channels, channel_block;
    int k, outputs;  // outputs of the filter, outputs of the slab (whole vectors)
    float alpha;
};

// Rows of outputs, of one or more images, from one filter row and one block of channels:
// sums (rows, columns, outputs) += the slab's rows of the events under each window.
struct ForwardRows {
    float* sums;
    size_t pitch;  // floats from a column's sums to the next
    int columns, outputs;
    const float* slab;
    int taps, channel_shift;      // log2 of the block of channels
    int first_row, first_column;  // of the input, under the first tap of output row 0, column 0
    int stride_h, stride_w;
    int begin, end;      // rows of outputs, counted through all images
    int image_rows;      // rows of outputs of one image
    int h, w, c;
    const Event* events;     // of the first image
    size_t events_pitch;     // events from an image's list to the next
    const uint32_t* starts;  // of the first image and the block of channels: (h, w + 1)
    size_t starts_pitch;
    const uint8_t* ones;     // by image: whether every event is 1
    const void* x;           // of the first image, from the block's first channel on
    Number type;
};

// The events of a strip of pixels for the weight gradient: for each channel the pixels at which it fired, by index in the strip.
struct GradientLists {
    const void* x;  // (pixels, c)
    Number type;
    int c;
    const uint16_t* pixels;  // the pixels to test, in order
    int pixel_count;
    Event* events;  // (c, capacity): appended to
    int capacity;
    uint16_t* counts;  // (c): events so far
};

// Weight gradients of up to 3 x 3 taps, for a group of channels: sums += (value of the event) * (gradients that the window saw).
struct GradientTaps {
    // Sums of the first channel and of the tap at the tile's first place. Those of the next taps and channels lie the steps further.
    float* sums;
    ptrdiff_t row_step, column_step, channel_step;  // floats
    int rows, columns, outputs;  // taps; outputs are whole vectors
    const char* tile;
    size_t tile_row;          // bytes
    const uint32_t* offsets;  // of each pixel's place in the tile, bytes
    int channels;
    const Event* events;  // of the first channel
    int capacity;         // from a channel's list to the next
    const uint16_t *begin, *end;  // of each channel's events; begin null: 0
    const void* values;   // null where every event is 1; else x at the strip's first pixel and the first channel
    Number type;
    int c;
};

struct EventKernels {
    int vector;               // floats in a register
    int max_forward_outputs;  // at a time
    int max_gradient_sums;    // vectors of sums at a time
    int max_gradient_rows;    // taps of a filter column at a time

    // How many of `count` numbers are not zero.
    size_t (*count)(const void* x, Number type, size_t count);
    // Both return whether every event is exactly 1.
    bool (*list_forward)(const ForwardLists&);
    bool (*list_gradient)(const GradientLists&);
    void (*pack)(const FilterSlab&);
    void (*forward)(const ForwardRows&);
    void (*gradient)(const GradientTaps&);
    // `places` places of `width` floats: each holds `count` numbers of y, widened, then zeros. y's rows are `pitch` elements apart.
    void (*copy)(float* place, int width, const void* y, Number type, size_t pitch, int places, int count);
    // gradient (outputs k, taps, channels c) = alpha * sums + beta * gradient, with sums (c, taps, outputs).
    void (*unpack)(float* gradient, size_t output_stride, size_t tap_stride, const float* sums, int outputs, int k, int taps, int c,
                   float alpha, float beta);
};

}  // namespace sltt_cpu
