// expand_frames: makes the inputs of time steps t, t + 1, ... from event frames stored as small integers.
//
//   x[s][i][y][j][k] = frames[min(t + s, stored-1)][i][k][y][j] scale[k] + shift[k],   t: RunState's, s = 0 to steps-1
//
// frames (stored, n, c, h, w) u8, u16 or f32; x (steps, n, h, w, c), NHWC, type T; scale, shift (c) float.
// Bytes an element (type of b bytes): reads 1, 2 or 4, writes b. Overwrites x. Numerics: float, rounded once.
#include "common/sltt.cuh"

namespace sltt {

template <class T, class U>
__device__ inline void expand_frame(T* x, const U* frame, const float* scale, const float* shift, int n, int c, int h, int w) {
    int64_t plane = (int64_t)h * w;
    auto first = [=](int64_t line) { return (line / h * c * h + line % h) * w; };  // where the line begins in channel 0
    if (c == 2) {                                                                  // on and off events: both channels of a pixel at once
        float scale0 = scale[0], scale1 = scale[1], shift0 = shift[0], shift1 = shift[1];
        specialise(bypasses_cache(sizeof(T) * n * c * plane), [&](auto bypass) {
            for_line_packs((int64_t)n * h, w, first, [=](auto lanes, int64_t line, int64_t j, int64_t start) {
                constexpr int V = decltype(lanes)::value;
                Pack<V> on = load_counts<V>(frame, start + j) * scale0 + shift0,
                        off = load_counts<V>(frame, start + j + plane) * scale1 + shift1;
                int64_t to = (line * w + j) * 2;
                if (bypass) store_interleaved<V, BYPASS>(x, to, on, off);
                else store_interleaved<V, KEEP>(x, to, on, off);
            });
            if (bypass) bypass_done();
        });
    } else {
        for_lines((int64_t)n * h, w, first, [=](int64_t line, int j, int64_t start) {
            int64_t to = (line * w + j) * c;
            for (int k = 0; k < c; ++k) x[to + k] = from_float<T>((float)frame[start + j + k * plane] * scale[k] + shift[k]);
        });
    }
}

template <class T, class U>
__device__ inline void expand_frames(T* x, const U* frames, const RunState* state, const float* scale, const float* shift, int steps,
                                     int stored, int n, int c, int h, int w) {
    const int64_t size = (int64_t)n * c * h * w;
    for_steps(steps, [=](int step) {
        int t = state->t + step < stored ? state->t + step : stored - 1;
        expand_frame(x + step * size, frames + t * size, scale, shift, n, c, h, w);
    });
}

#define ELEMENT(T, suffix, U, element)                                                                                    \
    SLTT_KERNEL(expand_frames_##element##_##suffix,                                                                       \
                (T* __restrict__ x, const U* __restrict__ frames, const RunState* state, const float* __restrict__ scale, \
                 const float* __restrict__ shift, int steps, int stored, int n, int c, int h, int w),                     \
                expand_frames<T, U>(x, frames, state, scale, shift, steps, stored, n, c, h, w))
#define VARIANT(T, suffix) ELEMENT(T, suffix, uint8_t, u8) ELEMENT(T, suffix, uint16_t, u16) ELEMENT(T, suffix, float, f32)
SLTT_FOR_EACH_TYPE(VARIANT)
#undef VARIANT
#undef ELEMENT

}  // namespace sltt
