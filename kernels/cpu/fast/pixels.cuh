// Pixels of images (n, h, w, channels), for kernels that find their inputs from the pixel's place.
#pragma once
#include "memory.cuh"
#include "work.cuh"

namespace sltt {

// f(lanes, pixel, c, prepare(image, line, column)) for every pack of channels of every pixel.
template <class T, class Prepare, class F> inline void for_pixel_packs(int n, int h, int w, int channels, Prepare prepare, F f) {
    Share s = block_share((int64_t)n * h * w, 1);
    for (int64_t pixel = s.begin; pixel < s.end; ++pixel) {
        int64_t line = pixel / w, image = line / h;
        auto prepared = prepare((int)image, (int)(line - image * h), (int)(pixel - line * w));
        each_pack(0, channels, [&](auto lanes, int64_t c) { f(lanes, pixel, (int)c, prepared); });
    }
}

}  // namespace sltt
