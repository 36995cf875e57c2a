// adaptive_avg_pool_forward, adaptive_avg_pool_backward: average pooling to a given size.
//
//   output row o covers the input rows [floor(o h/out_h), ceil((o+1) h/out_h)), columns alike. Windows may overlap;
//   where h < out_h an input row is in several windows
//   forward:  y[i][o][p][c] = mean of x over the window
//   backward: grad_x[i][r][s][c] = sum over the windows with (r, s) in them of grad_y / window size
//
// x, grad_x (n, h, w, channels); y, grad_y (n, out_h, out_w, channels); NHWC, type T.
// Bytes (type of b bytes): forward reads b for each input in each window, writes b an output; backward reads b for each window of
// each input, writes b an input. Each output gathers what it needs: no atomics. Overwrites y, grad_x.
// Numerics: float in row order, rounded once. Source: torch.nn.AdaptiveAvgPool2d.
#include "common/sltt.cuh"

namespace sltt {

// The inputs of output o, [begin, end): floor(o in/out) to ceil((o+1) in/out). The outputs that
// contain input r follow the same rule with the sizes swapped: pool_window(r, out, in).
struct Window {
    int begin, end;
};
__device__ inline Window pool_window(int o, int in, int out) { return {o * in / out, ((o + 1) * in + out - 1) / out}; }

struct WindowAt {
    int64_t image;
    Window rows, columns;
};
// Row (image, line, column) of a (n, h, w) grid, and its windows in another of (other_h, other_w).
__device__ inline WindowAt window_at(int64_t row, int h, int w, int other_h, int other_w) {
    int64_t line = row / w, image = line / h;
    return {image, pool_window((int)(line - image * h), other_h, h), pool_window((int)(row - line * w), other_w, w)};
}

template <class T>
__device__ inline void adaptive_avg_pool_forward(T* y, const T* x, int n, int h, int w, int channels, int out_h, int out_w) {
    auto window = [=](int64_t row) { return window_at(row, out_h, out_w, h, w); };
    for_row_packs<T>((int64_t)n * out_h * out_w, channels, window, [=](auto lanes, int64_t row, int c, const WindowAt& at) {
        constexpr int V = decltype(lanes)::value;
        Pack<V> sum = Pack<V>(0.0f);
        for (int r = at.rows.begin; r < at.rows.end; ++r)
            for (int s = at.columns.begin; s < at.columns.end; ++s) sum = sum + load<V>(x, ((at.image * h + r) * w + s) * channels + c);
        float size = (float)((at.rows.end - at.rows.begin) * (at.columns.end - at.columns.begin));
        store<V>(y, row * channels + c, sum / size);
    });
}

template <class T>
__device__ inline void adaptive_avg_pool_backward(T* grad_x, const T* grad_y, int n, int h, int w, int channels, int out_h, int out_w) {
    auto windows = [=](int64_t row) { return window_at(row, h, w, out_h, out_w); };
    for_row_packs<T>((int64_t)n * h * w, channels, windows, [=](auto lanes, int64_t row, int c, const WindowAt& in) {
        constexpr int V = decltype(lanes)::value;
        Pack<V> sum = Pack<V>(0.0f);
        for (int o = in.rows.begin; o < in.rows.end; ++o) {
            Window high = pool_window(o, h, out_h);
            for (int p = in.columns.begin; p < in.columns.end; ++p) {
                Window wide = pool_window(p, w, out_w);
                float size = (float)((high.end - high.begin) * (wide.end - wide.begin));
                sum = sum + load<V>(grad_y, ((in.image * out_h + o) * out_w + p) * channels + c) / size;
            }
        }
        store<V>(grad_x, row * channels + c, sum);
    });
}

#define VARIANT(T, suffix)                                                                                                       \
    SLTT_KERNEL(adaptive_avg_pool_forward_##suffix,                                                                              \
                (T* __restrict__ y, const T* __restrict__ x, int n, int h, int w, int channels, int out_h, int out_w),           \
                adaptive_avg_pool_forward<T>(y, x, n, h, w, channels, out_h, out_w))                                             \
    SLTT_KERNEL(adaptive_avg_pool_backward_##suffix,                                                                             \
                (T* __restrict__ grad_x, const T* __restrict__ grad_y, int n, int h, int w, int channels, int out_h, int out_w), \
                adaptive_avg_pool_backward<T>(grad_x, grad_y, n, h, w, channels, out_h, out_w))
SLTT_FOR_EACH_TYPE(VARIANT)
#undef VARIANT

}  // namespace sltt
