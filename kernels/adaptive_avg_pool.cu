// adaptive_avg_pool_forward, adaptive_avg_pool_backward: average pooling to a given size.
//
//   output row o covers the input rows [floor(o h/out_h), ceil((o+1) h/out_h)), columns alike; windows may overlap, and where
//   h < out_h an input row is in several of them
//   forward:  y[i][o][p][c] = mean of x over the window
//   backward: grad_x[i][r][s][c] = sum over the windows with (r, s) in them of grad_y / window size
//
// x, grad_x (n, h, w, channels); y, grad_y (n, out_h, out_w, channels); NHWC, type T.
// Bytes (type of b bytes): forward reads b for each input in each window, writes b an output; backward reads b for each window of
// each input, writes b an input. Each output gathers what it needs: no atomics. Overwrites y, grad_x.
// Numerics: float in row order, rounded once. Source: torch.nn.AdaptiveAvgPool2d.
#include "common/sltt.cuh"

namespace SLTT_VARIANT {

// The inputs of output o: [begin, end).
struct Window { int begin, end; };
__device__ inline Window pool_window(int o, int in, int out) {
    return {(int)((int64_t)o * in / out), (int)(((int64_t)(o + 1) * in + out - 1) / out)};
}
// The outputs that input r is in: floor(o in/out) <= r and ceil((o+1) in/out) > r.
__device__ inline Window windows_of(int r, int in, int out) {
    return {(int)((int64_t)r * out / in), (int)(((int64_t)(r + 1) * out + in - 1) / in)};
}

template <class T> __device__ inline void adaptive_avg_pool_forward(T* y, const T* x, int n, int h, int w, int channels, int out_h, int out_w) {
    for_row_packs<T>((int64_t)n * out_h * out_w, channels, [=](auto lanes, int64_t row, int c) {
        constexpr int V = decltype(lanes)::value;
        int64_t line = row / out_w, image = line / out_h;
        Window rows = pool_window((int)(line - image * out_h), h, out_h), columns = pool_window((int)(row - line * out_w), w, out_w);
        Pack<V> sum = splat<V>(0.0f);
        for (int r = rows.begin; r < rows.end; ++r)
            for (int s = columns.begin; s < columns.end; ++s) {
                Pack<V> in = load<V>(x, ((image * h + r) * w + s) * channels + c);
                for (int k = 0; k < V; ++k) sum[k] += in[k];
            }
        float size = (float)((rows.end - rows.begin) * (columns.end - columns.begin));
        for (int k = 0; k < V; ++k) sum[k] = sum[k] / size;
        store<V>(y, row * channels + c, sum);
    });
}

template <class T> __device__ inline void adaptive_avg_pool_backward(T* grad_x, const T* grad_y, int n, int h, int w, int channels, int out_h, int out_w) {
    for_row_packs<T>((int64_t)n * h * w, channels, [=](auto lanes, int64_t row, int c) {
        constexpr int V = decltype(lanes)::value;
        int64_t line = row / w, image = line / h;
        Window rows = windows_of((int)(line - image * h), h, out_h), columns = windows_of((int)(row - line * w), w, out_w);
        Pack<V> sum = splat<V>(0.0f);
        for (int o = rows.begin; o < rows.end; ++o) {
            Window high = pool_window(o, h, out_h);
            for (int p = columns.begin; p < columns.end; ++p) {
                Window wide = pool_window(p, w, out_w);
                float size = (float)((high.end - high.begin) * (wide.end - wide.begin));
                Pack<V> dy = load<V>(grad_y, ((image * out_h + o) * out_w + p) * channels + c);
                for (int k = 0; k < V; ++k) sum[k] += dy[k] / size;
            }
        }
        store<V>(grad_x, row * channels + c, sum);
    });
}

#define VARIANT(T, suffix)                                                                                                            \
    SLTT_KERNEL(adaptive_avg_pool_forward_##suffix,                                                                                   \
                (T* __restrict__ y, const T* __restrict__ x, int n, int h, int w, int channels, int out_h, int out_w),                \
                adaptive_avg_pool_forward<T>(y, x, n, h, w, channels, out_h, out_w))                                                  \
    SLTT_KERNEL(adaptive_avg_pool_backward_##suffix,                                                                                  \
                (T* __restrict__ grad_x, const T* __restrict__ grad_y, int n, int h, int w, int channels, int out_h, int out_w),      \
                adaptive_avg_pool_backward<T>(grad_x, grad_y, n, h, w, channels, out_h, out_w))
SLTT_FOR_EACH_TYPE(VARIANT)
#undef VARIANT

}  // namespace SLTT_VARIANT
