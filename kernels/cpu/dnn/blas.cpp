// The part of cuBLAS's C interface (as in cublas_api.h of CUDA 12) that the CPU device serves: matrix products by oneDNN's sgemm.
// cuBLAS's matrices are column-major, oneDNN's row-major, so oneDNN computes the transposed product C' = op(B)' op(A)'.
// half and bfloat16 are computed in float and rounded at the end.
#include <dnnl.h>

#include <algorithm>
#include <new>
#include <vector>

#include "numbers.h"
#include "runtime/memory.h"
#include "runtime/stream.h"

using namespace sltt_cpu;

enum cublasStatus_t : int {
    CUBLAS_STATUS_SUCCESS = 0,
    CUBLAS_STATUS_NOT_INITIALIZED = 1,
    CUBLAS_STATUS_ALLOC_FAILED = 3,
    CUBLAS_STATUS_INVALID_VALUE = 7,
    CUBLAS_STATUS_EXECUTION_FAILED = 13,
    CUBLAS_STATUS_INTERNAL_ERROR = 14,
    CUBLAS_STATUS_NOT_SUPPORTED = 15,
};
enum cublasOperation_t : int { CUBLAS_OP_N = 0, CUBLAS_OP_T = 1, CUBLAS_OP_C = 2 };
enum cublasPointerMode_t : int { CUBLAS_POINTER_MODE_HOST = 0, CUBLAS_POINTER_MODE_DEVICE = 1 };
enum cublasAtomicsMode_t : int { CUBLAS_ATOMICS_NOT_ALLOWED = 0, CUBLAS_ATOMICS_ALLOWED = 1 };
enum cublasMath_t : int {
    CUBLAS_DEFAULT_MATH = 0,
    CUBLAS_TENSOR_OP_MATH = 1,
    CUBLAS_PEDANTIC_MATH = 2,
    CUBLAS_TF32_TENSOR_OP_MATH = 3,
    CUBLAS_MATH_DISALLOW_REDUCED_PRECISION_REDUCTION = 16,
};
enum cublasComputeType_t : int {
    CUBLAS_COMPUTE_32F = 68,
    CUBLAS_COMPUTE_32F_PEDANTIC = 69,
    CUBLAS_COMPUTE_32F_FAST_16F = 74,
    CUBLAS_COMPUTE_32F_FAST_16BF = 75,
    CUBLAS_COMPUTE_32F_FAST_TF32 = 77,
};
enum cudaDataType : int { CUDA_R_32F = 0, CUDA_R_16F = 2, CUDA_R_16BF = 14 };
using cublasGemmAlgo_t = int;

struct cublasContext {
    CUstream stream = nullptr;
    cublasMath_t math = CUBLAS_DEFAULT_MATH;
    bool workspace = false;  // the caller gave some
};
using cublasHandle_t = cublasContext*;

namespace {

constexpr int VERSION = 120000;  // cuBLAS 12.0's interface

// A column-major matrix in memory, `rows` x `columns`, columns `stride` elements apart.
struct Matrix {
    const void* data;
    Number type;
    int64_t rows, columns, stride;
    size_t extent() const { return rows == 0 || columns == 0 ? 0 : (size_t)((columns - 1) * stride + rows); }
    size_t bytes() const { return extent() * (type == Number::Float ? 4 : 2); }
};

bool known(cudaDataType type) { return type == CUDA_R_32F || type == CUDA_R_16F || type == CUDA_R_16BF; }
Number number_type(cudaDataType type) {
    return type == CUDA_R_32F ? Number::Float : type == CUDA_R_16F ? Number::Half : Number::Bfloat16;
}

// The matrix in float, with the same stride: in place, or widened into `copy`.
const float* in_float(const Matrix& m, std::vector<float>& copy) {
    if (m.type == Number::Float) return static_cast<const float*>(m.data);
    copy.resize(m.extent());
    widen_parallel(copy.data(), m.data, m.type, copy.size());
    return copy.data();
}

// c = alpha * op(a) op(b) + beta * c
void multiply(bool transpose_a, bool transpose_b, int64_t inner, float alpha, const Matrix& a, const Matrix& b, float beta,
              const Matrix& c) {
    std::vector<float> a_copy, b_copy, product;
    const float* a_data = in_float(a, a_copy);
    const float* b_data = in_float(b, b_copy);
    void* out = const_cast<void*>(c.data);
    bool direct = c.type == Number::Float;
    if (!direct) product.resize((size_t)c.rows * c.columns);
    dnnl_status_t status =
        dnnl_sgemm(transpose_b ? 'T' : 'N', transpose_a ? 'T' : 'N', c.columns, c.rows, inner, alpha, b_data, b.stride, a_data, a.stride,
                   direct ? beta : 0.0f, direct ? static_cast<float*>(out) : product.data(), direct ? c.stride : c.rows);
    if (status != dnnl_success) throw DeviceError{CUDA_ERROR_LAUNCH_FAILED, "oneDNN's sgemm failed"};
    if (!direct)
        for (int64_t column = 0; column < c.columns; ++column)
            blend(element(out, c.type, column * c.stride), c.type, &product[column * c.rows], 1, beta, c.rows);
}

// c = beta * c
void scale(float beta, const Matrix& c) {
    std::vector<float> zero(c.rows);
    for (int64_t column = 0; column < c.columns; ++column)
        blend(element(const_cast<void*>(c.data), c.type, column * c.stride), c.type, zero.data(), 0, beta, c.rows);
}

cublasStatus_t gemm(const char* name, cublasHandle_t handle, cublasOperation_t op_a, cublasOperation_t op_b, int m, int n, int k,
                    const void* alpha, const void* a, cudaDataType a_type, int lda, const void* b, cudaDataType b_type, int ldb,
                    const void* beta, void* c, cudaDataType c_type, int ldc) noexcept {
    if (handle == nullptr) return CUBLAS_STATUS_NOT_INITIALIZED;
    auto operation = [](cublasOperation_t op) { return op == CUBLAS_OP_N || op == CUBLAS_OP_T || op == CUBLAS_OP_C; };
    if (!operation(op_a) || !operation(op_b) || m < 0 || n < 0 || k < 0 || alpha == nullptr || beta == nullptr)
        return CUBLAS_STATUS_INVALID_VALUE;
    if (!known(a_type) || !known(b_type) || !known(c_type) || a_type != b_type || (c_type != a_type && c_type != CUDA_R_32F))
        return CUBLAS_STATUS_NOT_SUPPORTED;
    bool transpose_a = op_a != CUBLAS_OP_N, transpose_b = op_b != CUBLAS_OP_N;
    Matrix A{a, number_type(a_type), transpose_a ? k : m, transpose_a ? m : k, lda};
    Matrix B{b, number_type(b_type), transpose_b ? n : k, transpose_b ? k : n, ldb};
    Matrix C{c, number_type(c_type), m, n, ldc};
    for (const Matrix& x : {A, B, C})
        if (x.stride < std::max<int64_t>(1, x.rows)) return CUBLAS_STATUS_INVALID_VALUE;
    if (m == 0 || n == 0) return CUBLAS_STATUS_SUCCESS;
    // On a GPU cuBLAS would allocate during the capture: the graph would allocate at each launch, or the call fails.
    if (!handle->workspace && is_capturing(handle->stream)) return CUBLAS_STATUS_NOT_SUPPORTED;
    float alpha_value = *static_cast<const float*>(alpha), beta_value = *static_cast<const float*>(beta);
    bool product = k > 0 && alpha_value != 0;
    for (const Matrix& x : {A, B, C})
        if ((product || x.data == C.data) && check_device_range(reinterpret_cast<CUdeviceptr>(x.data), x.bytes()) != CUDA_SUCCESS)
            return CUBLAS_STATUS_INVALID_VALUE;
    try {
        CUresult result = enqueue(handle->stream, [=] {
            if (product)
                multiply(transpose_a, transpose_b, k, alpha_value, A, B, beta_value, C);
            else
                scale(beta_value, C);
        }, name);
        return result == CUDA_SUCCESS ? CUBLAS_STATUS_SUCCESS : CUBLAS_STATUS_EXECUTION_FAILED;
    } catch (const std::bad_alloc&) {
        return CUBLAS_STATUS_ALLOC_FAILED;
    } catch (...) {
        return CUBLAS_STATUS_INTERNAL_ERROR;
    }
}

}  // namespace

SLTT_API cublasStatus_t cublasCreate_v2(cublasHandle_t* handle) {
    if (handle == nullptr) return CUBLAS_STATUS_INVALID_VALUE;
    if (check_context() != CUDA_SUCCESS) return CUBLAS_STATUS_NOT_INITIALIZED;
    *handle = new (std::nothrow) cublasContext();
    return *handle != nullptr ? CUBLAS_STATUS_SUCCESS : CUBLAS_STATUS_ALLOC_FAILED;
}
SLTT_API cublasStatus_t cublasDestroy_v2(cublasHandle_t handle) {
    if (handle == nullptr) return CUBLAS_STATUS_NOT_INITIALIZED;
    delete handle;
    return CUBLAS_STATUS_SUCCESS;
}

SLTT_API cublasStatus_t cublasGetVersion_v2(cublasHandle_t, int* version) {
    if (version == nullptr) return CUBLAS_STATUS_INVALID_VALUE;
    *version = VERSION;
    return CUBLAS_STATUS_SUCCESS;
}

SLTT_API cublasStatus_t cublasSetStream_v2(cublasHandle_t handle, CUstream stream) {
    if (handle == nullptr) return CUBLAS_STATUS_NOT_INITIALIZED;
    if (check_stream(stream) != CUDA_SUCCESS) return CUBLAS_STATUS_INVALID_VALUE;
    handle->stream = stream;
    handle->workspace = false;  // cuBLAS resets it too
    return CUBLAS_STATUS_SUCCESS;
}
SLTT_API cublasStatus_t cublasGetStream_v2(cublasHandle_t handle, CUstream* stream) {
    if (handle == nullptr) return CUBLAS_STATUS_NOT_INITIALIZED;
    if (stream == nullptr) return CUBLAS_STATUS_INVALID_VALUE;
    *stream = handle->stream;
    return CUBLAS_STATUS_SUCCESS;
}

// Products are always computed in float: every math mode is allowed, none changes a result.
SLTT_API cublasStatus_t cublasSetMathMode(cublasHandle_t handle, cublasMath_t mode) {
    if (handle == nullptr) return CUBLAS_STATUS_NOT_INITIALIZED;
    int kind = mode & ~CUBLAS_MATH_DISALLOW_REDUCED_PRECISION_REDUCTION;
    if (kind < CUBLAS_DEFAULT_MATH || kind > CUBLAS_TF32_TENSOR_OP_MATH) return CUBLAS_STATUS_INVALID_VALUE;
    handle->math = mode;
    return CUBLAS_STATUS_SUCCESS;
}
SLTT_API cublasStatus_t cublasGetMathMode(cublasHandle_t handle, cublasMath_t* mode) {
    if (handle == nullptr) return CUBLAS_STATUS_NOT_INITIALIZED;
    if (mode == nullptr) return CUBLAS_STATUS_INVALID_VALUE;
    *mode = handle->math;
    return CUBLAS_STATUS_SUCCESS;
}

// Scalars are read from the host only.
SLTT_API cublasStatus_t cublasSetPointerMode_v2(cublasHandle_t handle, cublasPointerMode_t mode) {
    if (handle == nullptr) return CUBLAS_STATUS_NOT_INITIALIZED;
    if (mode == CUBLAS_POINTER_MODE_DEVICE) return CUBLAS_STATUS_NOT_SUPPORTED;
    return mode == CUBLAS_POINTER_MODE_HOST ? CUBLAS_STATUS_SUCCESS : CUBLAS_STATUS_INVALID_VALUE;
}
SLTT_API cublasStatus_t cublasGetPointerMode_v2(cublasHandle_t handle, cublasPointerMode_t* mode) {
    if (handle == nullptr) return CUBLAS_STATUS_NOT_INITIALIZED;
    if (mode == nullptr) return CUBLAS_STATUS_INVALID_VALUE;
    *mode = CUBLAS_POINTER_MODE_HOST;
    return CUBLAS_STATUS_SUCCESS;
}

// There are no atomics here: nothing is ever non-deterministic.
SLTT_API cublasStatus_t cublasSetAtomicsMode(cublasHandle_t handle, cublasAtomicsMode_t mode) {
    if (handle == nullptr) return CUBLAS_STATUS_NOT_INITIALIZED;
    return mode == CUBLAS_ATOMICS_NOT_ALLOWED || mode == CUBLAS_ATOMICS_ALLOWED ? CUBLAS_STATUS_SUCCESS : CUBLAS_STATUS_INVALID_VALUE;
}
SLTT_API cublasStatus_t cublasGetAtomicsMode(cublasHandle_t handle, cublasAtomicsMode_t* mode) {
    if (handle == nullptr) return CUBLAS_STATUS_NOT_INITIALIZED;
    if (mode == nullptr) return CUBLAS_STATUS_INVALID_VALUE;
    *mode = CUBLAS_ATOMICS_NOT_ALLOWED;
    return CUBLAS_STATUS_SUCCESS;
}

// Checked but not used: oneDNN's sgemm allocates its packing buffers itself.
SLTT_API cublasStatus_t cublasSetWorkspace_v2(cublasHandle_t handle, void* workspace, size_t bytes) {
    if (handle == nullptr) return CUBLAS_STATUS_NOT_INITIALIZED;
    bool given = workspace != nullptr && bytes > 0;
    if (given && (reinterpret_cast<uintptr_t>(workspace) % 256 != 0 ||
                  check_device_range(reinterpret_cast<CUdeviceptr>(workspace), bytes) != CUDA_SUCCESS))
        return CUBLAS_STATUS_INVALID_VALUE;
    handle->workspace = given;
    return CUBLAS_STATUS_SUCCESS;
}

// C (m x n) = alpha * op(A) (m x k) op(B) (k x n) + beta * C, column-major
SLTT_API cublasStatus_t cublasSgemm_v2(cublasHandle_t handle, cublasOperation_t op_a, cublasOperation_t op_b, int m, int n, int k,
                                       const float* alpha, const float* a, int lda, const float* b, int ldb, const float* beta, float* c,
                                       int ldc) {
    return gemm("cublasSgemm", handle, op_a, op_b, m, n, k, alpha, a, CUDA_R_32F, lda, b, CUDA_R_32F, ldb, beta, c, CUDA_R_32F, ldc);
}

SLTT_API cublasStatus_t cublasSgemmEx(cublasHandle_t handle, cublasOperation_t op_a, cublasOperation_t op_b, int m, int n, int k,
                                      const float* alpha, const void* a, cudaDataType a_type, int lda, const void* b, cudaDataType b_type,
                                      int ldb, const float* beta, void* c, cudaDataType c_type, int ldc) {
    return gemm("cublasSgemmEx", handle, op_a, op_b, m, n, k, alpha, a, a_type, lda, b, b_type, ldb, beta, c, c_type, ldc);
}

// The scalars are float with every compute type served.
SLTT_API cublasStatus_t cublasGemmEx(cublasHandle_t handle, cublasOperation_t op_a, cublasOperation_t op_b, int m, int n, int k,
                                     const void* alpha, const void* a, cudaDataType a_type, int lda, const void* b, cudaDataType b_type,
                                     int ldb, const void* beta, void* c, cudaDataType c_type, int ldc, cublasComputeType_t compute,
                                     cublasGemmAlgo_t) {
    switch (compute) {
    case CUBLAS_COMPUTE_32F:
    case CUBLAS_COMPUTE_32F_PEDANTIC:
    case CUBLAS_COMPUTE_32F_FAST_16F:
    case CUBLAS_COMPUTE_32F_FAST_16BF:
    case CUBLAS_COMPUTE_32F_FAST_TF32: break;
    default: return handle == nullptr ? CUBLAS_STATUS_NOT_INITIALIZED : CUBLAS_STATUS_NOT_SUPPORTED;
    }
    return gemm("cublasGemmEx", handle, op_a, op_b, m, n, k, alpha, a, a_type, lda, b, b_type, ldb, beta, c, c_type, ldc);
}
