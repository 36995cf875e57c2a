// gather_pixels, scatter_pixels: every stride-th pixel of every stride-th line, as a compact matrix, and back.
//
//   gather:  y[i][o][p][c] = x[i][o stride][p stride][c]
//   scatter: x[i][r][s][c] = y[i][r/stride][s/stride][c] where stride divides r and s, else 0
//
// x (n, h, w, channels), y (n, out_h, out_w, channels), NHWC, type T, fewer than 2^31 elements; out_h = ceil(h/stride), out_w alike.
// What a 1 x 1 convolution with a stride reads, and the gradient of it: with the pixels side by side the convolution is a matrix product.
// Bytes an element of y (type of b bytes): gather reads b, writes b; scatter reads b, writes stride^2 b. Overwrite their outputs.
#include "common/sltt.cuh"
#include "pixels.cuh"

namespace sltt {

template <class T>
__device__ inline void gather_pixels(T* y, const T* x, int n, int h, int w, int channels, int out_h, int out_w, int stride) {
    auto source = [=](int image, int line, int column) { return ((int64_t)image * h + line * stride) * w + column * stride; };
    for_pixel_packs<T>(n, out_h, out_w, channels, source, [=](auto lanes, int64_t pixel, int c, int64_t from) {
        constexpr int V = decltype(lanes)::value;
        store<V>(y, pixel * channels + c, fetch<V>(x, from * channels + c));
    });
}

template <class T>
__device__ inline void scatter_pixels(T* x, const T* y, int n, int h, int w, int channels, int out_h, int out_w, int stride) {
    auto source = [=](int image, int line, int column) {
        int o = line / stride, p = column / stride;
        return o * stride == line && p * stride == column ? ((int64_t)image * out_h + o) * out_w + p : (int64_t)-1;
    };
    for_pixel_packs<T>(n, h, w, channels, source, [=](auto lanes, int64_t pixel, int c, int64_t from) {
        constexpr int V = decltype(lanes)::value;
        if (from >= 0) store<V>(x, pixel * channels + c, fetch<V>(y, from * channels + c));
        else store<V>(x, pixel * channels + c, Pack<V>(0.0f));
    });
}

SLTT_TYPED_KERNEL(gather_pixels,
                  (T* __restrict__ y, const T* __restrict__ x, int n, int h, int w, int channels, int out_h, int out_w, int stride),
                  gather_pixels<T>(y, x, n, h, w, channels, out_h, out_w, stride))
SLTT_TYPED_KERNEL(scatter_pixels,
                  (T* __restrict__ x, const T* __restrict__ y, int n, int h, int w, int channels, int out_h, int out_w, int stride),
                  scatter_pixels<T>(x, y, n, h, w, channels, out_h, out_w, stride))

}  // namespace sltt
