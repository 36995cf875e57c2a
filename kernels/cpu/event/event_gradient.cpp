// The event-driven weight gradient. event_passes.h has the idea.
#include <omp.h>

#include <algorithm>
#include <cstring>

#include "event/event_passes.h"
#include "scratch.h"

namespace sltt_cpu {
namespace {

constexpr size_t GROUP_BYTES = 1 << 20;  // of the lists of a group of strips
constexpr size_t TILE_BYTES = 32 << 10;  // of a tile of gradients: an L1 cache
constexpr size_t SUMS_BYTES = 80 << 10;  // of a thread's sums: a share of an L2 cache
constexpr int MAX_STRIP_PIXELS = 256;
constexpr int MIN_CHANNELS = 16;         // of a group; below it, filling the tile costs more than it saves

int floor_divide(int a, int b) { return a >= 0 ? a / b : -((b - 1 - a) / b); }

}  // namespace

EventGradient::Runs EventGradient::runs(int taps, int dilation, int stride, int pad, int max_count) {
    Runs out(stride);
    for (int i = 0; i < stride; ++i) {
        int m = (i + pad) % stride;
        std::vector<Run>& found = out[i];
        // The last tap meets the first output, so the loop begins there.
        for (int tap = taps - 1; tap >= 0; --tap) {
            if ((tap * dilation - m) % stride != 0) continue;
            int delta = (tap * dilation - m) / stride;
            Run* last = found.empty() ? nullptr : &found.back();
            if (last != nullptr && last->count < max_count && delta == last->delta - last->count) {
                if (last->count++ == 1) last->step = tap - last->tap;
            } else {
                found.push_back({tap, 0, delta, 1});
            }
        }
    }
    return out;
}

EventGradient::Tile EventGradient::tile_of(const Strip& strip) const {
    const ConvolutionShape& s = shape_;
    Tile t;
    t.first_row = floor_divide(strip.h0 + s.pad_h - (s.r - 1) * s.dilation_h, s.stride_h);
    int last_row = (strip.h1 - 1 + s.pad_h) / s.stride_h;
    t.rows = last_row - t.first_row + 1;
    // Neighbours share their zeros: those below an image lie above the next one, those right of a row lie left of the next row.
    int shared = strip.images > 1 ? std::min(std::max(0, -t.first_row), std::max(0, last_row - (s.p - 1))) : 0;
    t.image_rows = t.rows - shared;
    int first_column = floor_divide(s.pad_w - (s.s - 1) * s.dilation_w, s.stride_w), last_column = (s.w - 1 + s.pad_w) / s.stride_w;
    int left = std::max(0, -first_column), right = std::max(0, last_column - (s.q - 1));
    t.lead = left;
    t.pitch = s.q + std::max(left, right);
    t.places = (strip.images * t.image_rows + shared) * t.pitch + left + right;
    return t;
}

void EventGradient::make_strips() {
    const ConvolutionShape& s = shape_;
    size_t place = blocks_[0].width * sizeof(float);
    auto fits = [&](const Strip& strip) {
        return strip.pixels(s.w) <= MAX_STRIP_PIXELS && tile_of(strip).places * place <= TILE_BYTES;
    };
    int images = 0, rows = 1;
    while (images < s.n && fits({0, images + 1, 0, s.h})) ++images;
    if (images > 0) {
        for (int n = 0; n < s.n; n += images) strips_.push_back({n, std::min(images, s.n - n), 0, s.h});
        return;
    }
    while (rows < s.h && fits({0, 1, 0, rows + 1})) ++rows;
    int pieces = (s.h + rows - 1) / rows;
    for (int n = 0; n < s.n; ++n)
        for (int i = 0; i < pieces; ++i) strips_.push_back({n, 1, s.h * i / pieces, s.h * (i + 1) / pieces});
}

EventGradient::EventGradient(const ConvolutionShape& s, Number type, const EventKernels& kernels, int threads)
    : shape_(s), type_(type), kernels_(kernels), threads_(threads),
      row_runs_(runs(s.r, s.dilation_h, s.stride_h, s.pad_h, kernels_.max_gradient_rows)),
      column_runs_(runs(s.s, s.dilation_w, s.stride_w, s.pad_w, 3)), classes_(s.stride_h * s.stride_w) {
    auto longest = [](const Runs& runs) {
        int count = 1;
        for (const std::vector<Run>& of_remainder : runs)
            for (const Run& run : of_remainder) count = std::max(count, run.count);
        return count;
    };
    int vectors = 4;
    while (vectors > 1 && longest(row_runs_) * longest(column_runs_) * vectors > kernels_.max_gradient_sums) vectors /= 2;
    for (int k = 0; k < s.k;) {
        int left = s.k - k, width = vectors;
        while (width > 1 && left <= width / 2 * kernels_.vector) width /= 2;
        blocks_.push_back({k, std::min(left, width * kernels_.vector), width * kernels_.vector});
        k += blocks_.back().count;
    }
    for (int w = 0; w < s.w; ++w) columns_.push_back((w + s.pad_w) / s.stride_w);
    make_strips();

    int pixels = 0, places = 0;
    for (const Strip& strip : strips_) {
        pixels = std::max(pixels, strip.pixels(s.w));
        places = std::max(places, tile_of(strip).places);
    }
    capacity_ = (pixels + EVENT_SLACK + 7) / 8 * 8;
    lists_bytes_ = whole_lines((size_t)s.c * capacity_ * sizeof(Event));
    counts_bytes_ = whole_lines((size_t)classes_ * s.c * sizeof(uint16_t));
    // Large lists are made in groups of strips. The groups add up in float, so that a 16-bit gradient is rounded once.
    group_ = (int)std::clamp<size_t>(GROUP_BYTES / (lists_bytes_ + counts_bytes_), 1, strips_.size());

    size_t channel_bytes = (size_t)s.r * s.s * blocks_[0].width * sizeof(float);
    channel_group_ = (int)std::clamp<size_t>(SUMS_BYTES / channel_bytes / 8 * 8, 8, (s.c + 7) / 8 * 8);
    auto items = [&] { return (s.c + channel_group_ - 1) / channel_group_ * (int)blocks_.size(); };
    while (channel_group_ > MIN_CHANNELS && items() < 2 * threads) channel_group_ = (channel_group_ / 2 + 7) / 8 * 8;

    tile_bytes_ = whole_lines(places * blocks_[0].width * sizeof(float));
    sums_bytes_ = whole_lines(channel_group_ * channel_bytes);
    lists_at_ = 0;
    counts_at_ = lists_at_ + group_ * lists_bytes_;
    ones_at_ = counts_at_ + group_ * counts_bytes_;
    total_at_ = ones_at_ + whole_lines(group_);
    workspace_ = total_at_ + (type == Number::Float ? 0 : whole_lines(s.filter_count() * sizeof(float)));
}

void EventGradient::run(const ConvolutionCall& call) const {
    bool floats = type_ == Number::Float;
    float* gradient = floats ? static_cast<float*>(call.filter) : reinterpret_cast<float*>(static_cast<char*>(call.workspace) + total_at_);
    float alpha = floats ? call.alpha : 1, beta = floats ? call.beta : 0;
    int all = (int)strips_.size(), channel_groups = (shape_.c + channel_group_ - 1) / channel_group_;
    int items = channel_groups * (int)blocks_.size();
    const size_t thread_bytes = tile_bytes_ + sums_bytes_;
    char* scratch = scratch_memory(threads_ * thread_bytes);
#pragma omp parallel num_threads(threads_)
    for (int first = 0; first < all; first += group_) {
        int strips = std::min(group_, all - first);
#pragma omp for schedule(dynamic)
        for (int i = 0; i < strips; ++i) list(call, strips_[first + i], i);
#pragma omp for schedule(dynamic)
        for (int item = 0; item < items; ++item)
            add_up(call, first, strips, blocks_[item / channel_groups], item % channel_groups * channel_group_, gradient, alpha,
                   first == 0 ? beta : 1, scratch + omp_get_thread_num() * thread_bytes);
    }
    if (!floats) blend_parallel(call.filter, type_, gradient, call.alpha, call.beta, shape_.filter_count());
}

int EventGradient::pixels_of(const Strip& strip, int i, int j, uint16_t* pixels) const {
    int count = 0, rows = strip.h1 - strip.h0;
    for (int image = 0; image < strip.images; ++image)
        for (int h = strip.h0; h < strip.h1; ++h) {
            if (h % shape_.stride_h != i) continue;
            for (int w = j; w < shape_.w; w += shape_.stride_w) pixels[count++] = (uint16_t)((image * rows + h - strip.h0) * shape_.w + w);
        }
    return count;
}

void EventGradient::list(const ConvolutionCall& call, const Strip& strip, int slot) const {
    const ConvolutionShape& s = shape_;
    char* workspace = static_cast<char*>(call.workspace);
    Event* events = reinterpret_cast<Event*>(workspace + lists_at_ + slot * lists_bytes_);
    uint16_t* counts = reinterpret_cast<uint16_t*>(workspace + counts_at_ + slot * counts_bytes_);
    const void* x = element(call.x, type_, ((size_t)strip.image * s.h + strip.h0) * s.w * s.c);
    std::vector<uint16_t> pixels(strip.pixels(s.w));
    bool ones = true;
    memset(counts, 0, s.c * sizeof *counts);
    for (int i = 0; i < s.stride_h; ++i)
        for (int j = 0; j < s.stride_w; ++j) {
            if (i + j > 0) {
                memcpy(counts + s.c, counts, s.c * sizeof *counts);
                counts += s.c;
            }
            if (row_runs_[i].empty() || column_runs_[j].empty()) continue;
            int count = pixels_of(strip, i, j, pixels.data());
            ones &= kernels_.list_gradient({x, type_, s.c, pixels.data(), count, events, capacity_, counts});
        }
    workspace[ones_at_ + slot] = ones;
}

void EventGradient::fill(const ConvolutionCall& call, const Strip& strip, const Tile& tile, const OutputBlock& block, float* to) const {
    const ConvolutionShape& s = shape_;
    auto zero = [&](float* from, int places) { memset(from, 0, (size_t)places * block.width * sizeof(float)); };
    float* end = to;
    for (int image = 0; image < strip.images; ++image)
        for (int row = 0; row < tile.rows; ++row) {
            int p = tile.first_row + row;
            float* place = to + (size_t)(image * tile.image_rows + row) * tile.pitch * block.width;
            end = place + (size_t)tile.pitch * block.width;
            if (p < 0 || p >= s.p) {
                zero(place, tile.pitch);
                continue;
            }
            zero(place, tile.lead);
            place += (size_t)tile.lead * block.width;
            size_t y = (((size_t)(strip.image + image) * s.p + p) * s.q) * s.k + block.first;
            kernels_.copy(place, block.width, element(call.y, type_, y), type_, s.k, s.q, block.count);
            zero(place + (size_t)s.q * block.width, tile.pitch - tile.lead - s.q);
        }
    zero(end, tile.places - (int)((end - to) / block.width));
}

void EventGradient::add_up(const ConvolutionCall& call, int first_strip, int strips, const OutputBlock& block, int first_channel,
                           float* gradient, float alpha, float beta, char* scratch) const {
    const ConvolutionShape& s = shape_;
    char* workspace = static_cast<char*>(call.workspace);
    float* tile_memory = reinterpret_cast<float*>(scratch);
    const char* tile_bytes = scratch;
    float* sums = reinterpret_cast<float*>(scratch + tile_bytes_);
    int channels = std::min(channel_group_, s.c - first_channel), taps = s.r * s.s;
    size_t place = block.width * sizeof(float), item = bytes_of(type_);
    memset(sums, 0, (size_t)channels * taps * place);
    uint32_t offsets[MAX_EVENT_WIDTH];

    for (int i = 0; i < strips; ++i) {
        const Strip& strip = strips_[first_strip + i];
        Tile tile = tile_of(strip);
        fill(call, strip, tile, block, tile_memory);
        uint32_t* offset = offsets;
        for (int image = 0; image < strip.images; ++image)
            for (int h = strip.h0; h < strip.h1; ++h) {
                int row = (image * tile.image_rows + (h + s.pad_h) / s.stride_h - tile.first_row) * tile.pitch + tile.lead;
                for (int w = 0; w < s.w; ++w) *offset++ = (uint32_t)((row + columns_[w]) * place);
            }
        const Event* events = reinterpret_cast<const Event*>(workspace + lists_at_ + i * lists_bytes_);
        const uint16_t* counts = reinterpret_cast<const uint16_t*>(workspace + counts_at_ + i * counts_bytes_);
        const char* x = static_cast<const char*>(call.x) + ((size_t)strip.image * s.h + strip.h0) * s.w * s.c * item;
        bool ones = workspace[ones_at_ + i];
        for (int kind = 0; kind < classes_; ++kind)
            for (const Run& rows : row_runs_[kind / s.stride_w])
                for (const Run& columns : column_runs_[kind % s.stride_w])
                    kernels_.gradient({sums + (rows.tap * s.s + columns.tap) * block.width, (ptrdiff_t)rows.step * s.s * block.width,
                                       (ptrdiff_t)columns.step * block.width, (ptrdiff_t)taps * block.width, rows.count, columns.count,
                                       block.width, tile_bytes - ((ptrdiff_t)rows.delta * tile.pitch + columns.delta) * (ptrdiff_t)place,
                                       tile.pitch * place, offsets, channels, events + (size_t)first_channel * capacity_, capacity_,
                                       kind == 0 ? nullptr : counts + (kind - 1) * s.c + first_channel,
                                       counts + kind * s.c + first_channel, ones ? nullptr : x + first_channel * item, type_, s.c});
    }
    kernels_.unpack(gradient + ((size_t)block.first * taps) * s.c + first_channel, (size_t)taps * s.c, s.c, sums, block.width, block.count,
                    taps, channels, alpha, beta);
}

}  // namespace sltt_cpu
