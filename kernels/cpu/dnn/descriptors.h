// What cuDNN's opaque handles and descriptors hold on the CPU device, and how a call is checked and answered.
#pragma once

#include <dnnl.hpp>
#include <new>
#include <utility>

#include "dnn/cudnn_api.h"
#include "numbers.h"
#include "runtime/stream.h"

struct cudnnContext {
    CUstream stream = nullptr;
};

struct cudnnTensorStruct {
    bool set = false;
    sltt_cpu::Number type = sltt_cpu::Number::Float;
    int n = 0, c = 0, h = 0, w = 0;
    int n_stride = 0, c_stride = 0, h_stride = 0, w_stride = 0;

    size_t count() const { return (size_t)n * c * h * w; }
    // Rows of an NHWC tensor: its pixels.
    size_t rows() const { return (size_t)n * h * w; }
    bool packed_nhwc() const;
    bool same_shape(const cudnnTensorStruct& o) const { return n == o.n && c == o.c && h == o.h && w == o.w; }
};

struct cudnnFilterStruct {
    bool set = false;
    sltt_cpu::Number type = sltt_cpu::Number::Float;
    cudnnTensorFormat_t format = CUDNN_TENSOR_NHWC;
    int k = 0, c = 0, h = 0, w = 0;

    size_t count() const { return (size_t)k * c * h * w; }
};

struct cudnnConvolutionStruct {
    bool set = false;
    int pad_h = 0, pad_w = 0, stride_h = 1, stride_w = 1, dilation_h = 1, dilation_w = 1;
    cudnnConvolutionMode_t mode = CUDNN_CROSS_CORRELATION;
    cudnnDataType_t compute_type = CUDNN_DATA_FLOAT;
    cudnnMathType_t math_type = CUDNN_DEFAULT_MATH;
};

struct cudnnPoolingStruct {
    bool set = false;
    cudnnPoolingMode_t mode = CUDNN_POOLING_MAX;
    cudnnNanPropagation_t nan = CUDNN_NOT_PROPAGATE_NAN;
    int window_h = 0, window_w = 0, pad_h = 0, pad_w = 0, stride_h = 1, stride_w = 1;
};

namespace sltt_cpu {

// Thrown inside a call; answer() turns it into the call's status.
struct DnnError {
    cudnnStatus_t status;
    const char* reason;
};

inline void require(bool condition, cudnnStatus_t status, const char* reason) {
    if (!condition) throw DnnError{status, reason};
}
inline void require_parameter(bool condition, const char* reason) { require(condition, CUDNN_STATUS_BAD_PARAM, reason); }

// Stores the reason for cudnnGetLastErrorString(), and writes it on stderr where SLTT_CPU_VERBOSE is set.
void report_failure(const char* call, const char* reason) noexcept;

// Throws NOT_SUPPORTED_DATA_TYPE for types that the device does not compute with.
Number number_of(cudnnDataType_t type);
cudnnDataType_t data_type_of(Number type);

// Gives work to the handle's stream, or throws.
void submit(cudnnHandle_t handle, const char* call, std::function<void()> work);

// Throws BAD_PARAM unless `bytes` bytes at `pointer` are device memory.
void require_device(const void* pointer, size_t bytes, const char* reason);

// The scalar that a host pointer holds; cuDNN's scalars are float for the types served here.
inline float host_scalar(const void* pointer) {
    require(pointer != nullptr, CUDNN_STATUS_BAD_PARAM_NULL_POINTER, "alpha or beta is null");
    return *static_cast<const float*>(pointer);
}

// Throws BAD_PARAM unless the descriptor exists and is set, NOT_SUPPORTED_LAYOUT unless it is packed NHWC.
void require_activations(cudnnTensorDescriptor_t tensor, const char* reason);

// Runs a C call's body, and turns what it throws into the call's status.
template <class F> cudnnStatus_t answer(const char* call, F&& body) noexcept {
    try {
        body();
        return CUDNN_STATUS_SUCCESS;
    } catch (const DnnError& e) {
        report_failure(call, e.reason);
        return e.status;
    } catch (const dnnl::error& e) {
        report_failure(call, e.message);
        if (e.status == dnnl_unimplemented) return CUDNN_STATUS_NOT_SUPPORTED;
        if (e.status == dnnl_out_of_memory) return CUDNN_STATUS_INTERNAL_ERROR_HOST_ALLOCATION_FAILED;
        return CUDNN_STATUS_EXECUTION_FAILED;
    } catch (const std::bad_alloc&) {
        report_failure(call, "out of host memory");
        return CUDNN_STATUS_INTERNAL_ERROR_HOST_ALLOCATION_FAILED;
    } catch (...) {
        report_failure(call, "unexpected failure");
        return CUDNN_STATUS_INTERNAL_ERROR;
    }
}

}  // namespace sltt_cpu
