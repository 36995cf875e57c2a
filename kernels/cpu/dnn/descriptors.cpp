// cuDNN's handle and its tensor, filter, convolution and pooling descriptors (4-dimensional).
#include "dnn/descriptors.h"

#include <stdio.h>
#include <stdlib.h>

#include "runtime/memory.h"

using namespace sltt_cpu;

namespace {

constexpr size_t MESSAGE_BYTES = 256;
thread_local char last_error[MESSAGE_BYTES];

bool verbose() {
    static const bool value = [] {
        const char* text = getenv("SLTT_CPU_VERBOSE");
        return text != nullptr && text[0] != '\0' && text[0] != '0';
    }();
    return value;
}

}  // namespace

namespace sltt_cpu {

void report_failure(const char* call, const char* reason) noexcept {
    snprintf(last_error, sizeof last_error, "%s", reason);
    if (verbose()) fprintf(stderr, "sltt_cpu: %s: %s\n", call, reason);
}

Number number_of(cudnnDataType_t type) {
    switch (type) {
    case CUDNN_DATA_FLOAT: return Number::Float;
    case CUDNN_DATA_HALF: return Number::Half;
    case CUDNN_DATA_BFLOAT16: return Number::Bfloat16;
    default: throw DnnError{CUDNN_STATUS_NOT_SUPPORTED_DATA_TYPE, "only float, half and bfloat16 are served"};
    }
}

cudnnDataType_t data_type_of(Number type) {
    return type == Number::Float ? CUDNN_DATA_FLOAT : type == Number::Half ? CUDNN_DATA_HALF : CUDNN_DATA_BFLOAT16;
}

void submit(cudnnHandle_t handle, const char* call, std::function<void()> work) {
    CUresult result = enqueue(handle->stream, std::move(work), call);
    require(result == CUDA_SUCCESS, CUDNN_STATUS_EXECUTION_FAILED, "the stream did not take the work, or the work failed");
}

void require_device(const void* pointer, size_t bytes, const char* reason) {
    require_parameter(check_device_range(reinterpret_cast<CUdeviceptr>(pointer), bytes) == CUDA_SUCCESS, reason);
}

void require_activations(cudnnTensorDescriptor_t tensor, const char* reason) {
    require_parameter(tensor != nullptr && tensor->set, reason);
    require(tensor->packed_nhwc(), CUDNN_STATUS_NOT_SUPPORTED_LAYOUT, "activations must be packed NHWC");
}

}  // namespace sltt_cpu

// Strides of dimensions of size 1 mean nothing: (n, c, 1, 1) is NHWC and NCHW at once.
bool cudnnTensorStruct::packed_nhwc() const {
    auto fits = [](int size, int stride, long expected) { return size == 1 || stride == expected; };
    return fits(c, c_stride, 1) && fits(w, w_stride, c) && fits(h, h_stride, (long)w * c) && fits(n, n_stride, (long)h * w * c);
}

namespace {

template <class Descriptor> cudnnStatus_t create(const char* call, Descriptor** out) {
    return answer(call, [&] {
        require_parameter(out != nullptr, "no place for the descriptor");
        *out = new Descriptor();
    });
}

template <class Descriptor> cudnnStatus_t destroy(Descriptor* descriptor) {
    delete descriptor;
    return CUDNN_STATUS_SUCCESS;
}

template <class T> void store(T* out, T value) {
    if (out != nullptr) *out = value;
}

constexpr int VERSION = 90000;  // what is served is cuDNN 9.0's interface

}  // namespace

// ---- The library and its handle --------------------------------------------------------------------------------------

SLTT_API size_t cudnnGetVersion() { return VERSION; }

SLTT_API const char* cudnnGetErrorString(cudnnStatus_t status) {
    switch (status) {
    case CUDNN_STATUS_SUCCESS: return "CUDNN_STATUS_SUCCESS";
    case CUDNN_STATUS_NOT_INITIALIZED: return "CUDNN_STATUS_NOT_INITIALIZED";
    case CUDNN_STATUS_BAD_PARAM: return "CUDNN_STATUS_BAD_PARAM";
    case CUDNN_STATUS_BAD_PARAM_NULL_POINTER: return "CUDNN_STATUS_BAD_PARAM_NULL_POINTER";
    case CUDNN_STATUS_NOT_SUPPORTED: return "CUDNN_STATUS_NOT_SUPPORTED";
    case CUDNN_STATUS_NOT_SUPPORTED_DATA_TYPE: return "CUDNN_STATUS_NOT_SUPPORTED_DATA_TYPE";
    case CUDNN_STATUS_NOT_SUPPORTED_LAYOUT: return "CUDNN_STATUS_NOT_SUPPORTED_LAYOUT";
    case CUDNN_STATUS_INTERNAL_ERROR: return "CUDNN_STATUS_INTERNAL_ERROR";
    case CUDNN_STATUS_INTERNAL_ERROR_HOST_ALLOCATION_FAILED: return "CUDNN_STATUS_INTERNAL_ERROR_HOST_ALLOCATION_FAILED";
    case CUDNN_STATUS_EXECUTION_FAILED: return "CUDNN_STATUS_EXECUTION_FAILED";
    }
    return "CUDNN_STATUS_UNKNOWN";
}

// Why this thread's last failed call failed; forgotten when it has been read.
SLTT_API void cudnnGetLastErrorString(char* message, size_t size) {
    if (message == nullptr || size == 0) return;
    snprintf(message, size, "%s", last_error);
    last_error[0] = '\0';
}

SLTT_API cudnnStatus_t cudnnCreate(cudnnHandle_t* handle) {
    return answer("cudnnCreate", [&] {
        require_parameter(handle != nullptr, "no place for the handle");
        require(check_context() == CUDA_SUCCESS, CUDNN_STATUS_NOT_INITIALIZED, "no context is current");
        *handle = new cudnnContext();
    });
}
SLTT_API cudnnStatus_t cudnnDestroy(cudnnHandle_t handle) { return destroy(handle); }

SLTT_API cudnnStatus_t cudnnSetStream(cudnnHandle_t handle, CUstream stream) {
    return answer("cudnnSetStream", [&] {
        require_parameter(handle != nullptr, "the handle is null");
        require_parameter(check_stream(stream) == CUDA_SUCCESS, "no stream of the current context");
        handle->stream = stream;
    });
}

// ---- Tensors ---------------------------------------------------------------------------------------------------------

SLTT_API cudnnStatus_t cudnnCreateTensorDescriptor(cudnnTensorDescriptor_t* out) { return create("cudnnCreateTensorDescriptor", out); }
SLTT_API cudnnStatus_t cudnnDestroyTensorDescriptor(cudnnTensorDescriptor_t tensor) { return destroy(tensor); }

SLTT_API cudnnStatus_t cudnnSetTensor4dDescriptor(cudnnTensorDescriptor_t tensor, cudnnTensorFormat_t format, cudnnDataType_t type,
                                                  int n, int c, int h, int w) {
    return answer("cudnnSetTensor4dDescriptor", [&] {
        require_parameter(tensor != nullptr, "the descriptor is null");
        require_parameter(n > 0 && c > 0 && h > 0 && w > 0, "a dimension is not positive");
        require(format == CUDNN_TENSOR_NHWC || format == CUDNN_TENSOR_NCHW, CUDNN_STATUS_NOT_SUPPORTED_LAYOUT, "neither NHWC nor NCHW");
        Number number = number_of(type);
        require(static_cast<double>(n) * c * h * w < 2147483648.0, CUDNN_STATUS_NOT_SUPPORTED, "more than 2^31 - 1 elements");
        if (format == CUDNN_TENSOR_NHWC)
            *tensor = cudnnTensorStruct{true, number, n, c, h, w, h * w * c, 1, w * c, c};
        else
            *tensor = cudnnTensorStruct{true, number, n, c, h, w, c * h * w, h * w, w, 1};
    });
}

SLTT_API cudnnStatus_t cudnnGetTensor4dDescriptor(cudnnTensorDescriptor_t tensor, cudnnDataType_t* type, int* n, int* c, int* h, int* w,
                                                  int* n_stride, int* c_stride, int* h_stride, int* w_stride) {
    return answer("cudnnGetTensor4dDescriptor", [&] {
        require_parameter(tensor != nullptr && tensor->set, "the descriptor is null or not set");
        store(type, data_type_of(tensor->type));
        store(n, tensor->n), store(c, tensor->c), store(h, tensor->h), store(w, tensor->w);
        store(n_stride, tensor->n_stride), store(c_stride, tensor->c_stride);
        store(h_stride, tensor->h_stride), store(w_stride, tensor->w_stride);
    });
}

// The statistics' and parameters' descriptor for batch normalisation of x: (1, c, 1, 1), in float for all types of x.
SLTT_API cudnnStatus_t cudnnDeriveBNTensorDescriptor(cudnnTensorDescriptor_t derived, cudnnTensorDescriptor_t x,
                                                     cudnnBatchNormMode_t mode) {
    return answer("cudnnDeriveBNTensorDescriptor", [&] {
        require_parameter(derived != nullptr && x != nullptr && x->set, "a descriptor is null or not set");
        require(mode == CUDNN_BATCHNORM_SPATIAL || mode == CUDNN_BATCHNORM_SPATIAL_PERSISTENT, CUDNN_STATUS_NOT_SUPPORTED,
                "only spatial batch normalisation is served");
        *derived = cudnnTensorStruct{true, Number::Float, 1, x->c, 1, 1, x->c, 1, 1, 1};
    });
}

// ---- Filters ---------------------------------------------------------------------------------------------------------

SLTT_API cudnnStatus_t cudnnCreateFilterDescriptor(cudnnFilterDescriptor_t* out) { return create("cudnnCreateFilterDescriptor", out); }
SLTT_API cudnnStatus_t cudnnDestroyFilterDescriptor(cudnnFilterDescriptor_t filter) { return destroy(filter); }

SLTT_API cudnnStatus_t cudnnSetFilter4dDescriptor(cudnnFilterDescriptor_t filter, cudnnDataType_t type, cudnnTensorFormat_t format,
                                                  int k, int c, int h, int w) {
    return answer("cudnnSetFilter4dDescriptor", [&] {
        require_parameter(filter != nullptr, "the descriptor is null");
        require_parameter(k > 0 && c > 0 && h > 0 && w > 0, "a dimension is not positive");
        require(format == CUDNN_TENSOR_NHWC || format == CUDNN_TENSOR_NCHW, CUDNN_STATUS_NOT_SUPPORTED_LAYOUT, "neither NHWC nor NCHW");
        Number number = number_of(type);
        require(static_cast<double>(k) * c * h * w < 2147483648.0, CUDNN_STATUS_NOT_SUPPORTED, "more than 2^31 - 1 elements");
        *filter = cudnnFilterStruct{true, number, format, k, c, h, w};
    });
}

SLTT_API cudnnStatus_t cudnnGetFilter4dDescriptor(cudnnFilterDescriptor_t filter, cudnnDataType_t* type, cudnnTensorFormat_t* format,
                                                  int* k, int* c, int* h, int* w) {
    return answer("cudnnGetFilter4dDescriptor", [&] {
        require_parameter(filter != nullptr && filter->set, "the descriptor is null or not set");
        store(type, data_type_of(filter->type)), store(format, filter->format);
        store(k, filter->k), store(c, filter->c), store(h, filter->h), store(w, filter->w);
    });
}

// ---- Convolutions ----------------------------------------------------------------------------------------------------

SLTT_API cudnnStatus_t cudnnCreateConvolutionDescriptor(cudnnConvolutionDescriptor_t* out) {
    return create("cudnnCreateConvolutionDescriptor", out);
}
SLTT_API cudnnStatus_t cudnnDestroyConvolutionDescriptor(cudnnConvolutionDescriptor_t convolution) { return destroy(convolution); }

SLTT_API cudnnStatus_t cudnnSetConvolution2dDescriptor(cudnnConvolutionDescriptor_t convolution, int pad_h, int pad_w, int stride_h,
                                                       int stride_w, int dilation_h, int dilation_w, cudnnConvolutionMode_t mode,
                                                       cudnnDataType_t compute_type) {
    return answer("cudnnSetConvolution2dDescriptor", [&] {
        require_parameter(convolution != nullptr, "the descriptor is null");
        require_parameter(pad_h >= 0 && pad_w >= 0, "a padding is negative");
        require_parameter(stride_h > 0 && stride_w > 0 && dilation_h > 0 && dilation_w > 0, "a stride or dilation is not positive");
        require_parameter(mode == CUDNN_CONVOLUTION || mode == CUDNN_CROSS_CORRELATION, "no such convolution mode");
        cudnnMathType_t math_type = convolution->math_type;
        *convolution =
            cudnnConvolutionStruct{true, pad_h, pad_w, stride_h, stride_w, dilation_h, dilation_w, mode, compute_type, math_type};
    });
}

SLTT_API cudnnStatus_t cudnnSetConvolutionMathType(cudnnConvolutionDescriptor_t convolution, cudnnMathType_t type) {
    return answer("cudnnSetConvolutionMathType", [&] {
        require_parameter(convolution != nullptr && type >= CUDNN_DEFAULT_MATH && type <= CUDNN_FMA_MATH, "null, or no such math type");
        convolution->math_type = type;
    });
}

// ---- Pooling ---------------------------------------------------------------------------------------------------------

SLTT_API cudnnStatus_t cudnnCreatePoolingDescriptor(cudnnPoolingDescriptor_t* out) { return create("cudnnCreatePoolingDescriptor", out); }
SLTT_API cudnnStatus_t cudnnDestroyPoolingDescriptor(cudnnPoolingDescriptor_t pooling) { return destroy(pooling); }

SLTT_API cudnnStatus_t cudnnSetPooling2dDescriptor(cudnnPoolingDescriptor_t pooling, cudnnPoolingMode_t mode, cudnnNanPropagation_t nan,
                                                   int window_h, int window_w, int pad_h, int pad_w, int stride_h, int stride_w) {
    return answer("cudnnSetPooling2dDescriptor", [&] {
        require_parameter(pooling != nullptr, "the descriptor is null");
        require_parameter(mode >= CUDNN_POOLING_MAX && mode <= CUDNN_POOLING_MAX_DETERMINISTIC, "no such pooling mode");
        require_parameter(nan == CUDNN_NOT_PROPAGATE_NAN || nan == CUDNN_PROPAGATE_NAN, "no such NaN option");
        require_parameter(window_h > 0 && window_w > 0 && stride_h > 0 && stride_w > 0, "a window or stride is not positive");
        require_parameter(pad_h >= 0 && pad_w >= 0 && pad_h < window_h && pad_w < window_w,
                          "a padding is negative or as large as the window");
        *pooling = cudnnPoolingStruct{true, mode, nan, window_h, window_w, pad_h, pad_w, stride_h, stride_w};
    });
}
