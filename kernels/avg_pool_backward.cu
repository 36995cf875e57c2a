// avg_pool_backward: gradient of an average pool over windows.
//
//   grad_x[i][r][s][c] = 1/window^2 sum of grad_y[i][o][p][c] over the windows (o, p) with pixel (r, s) in them
//   window of (o, p): rows o stride - padding + [0, window), columns alike; a window counts its padding
//
// grad_x (n, h, w, channels), grad_y (n, out_h, out_w, channels), NHWC, type T; fewer than 2^31 elements. padding < window.
// Bytes (type of b bytes): reads b for each window of each input (from cache where windows overlap), writes b an input. Each input
// gathers what it needs: no atomics. Overwrites grad_x; a pixel in no window gets 0.
// Numerics: float in row order, rounded once. Source: torch.nn.AvgPool2d with count_include_pad.
#include "common/sltt.cuh"
#include "pixels.cuh"

namespace sltt {

// Outputs [begin, end) whose windows have row (or column) r in them.
struct WindowRange {
    int begin, end;
};
__device__ inline WindowRange windows_with(int r, int out, int window, int stride, int padding) {
    int before = r + padding - window, last = (r + padding) / stride;  // the window that ends in front of r; the last that begins by r
    return {before < 0 ? 0 : before / stride + 1, last < out ? last + 1 : out};
}

template <class T>
__device__ inline void avg_pool_backward(T* grad_x, const T* grad_y, int n, int h, int w, int channels, int out_h, int out_w, int window,
                                         int stride, int padding) {
    struct At {
        int64_t first_line;
        WindowRange rows, columns;
    };
    auto at = [=](int image, int line, int column) {
        return At{(int64_t)image * out_h, windows_with(line, out_h, window, stride, padding),
                  windows_with(column, out_w, window, stride, padding)};
    };
    const float size = (float)(window * window);
    for_pixel_packs<T>(n, h, w, channels, at, [=](auto lanes, int64_t pixel, int c, const At& a) {
        constexpr int V = decltype(lanes)::value;
        Pack<V> sum(0.0f);
        for (int o = a.rows.begin; o < a.rows.end; ++o)
            for (int p = a.columns.begin; p < a.columns.end; ++p)
                sum = sum + load<V>(grad_y, ((a.first_line + o) * out_w + p) * channels + c);
        store<V>(grad_x, pixel * channels + c, sum / size);
    });
}

SLTT_TYPED_KERNEL(avg_pool_backward,
                  (T* __restrict__ grad_x, const T* __restrict__ grad_y, int n, int h, int w, int channels, int out_h, int out_w,
                   int window, int stride, int padding),
                  avg_pool_backward<T>(grad_x, grad_y, n, h, w, channels, out_h, out_w, window, stride, padding))

}  // namespace sltt
