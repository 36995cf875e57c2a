// bias_avg_pool: adds a convolution's bias and averages over windows, in one pass.
//
//   y[i][o][p][c] = 1/window^2 sum of (x[i][r][s][c] + bias[c]) over the window's pixels within the image
//   window of (o, p): rows o stride - padding + [0, window), columns alike; padding counts as zeros, without the bias
//
// x (n, h, w, channels), y (n, out_h, out_w, channels), NHWC, type T, fewer than 2^31 elements; bias (channels), float; null: 0.
// Bytes (type of b bytes): reads b for each input in each window, writes b an output. Overwrites y.
// Numerics: float in row order, rounded once. Source: torch.nn.AvgPool2d with count_include_pad.
#include "common/sltt.cuh"
#include "pixels.cuh"

namespace sltt {

template <class T>
__device__ inline void bias_avg_pool(T* y, const T* x, const float* bias, int n, int h, int w, int channels, int out_h, int out_w,
                                     int window, int stride, int padding) {
    struct At {
        int64_t first_line;
        int top, bottom, left, right;
    };
    auto at = [=](int image, int line, int column) {
        int top = line * stride - padding, left = column * stride - padding;
        int bottom = top + window < h ? top + window : h, right = left + window < w ? left + window : w;
        return At{(int64_t)image * h, top > 0 ? top : 0, bottom, left > 0 ? left : 0, right};
    };
    const float size = (float)(window * window);
    for_pixel_packs<T>(n, out_h, out_w, channels, at, [=](auto lanes, int64_t pixel, int c, const At& a) {
        constexpr int V = decltype(lanes)::value;
        Pack<V> sum(0.0f), b = bias ? load<V>(bias, c) : Pack<V>(0.0f);
        for (int r = a.top; r < a.bottom; ++r)
            for (int s = a.left; s < a.right; ++s) sum = sum + (load<V>(x, ((a.first_line + r) * w + s) * channels + c) + b);
        store<V>(y, pixel * channels + c, sum / size);
    });
}

#define VARIANT(T, suffix)                                                                                                                 \
    SLTT_KERNEL(bias_avg_pool_##suffix,                                                                                                    \
                (T* __restrict__ y, const T* __restrict__ x, const float* __restrict__ bias, int n, int h, int w, int channels, int out_h, \
                 int out_w, int window, int stride, int padding),                                                                          \
                bias_avg_pool<T>(y, x, bias, n, h, w, channels, out_h, out_w, window, stride, padding))
SLTT_FOR_EACH_TYPE(VARIANT)
#undef VARIANT

}  // namespace sltt
