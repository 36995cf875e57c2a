// Pixels of images (n, h, w, channels), for kernels that find their inputs from the pixel's place.
#pragma once
#include "memory.cuh"
#include "work.cuh"

namespace sltt {

// Indices in 32 bits: a division takes a quarter of one in 64 bits.
template <int V, class Prepare, class F>
__device__ inline void for_packs_of_pixels(unsigned n, unsigned h, unsigned w, unsigned channels, Prepare& prepare, F& f) {
    unsigned packs = channels / V, total = n * h * w * packs, stride = gridDim.x * blockDim.x;
    for (unsigned p = blockIdx.x * blockDim.x + threadIdx.x; p < total; p += stride) {
        unsigned pixel = p / packs, line = pixel / w, image = line / h;
        f(Lanes<V>{}, (int64_t)pixel, (int)((p - pixel * packs) * V),
          prepare((int)image, (int)(line - image * h), (int)(pixel - line * w)));
    }
}

// f(lanes, pixel, c, prepare(image, line, column)) for every pack of channels of every pixel. Fewer than 2^31 elements.
template <class T, class Prepare, class F> __device__ inline void for_pixel_packs(int n, int h, int w, int channels, Prepare prepare, F f) {
    constexpr int V = pack_width<T>;
    if (channels % V == 0) for_packs_of_pixels<V>(n, h, w, channels, prepare, f);
    else for_packs_of_pixels<1>(n, h, w, channels, prepare, f);
}

}  // namespace sltt
