// cuDNN's spatial batch normalisation on NHWC. x, y and their gradients in any type, parameters and statistics in float.
//
// Statistics are summed in double over PARTS shares of the rows, and the shares are added in order: the number of threads changes no
// bit. Every element is computed in float and rounded at the end.
#include <algorithm>
#include <cmath>
#include <vector>

#include "dnn/descriptors.h"
#include "numbers.h"

using namespace sltt_cpu;

namespace {

constexpr int PARTS = 16;
constexpr int BLOCK = 256;  // channels converted at a time

struct Rows {
    int64_t rows;
    int channels;
    Number type;
};

// Column sums of `values` quantities: (values, channels). f(row, c, count, sums) adds a row's quantities for channels [c, c + count) to
// sums[value * channels + c].
template <class F> std::vector<double> column_sums(const Rows& r, int values, F f) {
    size_t width = (size_t)values * r.channels;
    std::vector<double> parts(PARTS * width);
#pragma omp parallel for schedule(static)
    for (int part = 0; part < PARTS; ++part)
        for (int64_t row = r.rows * part / PARTS; row < r.rows * (part + 1) / PARTS; ++row)
            for (int c = 0; c < r.channels; c += BLOCK) f(row, c, std::min(BLOCK, r.channels - c), &parts[part * width]);
    for (int part = 1; part < PARTS; ++part)
        for (size_t i = 0; i < width; ++i) parts[i] += parts[part * width + i];
    parts.resize(width);
    return parts;
}

// Calls f(row, c, count) for each row and block of channels, split among the threads.
template <class F> void for_rows(const Rows& r, F f) {
#pragma omp parallel for schedule(static)
    for (int64_t row = 0; row < r.rows; ++row)
        for (int c = 0; c < r.channels; c += BLOCK) f(row, c, std::min(BLOCK, r.channels - c));
}

SLTT_VECTORISED void add_to(double* sum, const float* x, int count) {
    for (int i = 0; i < count; ++i) sum[i] += x[i];
}
SLTT_VECTORISED void add_squares_to(double* sum, const float* x, const double* mean, int count) {
    for (int i = 0; i < count; ++i) sum[i] += (x[i] - mean[i]) * (x[i] - mean[i]);
}
SLTT_VECTORISED void add_products_to(double* sum, double* product, const float* dy, const float* x, const float* mean, const float* invstd,
                                     int count) {
    for (int i = 0; i < count; ++i) {
        sum[i] += dy[i];
        product[i] += (double)dy[i] * ((x[i] - mean[i]) * invstd[i]);
    }
}
SLTT_VECTORISED void normalise(float* y, const float* x, const float* mean, const float* invstd, const float* scale, const float* bias,
                               int count) {
    for (int i = 0; i < count; ++i) y[i] = (x[i] - mean[i]) * invstd[i] * scale[i] + bias[i];
}
SLTT_VECTORISED void gradient(float* dx, const float* dy, const float* x, const float* mean, const float* invstd, const float* scale,
                              const float* mean_dy, const float* mean_product, int count) {
    for (int i = 0; i < count; ++i)
        dx[i] = scale[i] * invstd[i] * (dy[i] - mean_dy[i] - (x[i] - mean[i]) * invstd[i] * mean_product[i]);
}

// Mean and variance (biased) of each channel.
void statistics(const Rows& r, const void* x, std::vector<double>& mean, std::vector<double>& variance) {
    mean = column_sums(r, 1, [&](int64_t row, int c, int count, double* sums) {
        float buffer[BLOCK];
        add_to(sums + c, as_floats(buffer, element(x, r.type, row * r.channels + c), r.type, count), count);
    });
    for (double& m : mean) m /= (double)r.rows;
    variance = column_sums(r, 1, [&](int64_t row, int c, int count, double* sums) {
        float buffer[BLOCK];
        add_squares_to(sums + c, as_floats(buffer, element(x, r.type, row * r.channels + c), r.type, count), &mean[c], count);
    });
    for (double& v : variance) v /= (double)r.rows;
}

void apply(const Rows& r, const void* x, void* y, const float* mean, const float* invstd, const float* scale, const float* bias,
           float alpha, float beta) {
    for_rows(r, [&](int64_t row, int c, int count) {
        float buffer[BLOCK], value[BLOCK];
        size_t at = row * r.channels + c;
        normalise(value, as_floats(buffer, element(x, r.type, at), r.type, count), mean + c, invstd + c, scale + c, bias + c, count);
        blend(element(y, r.type, at), r.type, value, alpha, beta, count);
    });
}

Rows require_batch_norm(cudnnHandle_t handle, cudnnBatchNormMode_t mode, cudnnTensorDescriptor_t x, cudnnTensorDescriptor_t y,
                        cudnnTensorDescriptor_t parameters, double epsilon) {
    require_parameter(handle != nullptr, "the handle is null");
    require_parameter(mode >= CUDNN_BATCHNORM_PER_ACTIVATION && mode <= CUDNN_BATCHNORM_SPATIAL_PERSISTENT, "no such mode");
    require(mode != CUDNN_BATCHNORM_PER_ACTIVATION, CUDNN_STATUS_NOT_SUPPORTED, "only spatial batch normalisation is served");
    require_activations(x, "x has no descriptor");
    require_activations(y, "y or dy has no descriptor");
    require_parameter(x->same_shape(*y), "x and y have different shapes");
    require(x->type == y->type, CUDNN_STATUS_NOT_SUPPORTED_DATA_TYPE, "x and y must have one type");
    require_parameter(parameters != nullptr && parameters->set, "the parameters have no descriptor");
    require_parameter(parameters->n == 1 && parameters->c == x->c && parameters->h == 1 && parameters->w == 1,
                      "the parameters are not (1, channels, 1, 1)");
    require(parameters->type == Number::Float, CUDNN_STATUS_NOT_SUPPORTED_DATA_TYPE, "the parameters must be float");
    require_parameter(epsilon >= 0, "epsilon is negative");
    return {(int64_t)x->rows(), x->c, x->type};
}

void require_tensor(const Rows& r, const void* data, const char* reason) {
    require(data != nullptr, CUDNN_STATUS_BAD_PARAM_NULL_POINTER, reason);
    require_device(data, (size_t)r.rows * r.channels * bytes_of(r.type), reason);
}
void require_channels(const Rows& r, const void* data, const char* reason) {
    require(data != nullptr, CUDNN_STATUS_BAD_PARAM_NULL_POINTER, reason);
    require_device(data, (size_t)r.channels * sizeof(float), reason);
}
// Two arrays that the caller gives both or leaves out both. Returns whether they are given.
bool require_pair(const Rows& r, const void* a, const void* b, const char* reason) {
    require_parameter((a == nullptr) == (b == nullptr), reason);
    if (a == nullptr) return false;
    require_channels(r, a, reason);
    require_channels(r, b, reason);
    return true;
}

}  // namespace

// y = alpha * (scale * (x - mean) / sqrt(var + epsilon) + bias) + beta * y with the batch's mean and biased variance;
// running = (1 - factor) * running + factor * batch's, the variance unbiased there. May be in place.
SLTT_API cudnnStatus_t cudnnBatchNormalizationForwardTraining(cudnnHandle_t handle, cudnnBatchNormMode_t mode, const void* alpha,
                                                              const void* beta, cudnnTensorDescriptor_t x_desc, const void* x,
                                                              cudnnTensorDescriptor_t y_desc, void* y, cudnnTensorDescriptor_t parameters,
                                                              const void* scale, const void* bias, double factor, void* running_mean,
                                                              void* running_variance, double epsilon, void* saved_mean,
                                                              void* saved_invstd) {
    constexpr const char* name = "cudnnBatchNormalizationForwardTraining";
    return answer(name, [&] {
        Rows r = require_batch_norm(handle, mode, x_desc, y_desc, parameters, epsilon);
        require_tensor(r, x, "x is null or not in device memory");
        require_tensor(r, y, "y is null or not in device memory");
        require_channels(r, scale, "scale is null or not in device memory");
        require_channels(r, bias, "bias is null or not in device memory");
        bool running =
            require_pair(r, running_mean, running_variance, "one of the running statistics is null, or they are not in device memory");
        bool save = require_pair(r, saved_mean, saved_invstd, "one of the saved statistics is null, or they are not in device memory");
        float a = host_scalar(alpha), b = host_scalar(beta);
        submit(handle, name, [=] {
            std::vector<double> mean, variance;
            statistics(r, x, mean, variance);
            std::vector<float> m(mean.begin(), mean.end()), invstd(r.channels);
            for (int c = 0; c < r.channels; ++c) invstd[c] = (float)(1 / std::sqrt(variance[c] + epsilon));
            apply(r, x, y, m.data(), invstd.data(), static_cast<const float*>(scale), static_cast<const float*>(bias), a, b);
            double unbiased = r.rows > 1 ? (double)r.rows / (double)(r.rows - 1) : 1;
            for (int c = 0; c < r.channels; ++c) {
                if (running) {
                    float& old_mean = static_cast<float*>(running_mean)[c];
                    float& old_variance = static_cast<float*>(running_variance)[c];
                    old_mean = (float)((1 - factor) * old_mean + factor * mean[c]);
                    old_variance = (float)((1 - factor) * old_variance + factor * variance[c] * unbiased);
                }
                if (save) {
                    static_cast<float*>(saved_mean)[c] = m[c];
                    static_cast<float*>(saved_invstd)[c] = invstd[c];
                }
            }
        });
    });
}

// The same with the statistics that the caller gives.
SLTT_API cudnnStatus_t cudnnBatchNormalizationForwardInference(cudnnHandle_t handle, cudnnBatchNormMode_t mode, const void* alpha,
                                                               const void* beta, cudnnTensorDescriptor_t x_desc, const void* x,
                                                               cudnnTensorDescriptor_t y_desc, void* y, cudnnTensorDescriptor_t parameters,
                                                               const void* scale, const void* bias, const void* mean, const void* variance,
                                                               double epsilon) {
    constexpr const char* name = "cudnnBatchNormalizationForwardInference";
    return answer(name, [&] {
        Rows r = require_batch_norm(handle, mode, x_desc, y_desc, parameters, epsilon);
        require_tensor(r, x, "x is null or not in device memory");
        require_tensor(r, y, "y is null or not in device memory");
        require_channels(r, scale, "scale is null or not in device memory");
        require_channels(r, bias, "bias is null or not in device memory");
        require_channels(r, mean, "the mean is null or not in device memory");
        require_channels(r, variance, "the variance is null or not in device memory");
        float a = host_scalar(alpha), b = host_scalar(beta);
        submit(handle, name, [=] {
            std::vector<float> invstd(r.channels);
            for (int c = 0; c < r.channels; ++c) invstd[c] = (float)(1 / std::sqrt(static_cast<const float*>(variance)[c] + epsilon));
            apply(r, x, y, static_cast<const float*>(mean), invstd.data(), static_cast<const float*>(scale),
                  static_cast<const float*>(bias), a, b);
        });
    });
}

// dx = alpha * (gradient of x) + beta * dx, may be in dy's place. dscale and dbias have an alpha and beta of their own.
// saved_mean and saved_invstd come from the forward pass; without them they are computed from x and epsilon.
SLTT_API cudnnStatus_t cudnnBatchNormalizationBackward(cudnnHandle_t handle, cudnnBatchNormMode_t mode, const void* data_alpha,
                                                       const void* data_beta, const void* parameter_alpha, const void* parameter_beta,
                                                       cudnnTensorDescriptor_t x_desc, const void* x, cudnnTensorDescriptor_t dy_desc,
                                                       const void* dy, cudnnTensorDescriptor_t dx_desc, void* dx,
                                                       cudnnTensorDescriptor_t parameters, const void* scale, void* dscale, void* dbias,
                                                       double epsilon, const void* saved_mean, const void* saved_invstd) {
    constexpr const char* name = "cudnnBatchNormalizationBackward";
    return answer(name, [&] {
        Rows r = require_batch_norm(handle, mode, x_desc, dy_desc, parameters, epsilon);
        require_activations(dx_desc, "dx has no descriptor");
        require_parameter(dx_desc->same_shape(*x_desc) && dx_desc->type == x_desc->type, "dx is not of x's shape and type");
        require_tensor(r, x, "x is null or not in device memory");
        require_tensor(r, dy, "dy is null or not in device memory");
        require_tensor(r, dx, "dx is null or not in device memory");
        require_channels(r, scale, "scale is null or not in device memory");
        require_channels(r, dscale, "dscale is null or not in device memory");
        require_channels(r, dbias, "dbias is null or not in device memory");
        bool saved = require_pair(r, saved_mean, saved_invstd, "one of the saved statistics is null, or they are not in device memory");
        float a = host_scalar(data_alpha), b = host_scalar(data_beta), pa = host_scalar(parameter_alpha), pb = host_scalar(parameter_beta);
        submit(handle, name, [=] {
            std::vector<float> mean(r.channels), invstd(r.channels), mean_dy(r.channels), mean_product(r.channels);
            if (saved) {
                std::copy_n(static_cast<const float*>(saved_mean), r.channels, mean.begin());
                std::copy_n(static_cast<const float*>(saved_invstd), r.channels, invstd.begin());
            } else {
                std::vector<double> m, variance;
                statistics(r, x, m, variance);
                for (int c = 0; c < r.channels; ++c) {
                    mean[c] = (float)m[c];
                    invstd[c] = (float)(1 / std::sqrt(variance[c] + epsilon));
                }
            }
            std::vector<double> sums = column_sums(r, 2, [&](int64_t row, int c, int count, double* out) {
                float dy_buffer[BLOCK], x_buffer[BLOCK];
                size_t at = row * r.channels + c;
                add_products_to(out + c, out + r.channels + c, as_floats(dy_buffer, element(dy, r.type, at), r.type, count),
                                as_floats(x_buffer, element(x, r.type, at), r.type, count), &mean[c], &invstd[c], count);
            });
            for (int c = 0; c < r.channels; ++c) {
                mean_dy[c] = (float)(sums[c] / (double)r.rows);
                mean_product[c] = (float)(sums[r.channels + c] / (double)r.rows);
                float bias_gradient = (float)sums[c], scale_gradient = (float)sums[r.channels + c];
                blend(static_cast<float*>(dbias) + c, Number::Float, &bias_gradient, pa, pb, 1);
                blend(static_cast<float*>(dscale) + c, Number::Float, &scale_gradient, pa, pb, 1);
            }
            for_rows(r, [&](int64_t row, int c, int count) {
                float dy_buffer[BLOCK], x_buffer[BLOCK], value[BLOCK];
                size_t at = row * r.channels + c;
                gradient(value, as_floats(dy_buffer, element(dy, r.type, at), r.type, count),
                         as_floats(x_buffer, element(x, r.type, at), r.type, count), &mean[c], &invstd[c],
                         static_cast<const float*>(scale) + c, &mean_dy[c], &mean_product[c], count);
                blend(element(dx, r.type, at), r.type, value, a, b, count);
            });
        });
    });
}
