// The part of cuBLAS's C interface (as in cublas_api.h of CUDA 12) that the CPU device serves: matrix products by oneDNN's sgemm.
// cuBLAS's matrices are column-major, oneDNN's row-major, so oneDNN computes the transposed product C' = op(B)' op(A)'.
// half and bfloat16 are computed in float and rounded at the end.
#include <dnnl.h>

#include <algorithm>
#include <new>
#include <vector>

#include "dnn/onednn.h"
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
enum cudaDataType : int { CUDA_R_32F = 0, CUDA_R_16F = 2, CUDA_R_16BF = 14 };

struct cublasContext {
    CUstream stream = nullptr;
    bool workspace = false;  // the caller gave some
};
using cublasHandle_t = cublasContext*;

namespace {

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
    OpenMpThreads one(1);  // oneDNN splits sums among threads. Products are small: a network's last layer.
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

SLTT_API cublasStatus_t cublasSetStream_v2(cublasHandle_t handle, CUstream stream) {
    if (handle == nullptr) return CUBLAS_STATUS_NOT_INITIALIZED;
    if (check_stream(stream) != CUDA_SUCCESS) return CUBLAS_STATUS_INVALID_VALUE;
    handle->stream = stream;
    handle->workspace = false;  // cuBLAS resets it too
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
SLTT_API cublasStatus_t cublasSgemmEx(cublasHandle_t handle, cublasOperation_t op_a, cublasOperation_t op_b, int m, int n, int k,
                                      const float* alpha, const void* a, cudaDataType a_type, int lda, const void* b, cudaDataType b_type,
                                      int ldb, const float* beta, void* c, cudaDataType c_type, int ldc) {
    return gemm("cublasSgemmEx", handle, op_a, op_b, m, n, k, alpha, a, a_type, lda, b, b_type, ldb, beta, c, c_type, ldc);
}
