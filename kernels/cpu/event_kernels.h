// The inner loops of event-driven convolution, compiled once for each instruction set (event_kernels_tu.cpp).
// event_convolution.h says how they work together.
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace sltt_cpu {

// How numbers lie in memory; arithmetic is in float.
enum class Number : int { Float, Half, Bfloat16 };

// Channels that are looked at together: lists, blocks of channels and strips of lists are made of so many.
constexpr int EVENT_CHANNELS = 16;
// Numbers that a list may be written beyond its end.
constexpr int EVENT_SLACK = 16;

// A channel of a pixel that is not zero.
using Event = uint16_t;

// The events of one image for the forward pass: for each block of channels those of the first row's first pixel, of its second
// pixel and so on. An event is (column * block + channel in the block): where its filter row lies, counted from column 0.
struct ForwardLists {
    const void* x;  // (h, w, c)
    Number number;
    int c, h, w;
    int block;                      // channels, a power of two, a multiple of EVENT_CHANNELS
    const uint8_t *rows, *columns;  // (h), (w): 0 for rows and columns that no window touches
    Event* events;                  // room for h * w * (c in whole blocks) + EVENT_SLACK
    uint32_t* starts;               // (blocks, h, w + 1): a pixel's events are from its start to the next
};

// Rows of a filter as one pass over an image row reads them: (taps, block of channels, outputs).
struct FilterSlab {
    float* slab;  // (taps, channel_block, outputs), outputs beyond `k` are 0
    const void* filter;  // of the first output, tap and channel
    Number number;
    size_t output_stride;  // elements from an output to the next
    size_t tap_stride;     // elements from a tap to the next
    int taps, channels, channel_block;
    int k, outputs;  // outputs that there are, outputs in the slab (a whole number of vectors)
    float alpha;
};

// Some rows of outputs, of one or more images, from one row of the filter and a block of channels: sums (rows, columns, outputs) += filter
// rows of what fired under each window.
struct ForwardRows {
    float* sums;
    size_t pitch;  // floats from a column's sums to the next
    int columns, outputs;
    const float* slab;
    int taps, channel_shift;      // log2 of the block of channels
    int first_row, first_column;  // of the input, under the first tap of output row 0, column 0
    int stride_h, stride_w;
    int begin, end;      // rows of outputs, counted through all images
    int image_rows;      // of outputs
    int h, w, c;
    const Event* events;     // of the first image
    size_t events_pitch;     // events from an image's list to the next
    const uint32_t* starts;  // of the first image and the block of channels: (h, w + 1)
    size_t starts_pitch;
    const uint8_t* ones;     // by image: whether every event is 1
    const void* x;           // of the first image, from the block's first channel on
    Number number;
};

// The events of a strip of pixels for the weight gradient: of each channel those pixels at which it fired, by index in the strip.
struct GradientLists {
    const void* x;  // (pixels, c)
    Number number;
    int c;
    const uint16_t* pixels;  // those to look at, in order
    int pixel_count;
    Event* events;  // (c, capacity): appended to
    int capacity;
    uint16_t* counts;  // (c): events so far
};

// Gradients of up to 3 x 3 taps of some channels: sums += (value of the event) * (gradients that the window saw).
struct GradientTaps {
    float* sums;  // of the first channel and the tap that looks at the tile's first place; those of the next lie row_step, column_step floats further
    ptrdiff_t row_step, column_step, channel_step;
    int rows, columns, outputs;  // taps; outputs a multiple of the vector
    const char* tile;
    size_t tile_row;          // bytes
    const uint32_t* offsets;  // of each pixel's place in the tile, bytes
    int channels;
    const Event* events;  // of the first channel
    int capacity;         // from a channel's list to the next
    const uint16_t *begin, *end;  // of each channel's events; begin null: 0
    const void* values;   // null where every event is 1; else x at the strip's first pixel and the first channel
    Number number;
    int c;
};

struct EventKernels {
    int vector;          // floats in a register
    int forward_outputs;   // most outputs at a time
    int gradient_sums;     // most vectors of sums at a time
    int gradient_rows;     // most taps of a filter column at a time

    // Numbers that are not zero among `count`.
    size_t (*count)(const void* x, Number number, size_t count);
    // Both return whether every event is exactly 1.
    bool (*list_forward)(const ForwardLists&);
    bool (*list_gradient)(const GradientLists&);
    void (*pack)(const FilterSlab&);
    void (*forward)(const ForwardRows&);
    void (*gradient)(const GradientTaps&);
    // Places (width) = rows (count) of y in float, `pitch` elements apart; beyond count 0.
    void (*copy)(float* place, int width, const void* y, Number number, size_t pitch, int places, int count);
    // gradient (outputs k, taps, channels c) = alpha * sums + beta * gradient, with sums (c, taps, outputs).
    void (*unpack)(float* gradient, size_t output_stride, size_t tap_stride, const float* sums, int outputs, int k, int taps, int c, float alpha, float beta);
};

}  // namespace sltt_cpu
