// cuDNN's 2-dimensional pooling on NHWC: maximum, and average with or without the padding in the count.
//
// A thread computes one image and one block of channels at a time. Sums are in float, in the window's row order, and rounded at the
// end. So results depend neither on the number of threads nor on the block.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "dnn/descriptors.h"
#include "numbers.h"

using namespace sltt_cpu;

namespace {

constexpr int BLOCK = 64;  // channels computed together

int output_size(int input, int window, int pad, int stride) { return 1 + (input + 2 * pad - window) / stride; }

struct Tensor {
    Number type;
    int h, w, c;
    size_t at(int n, int i, int j, int channel) const { return (((size_t)n * h + i) * w + j) * c + channel; }
};

Tensor tensor(cudnnTensorDescriptor_t t) { return {t->type, t->h, t->w, t->c}; }

// The input rows or columns under output position `o`, clipped to the input.
struct Window {
    int begin, end;
    Window(int o, int size, int pad, int stride, int input)
        : begin(std::max(o * stride - pad, 0)), end(std::min(o * stride - pad + size, input)) {}
    int size() const { return end - begin; }
};

// The output positions whose windows contain input position `i`.
struct Outputs {
    int begin, end;
    Outputs(int i, int size, int pad, int stride, int output)
        : begin(i + pad < size ? 0 : (i + pad - size) / stride + 1), end(std::min((i + pad) / stride + 1, output)) {}
};

bool is_max(const cudnnPoolingStruct& p) { return p.mode == CUDNN_POOLING_MAX || p.mode == CUDNN_POOLING_MAX_DETERMINISTIC; }

float divisor(const cudnnPoolingStruct& p, const Window& rows, const Window& columns) {
    return (float)(p.mode == CUDNN_POOLING_AVERAGE_COUNT_INCLUDE_PADDING ? p.window_h * p.window_w : rows.size() * columns.size());
}

// The first largest value wins. Where NaNs propagate a NaN counts as larger than all; elsewhere it is skipped.
SLTT_VECTORISED void keep_larger(float* best, int* where, const float* x, int place, bool propagate, int count) {
    for (int c = 0; c < count; ++c) {
        bool larger = x[c] > best[c] || (propagate && x[c] != x[c] && best[c] == best[c]);
        best[c] = larger ? x[c] : best[c];
        where[c] = larger ? place : where[c];
    }
}
SLTT_VECTORISED void add(float* sum, const float* x, int count) {
    for (int c = 0; c < count; ++c) sum[c] += x[c];
}
SLTT_VECTORISED void add_divided(float* sum, const float* x, float by, int count) {
    for (int c = 0; c < count; ++c) sum[c] += x[c] / by;
}
SLTT_VECTORISED void add_where(float* sum, const float* x, const int* where, int place, int count) {
    for (int c = 0; c < count; ++c) sum[c] += where[c] == place ? x[c] : 0.0f;
}

// The largest values of one window and their places (row * x.w + column).
void maximum(const cudnnPoolingStruct& p, const Tensor& x, const void* data, int n, int c, int count, const Window& rows,
             const Window& columns, float* best, int* where) {
    float buffer[BLOCK];
    for (int i = 0; i < count; ++i) {
        best[i] = -std::numeric_limits<float>::infinity();
        where[i] = rows.begin * x.w + columns.begin;
    }
    for (int i = rows.begin; i < rows.end; ++i)
        for (int j = columns.begin; j < columns.end; ++j)
            keep_larger(best, where, as_floats(buffer, element(data, x.type, x.at(n, i, j, c)), x.type, count), i * x.w + j,
                        p.nan == CUDNN_PROPAGATE_NAN, count);
}

// y[n, :, :, c .. c + count)
void forward(const cudnnPoolingStruct& p, const Tensor& x, const void* x_data, const Tensor& y, void* y_data, float alpha, float beta,
             int n, int c, int count) {
    float value[BLOCK], buffer[BLOCK];
    int where[BLOCK];
    for (int i = 0; i < y.h; ++i) {
        Window rows(i, p.window_h, p.pad_h, p.stride_h, x.h);
        for (int j = 0; j < y.w; ++j) {
            Window columns(j, p.window_w, p.pad_w, p.stride_w, x.w);
            if (is_max(p)) {
                maximum(p, x, x_data, n, c, count, rows, columns, value, where);
            } else {
                std::fill(value, value + count, 0.0f);
                for (int a = rows.begin; a < rows.end; ++a)
                    for (int b = columns.begin; b < columns.end; ++b)
                        add(value, as_floats(buffer, element(x_data, x.type, x.at(n, a, b, c)), x.type, count), count);
                float by = divisor(p, rows, columns);
                for (int k = 0; k < count; ++k) value[k] /= by;
            }
            blend(element(y_data, y.type, y.at(n, i, j, c)), y.type, value, alpha, beta, count);
        }
    }
}

// dx[n, :, :, c .. c + count): each input pixel gathers from the windows that contain it. The places of the maxima are computed for
// each output row, and kept while an input row needs them.
void backward(const cudnnPoolingStruct& p, const Tensor& x, const void* x_data, const Tensor& y, const void* dy_data, void* dx_data,
              float alpha, float beta, int n, int c, int count) {
    float gradient[BLOCK], buffer[BLOCK], best[BLOCK];
    int kept = (p.window_h + p.stride_h - 1) / p.stride_h + 1, done = 0;
    std::vector<int> places(is_max(p) ? (size_t)kept * y.w * BLOCK : 0);
    for (int i = 0; i < x.h; ++i) {
        Outputs rows(i, p.window_h, p.pad_h, p.stride_h, y.h);
        if (is_max(p))
            for (done = std::max(done, rows.begin); done < rows.end; ++done)
                for (int b = 0; b < y.w; ++b)
                    maximum(p, x, x_data, n, c, count, Window(done, p.window_h, p.pad_h, p.stride_h, x.h),
                            Window(b, p.window_w, p.pad_w, p.stride_w, x.w), best, &places[((size_t)(done % kept) * y.w + b) * BLOCK]);
        for (int j = 0; j < x.w; ++j) {
            Outputs columns(j, p.window_w, p.pad_w, p.stride_w, y.w);
            std::fill(gradient, gradient + count, 0.0f);
            for (int a = rows.begin; a < rows.end; ++a)
                for (int b = columns.begin; b < columns.end; ++b) {
                    const float* dy = as_floats(buffer, element(dy_data, y.type, y.at(n, a, b, c)), y.type, count);
                    if (is_max(p))
                        add_where(gradient, dy, &places[((size_t)(a % kept) * y.w + b) * BLOCK], i * x.w + j, count);
                    else
                        add_divided(
                            gradient, dy,
                            divisor(p, Window(a, p.window_h, p.pad_h, p.stride_h, x.h), Window(b, p.window_w, p.pad_w, p.stride_w, x.w)),
                            count);
                }
            blend(element(dx_data, x.type, x.at(n, i, j, c)), x.type, gradient, alpha, beta, count);
        }
    }
}

// f(n, first channel, channels) for each image and block of channels, among the threads.
template <class F> void for_blocks(int images, int channels, F f) {
    int blocks = (channels + BLOCK - 1) / BLOCK;
#pragma omp parallel for collapse(2) schedule(static)
    for (int n = 0; n < images; ++n)
        for (int b = 0; b < blocks; ++b) f(n, b * BLOCK, std::min(BLOCK, channels - b * BLOCK));
}

void require_pooling(cudnnHandle_t handle, cudnnPoolingDescriptor_t pooling, cudnnTensorDescriptor_t x, cudnnTensorDescriptor_t y) {
    require_parameter(handle != nullptr, "the handle is null");
    require_parameter(pooling != nullptr && pooling->set, "the pooling has no descriptor");
    require_activations(x, "x has no descriptor");
    require_activations(y, "y has no descriptor");
    require(x->type == y->type, CUDNN_STATUS_NOT_SUPPORTED_DATA_TYPE, "x and y must have one type");
    require_parameter(x->h + 2 * pooling->pad_h >= pooling->window_h && x->w + 2 * pooling->pad_w >= pooling->window_w,
                      "the window is larger than the padded input");
    require_parameter(y->n == x->n && y->c == x->c && y->h == output_size(x->h, pooling->window_h, pooling->pad_h, pooling->stride_h) &&
                          y->w == output_size(x->w, pooling->window_w, pooling->pad_w, pooling->stride_w),
                      "y has not the shape of the pooling's result");
}

void require_data(cudnnTensorDescriptor_t tensor, const void* data, const char* reason) {
    require(data != nullptr, CUDNN_STATUS_BAD_PARAM_NULL_POINTER, reason);
    require_device(data, tensor->count() * bytes_of(tensor->type), reason);
}

}  // namespace

// y = alpha * pool(x) + beta * y
SLTT_API cudnnStatus_t cudnnPoolingForward(cudnnHandle_t handle, cudnnPoolingDescriptor_t pooling, const void* alpha,
                                           cudnnTensorDescriptor_t x_desc, const void* x, const void* beta, cudnnTensorDescriptor_t y_desc,
                                           void* y) {
    constexpr const char* name = "cudnnPoolingForward";
    return answer(name, [&] {
        require_pooling(handle, pooling, x_desc, y_desc);
        require_data(x_desc, x, "x is null or not in device memory");
        require_data(y_desc, y, "y is null or not in device memory");
        submit(handle, name,
               [=, p = *pooling, from = tensor(x_desc), to = tensor(y_desc), images = x_desc->n, a = host_scalar(alpha),
                b = host_scalar(beta)] {
                   for_blocks(images, from.c, [&](int n, int c, int count) { forward(p, from, x, to, y, a, b, n, c, count); });
               });
    });
}

// dx = alpha * (gradient of x) + beta * dx. y is what forward wrote; only its descriptor is needed here.
SLTT_API cudnnStatus_t cudnnPoolingBackward(cudnnHandle_t handle, cudnnPoolingDescriptor_t pooling, const void* alpha,
                                            cudnnTensorDescriptor_t y_desc, const void* y, cudnnTensorDescriptor_t dy_desc, const void* dy,
                                            cudnnTensorDescriptor_t x_desc, const void* x, const void* beta,
                                            cudnnTensorDescriptor_t dx_desc, void* dx) {
    constexpr const char* name = "cudnnPoolingBackward";
    return answer(name, [&] {
        require_pooling(handle, pooling, x_desc, y_desc);
        require_activations(dy_desc, "dy has no descriptor");
        require_activations(dx_desc, "dx has no descriptor");
        require_parameter(dy_desc->same_shape(*y_desc) && dx_desc->same_shape(*x_desc), "dy has not y's shape, or dx has not x's");
        require(dy_desc->type == x_desc->type && dx_desc->type == x_desc->type, CUDNN_STATUS_NOT_SUPPORTED_DATA_TYPE,
                "x, dx, y and dy must have one type");
        require_data(y_desc, y, "y is null or not in device memory");
        require_data(dy_desc, dy, "dy is null or not in device memory");
        require_data(x_desc, x, "x is null or not in device memory");
        require_data(dx_desc, dx, "dx is null or not in device memory");
        submit(handle, name,
               [=, p = *pooling, to = tensor(x_desc), from = tensor(y_desc), images = x_desc->n, a = host_scalar(alpha),
                b = host_scalar(beta)] {
                   for_blocks(images, to.c, [&](int n, int c, int count) { backward(p, to, x, from, dy, dx, a, b, n, c, count); });
               });
    });
}
