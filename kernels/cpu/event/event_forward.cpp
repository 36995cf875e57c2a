// The event-driven forward pass. event_passes.h has the idea.
#include <omp.h>

#include <algorithm>
#include <cstring>

#include "event/event_passes.h"
#include "scratch.h"

namespace sltt_cpu {
namespace {

constexpr size_t GROUP_BYTES = 1 << 20;  // of the lists of a group of images
constexpr int SLAB_ROWS = 192;           // filter rows in a slab: 48 KiB with 64 outputs, a small share of an L2 cache
constexpr int MAX_STRIP_PIXELS = 1024;   // outputs that a slab is packed for
constexpr int MIN_STRIP_PIXELS = 128;    // below it, packing the slab costs more than it saves

}  // namespace

EventForward::EventForward(const ConvolutionShape& s, Number type, const EventKernels& kernels, int threads)
    : shape_(s), type_(type), kernels_(kernels), threads_(threads), rows_(s.h), columns_(s.w) {
    // Taps of a dilated filter are not neighbours: a slab holds one of them.
    taps_ = s.dilation_w == 1 ? s.s : 1;
    channel_block_ = EVENT_CHANNELS;
    while (2 * channel_block_ * taps_ <= SLAB_ROWS && 2 * channel_block_ * s.w <= 1 << 16 && channel_block_ < s.c) channel_block_ *= 2;
    channel_blocks_ = (s.c + channel_block_ - 1) / channel_block_;
    for (int k = 0; k < s.k;) {
        int width = 16, left = s.k - k;
        while (width < kernels_.max_forward_outputs && (left >= 2 * width || (left > width && left % 16 != 0))) width *= 2;
        blocks_.push_back({k, std::min(width, left), width});
        k += width;
    }
    in_place_ = type == Number::Float && s.k % 16 == 0;
    for (int p = 0; p < s.p; ++p)
        for (int r = 0; r < s.r; ++r) {
            int row = p * s.stride_h - s.pad_h + r * s.dilation_h;
            if (row >= 0 && row < s.h) rows_[row] = 1;
        }
    for (int q = 0; q < s.q; ++q)
        for (int t = 0; t < s.s; ++t) {
            int column = q * s.stride_w - s.pad_w + t * s.dilation_w;
            if (column >= 0 && column < s.w) columns_[column] = 1;
        }

    events_bytes_ = whole_lines((s.x_image() + EVENT_SLACK) * sizeof(Event));
    starts_bytes_ = whole_lines((size_t)channel_blocks_ * s.h * (s.w + 1) * sizeof(uint32_t));
    group_ = (int)std::clamp<size_t>(GROUP_BYTES / (events_bytes_ + starts_bytes_), 1, s.n);
    int rows = std::min(group_, s.n) * s.p;
    strip_rows_ = std::max(1, MAX_STRIP_PIXELS / s.q);
    while (strip_rows_ * s.q > MIN_STRIP_PIXELS && strip_rows_ > 1 &&
           (rows + strip_rows_ - 1) / strip_rows_ * (int)blocks_.size() < 2 * threads)
        strip_rows_ = (strip_rows_ + 1) / 2;

    slab_bytes_ = (size_t)taps_ * channel_block_ * kernels_.max_forward_outputs * sizeof(float);
    sums_bytes_ = in_place_ ? 0 : (size_t)strip_rows_ * s.q * kernels_.max_forward_outputs * sizeof(float);
    events_at_ = 0;
    starts_at_ = events_at_ + group_ * events_bytes_;
    ones_at_ = starts_at_ + group_ * starts_bytes_;
    workspace_ = ones_at_ + whole_lines(group_);
}

void EventForward::run(const ConvolutionCall& call) const {
    const size_t thread_bytes = slab_bytes_ + sums_bytes_;
    char* scratch = scratch_memory(threads_ * thread_bytes);
#pragma omp parallel num_threads(threads_)
    for (int first = 0; first < shape_.n; first += group_) {
        int images = std::min(group_, shape_.n - first);
#pragma omp for schedule(dynamic)
        for (int i = 0; i < images; ++i) list(call, first, i);
        int strips = (images * shape_.p + strip_rows_ - 1) / strip_rows_;
#pragma omp for schedule(dynamic)
        for (int item = 0; item < strips * (int)blocks_.size(); ++item)
            add_up(call, first, images, item % strips, blocks_[item / strips], scratch + omp_get_thread_num() * thread_bytes);
    }
}

void EventForward::list(const ConvolutionCall& call, int first_image, int slot) const {
    char* workspace = static_cast<char*>(call.workspace);
    const ConvolutionShape& s = shape_;
    bool ones =
        kernels_.list_forward({element(call.x, type_, (first_image + slot) * s.x_image()), type_, s.c, s.h, s.w, channel_block_,
                               rows_.data(), columns_.data(), reinterpret_cast<Event*>(workspace + events_at_ + slot * events_bytes_),
                               reinterpret_cast<uint32_t*>(workspace + starts_at_ + slot * starts_bytes_)});
    workspace[ones_at_ + slot] = ones;
}

void EventForward::add_up(const ConvolutionCall& call, int first_image, int images, int strip, const OutputBlock& block,
                          char* scratch) const {
    const ConvolutionShape& s = shape_;
    char* workspace = static_cast<char*>(call.workspace);
    float* slab = reinterpret_cast<float*>(scratch);
    int begin = strip * strip_rows_, end = std::min(begin + strip_rows_, images * s.p);
    size_t y_at = ((size_t)first_image * s.p + begin) * s.q * s.k + block.first;

    // The sums of pixel i of the strip begin at sums + i * pitch.
    float* sums = in_place_ ? static_cast<float*>(call.y) + y_at : reinterpret_cast<float*>(scratch + slab_bytes_);
    size_t pitch = in_place_ ? s.k : block.width, pixels = (size_t)(end - begin) * s.q;
    for (size_t i = 0; i < pixels; ++i) {
        float* to = sums + i * pitch;
        if (!in_place_ || call.beta == 0)
            memset(to, 0, block.width * sizeof(float));
        else if (call.beta != 1)
            for (int k = 0; k < block.width; ++k) to[k] *= call.beta;
    }

    for (int cb = 0; cb < channel_blocks_; ++cb) {
        int c0 = cb * channel_block_, channels = std::min(channel_block_, s.c - c0);
        for (int r = 0; r < s.r; ++r)
            for (int tap = 0; tap < s.s; tap += taps_) {
                size_t tap_at = ((size_t)block.first * s.r * s.s + r * s.s + tap) * s.c + c0;
                kernels_.pack({slab, element(call.filter, type_, tap_at), type_, (size_t)s.r * s.s * s.c, (size_t)s.c, taps_, channels,
                               channel_block_, block.count, block.width, call.alpha});
                kernels_.forward({sums,
                                  pitch,
                                  s.q,
                                  block.width,
                                  slab,
                                  taps_,
                                  __builtin_ctz((unsigned)channel_block_),
                                  r * s.dilation_h - s.pad_h,
                                  tap * s.dilation_w - s.pad_w,
                                  s.stride_h,
                                  s.stride_w,
                                  begin,
                                  end,
                                  s.p,
                                  s.h,
                                  s.w,
                                  s.c,
                                  reinterpret_cast<const Event*>(workspace + events_at_),
                                  events_bytes_ / sizeof(Event),
                                  reinterpret_cast<const uint32_t*>(workspace + starts_at_) + (size_t)cb * s.h * (s.w + 1),
                                  starts_bytes_ / sizeof(uint32_t),
                                  reinterpret_cast<const uint8_t*>(workspace + ones_at_),
                                  element(call.x, type_, first_image * s.x_image() + c0),
                                  type_});
            }
    }
    if (in_place_) return;
    for (size_t i = 0; i < pixels; ++i)
        blend(element(call.y, type_, y_at + i * s.k), type_, sums + i * pitch, 1, call.beta, block.count);
}

}  // namespace sltt_cpu
