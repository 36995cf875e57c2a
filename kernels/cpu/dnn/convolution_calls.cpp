// cuDNN's convolution calls. convolution_choice.h says how a convolution is computed.
//
// Each pass offers one algorithm, deterministic and in float, under the number of cuDNN's algorithm of the same kind. A call must bring
// the workspace that cudnnGetConvolution*WorkspaceSize names.
#include <chrono>
#include <memory>

#include "dnn/convolution_choice.h"
#include "dnn/convolution_shape.h"

using namespace sltt_cpu;

namespace {

// The algorithm offered for a pass, and the cuDNN algorithm that is accepted as a synonym.
struct Offer {
    ConvolutionPass pass;
    int algorithm, synonym, count;
};
constexpr Offer FORWARD{ConvolutionPass::Forward, CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM,
                        CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_GEMM, CUDNN_CONVOLUTION_FWD_ALGO_COUNT};
constexpr Offer BACKWARD_DATA{ConvolutionPass::BackwardData, CUDNN_CONVOLUTION_BWD_DATA_ALGO_1, CUDNN_CONVOLUTION_BWD_DATA_ALGO_0,
                              CUDNN_CONVOLUTION_BWD_DATA_ALGO_COUNT};
constexpr Offer BACKWARD_FILTER{ConvolutionPass::BackwardFilter, CUDNN_CONVOLUTION_BWD_FILTER_ALGO_1, CUDNN_CONVOLUTION_BWD_FILTER_ALGO_0,
                                CUDNN_CONVOLUTION_BWD_FILTER_ALGO_COUNT};

void require_algorithm(const Offer& offer, int algorithm) {
    require_parameter(algorithm >= 0 && algorithm < offer.count, "no such algorithm");
    require(algorithm == offer.algorithm || algorithm == offer.synonym, CUDNN_STATUS_NOT_SUPPORTED, "the algorithm is not served");
}

// Tensor cores are offered where all channels are multiples of 8. Elsewhere cuDNN may offer a 16-bit convolution without tensor cores
// only, and refuse it on a descriptor that asks for them. The result is the same here: this tests that the host asks correctly.
cudnnMathType_t offered_math(const ConvolutionShape& shape, Number type, cudnnMathType_t asked) {
    bool tensor_cores = asked == CUDNN_TENSOR_OP_MATH || asked == CUDNN_TENSOR_OP_MATH_ALLOW_CONVERSION;
    return tensor_cores && type != Number::Float && (shape.c % 8 != 0 || shape.k % 8 != 0) ? CUDNN_FMA_MATH : asked;
}
void require_math(const ConvolutionShape& shape, Number type, cudnnMathType_t asked) {
    require(offered_math(shape, type, asked) == asked, CUDNN_STATUS_NOT_SUPPORTED,
            "the algorithm is offered in another math than the descriptor says");
}

ConvolutionCall checked_call(const Offer& offer, const ConvolutionShape& shape, Number type, float alpha, float beta,
                             const void* x, const void* filter, const void* y, void* workspace, size_t workspace_bytes) {
    require(x != nullptr && filter != nullptr && y != nullptr, CUDNN_STATUS_BAD_PARAM_NULL_POINTER, "x, the filter or y is null");
    size_t needed = convolution_workspace(offer.pass, shape, type), item = bytes_of(type);
    require_parameter(workspace_bytes >= needed, "the workspace is smaller than cudnnGetConvolution*WorkspaceSize says");
    require(workspace != nullptr, CUDNN_STATUS_BAD_PARAM_NULL_POINTER, "the workspace is null");
    require_parameter(reinterpret_cast<uintptr_t>(workspace) % 64 == 0, "the workspace is not aligned to 64 bytes");
    require_device(x, shape.n * shape.x_image() * item, "x is not in device memory");
    require_device(filter, shape.filter_count() * item, "the filter is not in device memory");
    require_device(y, shape.n * shape.y_image() * item, "y is not in device memory");
    require_device(workspace, needed, "the workspace is not in device memory");
    return {offer.pass, shape, type, alpha, beta, const_cast<void*>(x), const_cast<void*>(filter), const_cast<void*>(y), workspace};
}

void run(cudnnHandle_t handle, const char* name, const Offer& offer, int algorithm, const ConvolutionShape& shape, cudnnMathType_t math,
         Number type, const void* alpha, const void* beta, const void* x, const void* filter, const void* y, void* workspace,
         size_t workspace_bytes) {
    require_parameter(handle != nullptr, "the handle is null");
    require_algorithm(offer, algorithm);
    require_math(shape, type, math);
    ConvolutionCall call =
        checked_call(offer, shape, type, host_scalar(alpha), host_scalar(beta), x, filter, y, workspace, workspace_bytes);
    submit(handle, name, convolution_work(call));
}

template <class Algo>
ConvolutionPerf<Algo> perf(const Offer& offer, cudnnMathType_t math, float time, size_t memory) {
    return {static_cast<Algo>(offer.algorithm), CUDNN_STATUS_SUCCESS, time, memory, CUDNN_DETERMINISTIC, math, {}};
}

void require_places(cudnnHandle_t handle, int requested, const int* returned, const void* results) {
    require_parameter(handle != nullptr && returned != nullptr && results != nullptr, "the handle or a place for the answer is null");
    require_parameter(requested > 0, "no algorithm is requested");
}

// cudnnGetConvolution*Algorithm_v7: nothing runs; the time is -1, as from cuDNN's heuristics.
template <class Algo>
void suggest(cudnnHandle_t handle, const Offer& offer, const ConvolutionShape& shape, cudnnConvolutionDescriptor_t convolution,
             Number type, int requested, int* returned, ConvolutionPerf<Algo>* results) {
    require_places(handle, requested, returned, results);
    results[0] = perf<Algo>(offer, offered_math(shape, type, convolution->math_type), -1, convolution_workspace(offer.pass, shape, type));
    *returned = 1;
}

// cudnnFindConvolution*AlgorithmEx: runs the convolution, over the result's memory, and measures its second run.
template <class Algo>
void find(cudnnHandle_t handle, const char* name, const Offer& offer, const ConvolutionShape& shape,
          cudnnConvolutionDescriptor_t convolution, Number type, const void* x, const void* filter, const void* y, int requested,
          int* returned, ConvolutionPerf<Algo>* results, void* workspace, size_t workspace_bytes) {
    require_places(handle, requested, returned, results);
    require(!is_capturing(handle->stream), CUDNN_STATUS_NOT_SUPPORTED, "a search runs the algorithms, so the stream must not be capturing");
    auto work = convolution_work(checked_call(offer, shape, type, 1, 0, x, filter, y, workspace, workspace_bytes));
    auto milliseconds = std::make_shared<float>(-1.0f);
    submit(handle, name, [work, milliseconds] {
        work();
        auto start = std::chrono::steady_clock::now();
        work();
        *milliseconds = std::chrono::duration<float, std::milli>(std::chrono::steady_clock::now() - start).count();
    });
    require(synchronize(handle->stream) == CUDA_SUCCESS, CUDNN_STATUS_EXECUTION_FAILED, "the stream failed");
    results[0] = perf<Algo>(offer, offered_math(shape, type, convolution->math_type), *milliseconds,
                            convolution_workspace(offer.pass, shape, type));
    *returned = 1;
}

cudnnStatus_t algorithm_count(const char* name, cudnnHandle_t handle, int* count) {
    return answer(name, [&] {
        require_parameter(handle != nullptr && count != nullptr, "the handle or the place for the count is null");
        *count = 1;
    });
}

cudnnStatus_t workspace_size(const char* name, cudnnHandle_t handle, const Offer& offer, int algorithm, cudnnTensorDescriptor_t x,
                             cudnnFilterDescriptor_t w, cudnnConvolutionDescriptor_t convolution, cudnnTensorDescriptor_t y,
                             size_t* bytes) {
    return answer(name, [&] {
        require_parameter(handle != nullptr && bytes != nullptr, "the handle or the place for the size is null");
        ConvolutionShape shape = convolution_shape(x, w, convolution, y);
        require_algorithm(offer, algorithm);
        require_math(shape, x->type, convolution->math_type);
        *bytes = convolution_workspace(offer.pass, shape, x->type);
    });
}

}  // namespace

// ---- Forward ---------------------------------------------------------------------------------------------------------

SLTT_API cudnnStatus_t cudnnGetConvolutionForwardAlgorithmMaxCount(cudnnHandle_t handle, int* count) {
    return algorithm_count("cudnnGetConvolutionForwardAlgorithmMaxCount", handle, count);
}

SLTT_API cudnnStatus_t cudnnGetConvolutionForwardAlgorithm_v7(cudnnHandle_t handle, cudnnTensorDescriptor_t x, cudnnFilterDescriptor_t w,
                                                              cudnnConvolutionDescriptor_t convolution, cudnnTensorDescriptor_t y,
                                                              int requested, int* returned, cudnnConvolutionFwdAlgoPerf_t* results) {
    return answer("cudnnGetConvolutionForwardAlgorithm_v7", [&] {
        suggest(handle, FORWARD, convolution_shape(x, w, convolution, y), convolution, x->type, requested, returned, results);
    });
}

SLTT_API cudnnStatus_t cudnnFindConvolutionForwardAlgorithmEx(cudnnHandle_t handle, cudnnTensorDescriptor_t x_desc, const void* x,
                                                              cudnnFilterDescriptor_t w_desc, const void* w,
                                                              cudnnConvolutionDescriptor_t convolution, cudnnTensorDescriptor_t y_desc,
                                                              void* y, int requested, int* returned, cudnnConvolutionFwdAlgoPerf_t* results,
                                                              void* workspace, size_t workspace_bytes) {
    constexpr const char* name = "cudnnFindConvolutionForwardAlgorithmEx";
    return answer(name, [&] {
        find(handle, name, FORWARD, convolution_shape(x_desc, w_desc, convolution, y_desc), convolution, x_desc->type, x, w, y, requested,
             returned, results, workspace, workspace_bytes);
    });
}

SLTT_API cudnnStatus_t cudnnGetConvolutionForwardWorkspaceSize(cudnnHandle_t handle, cudnnTensorDescriptor_t x, cudnnFilterDescriptor_t w,
                                                               cudnnConvolutionDescriptor_t convolution, cudnnTensorDescriptor_t y,
                                                               cudnnConvolutionFwdAlgo_t algorithm, size_t* bytes) {
    return workspace_size("cudnnGetConvolutionForwardWorkspaceSize", handle, FORWARD, algorithm, x, w, convolution, y, bytes);
}

// y = alpha * conv(x, w) + beta * y
SLTT_API cudnnStatus_t cudnnConvolutionForward(cudnnHandle_t handle, const void* alpha, cudnnTensorDescriptor_t x_desc, const void* x,
                                               cudnnFilterDescriptor_t w_desc, const void* w, cudnnConvolutionDescriptor_t convolution,
                                               cudnnConvolutionFwdAlgo_t algorithm, void* workspace, size_t workspace_bytes,
                                               const void* beta, cudnnTensorDescriptor_t y_desc, void* y) {
    constexpr const char* name = "cudnnConvolutionForward";
    return answer(name, [&] {
        run(handle, name, FORWARD, algorithm, convolution_shape(x_desc, w_desc, convolution, y_desc), convolution->math_type, x_desc->type,
            alpha, beta, x, w, y, workspace, workspace_bytes);
    });
}

// ---- Backward data ---------------------------------------------------------------------------------------------------

SLTT_API cudnnStatus_t cudnnGetConvolutionBackwardDataAlgorithmMaxCount(cudnnHandle_t handle, int* count) {
    return algorithm_count("cudnnGetConvolutionBackwardDataAlgorithmMaxCount", handle, count);
}

SLTT_API cudnnStatus_t cudnnGetConvolutionBackwardDataAlgorithm_v7(cudnnHandle_t handle, cudnnFilterDescriptor_t w,
                                                                   cudnnTensorDescriptor_t dy, cudnnConvolutionDescriptor_t convolution,
                                                                   cudnnTensorDescriptor_t dx, int requested, int* returned,
                                                                   cudnnConvolutionBwdDataAlgoPerf_t* results) {
    return answer("cudnnGetConvolutionBackwardDataAlgorithm_v7", [&] {
        suggest(handle, BACKWARD_DATA, convolution_shape(dx, w, convolution, dy), convolution, dx->type, requested, returned, results);
    });
}

SLTT_API cudnnStatus_t cudnnFindConvolutionBackwardDataAlgorithmEx(cudnnHandle_t handle, cudnnFilterDescriptor_t w_desc, const void* w,
                                                                   cudnnTensorDescriptor_t dy_desc, const void* dy,
                                                                   cudnnConvolutionDescriptor_t convolution,
                                                                   cudnnTensorDescriptor_t dx_desc, void* dx, int requested, int* returned,
                                                                   cudnnConvolutionBwdDataAlgoPerf_t* results, void* workspace,
                                                                   size_t workspace_bytes) {
    constexpr const char* name = "cudnnFindConvolutionBackwardDataAlgorithmEx";
    return answer(name, [&] {
        find(handle, name, BACKWARD_DATA, convolution_shape(dx_desc, w_desc, convolution, dy_desc), convolution, dx_desc->type, dx, w, dy,
             requested, returned, results, workspace, workspace_bytes);
    });
}

SLTT_API cudnnStatus_t cudnnGetConvolutionBackwardDataWorkspaceSize(cudnnHandle_t handle, cudnnFilterDescriptor_t w,
                                                                    cudnnTensorDescriptor_t dy, cudnnConvolutionDescriptor_t convolution,
                                                                    cudnnTensorDescriptor_t dx, cudnnConvolutionBwdDataAlgo_t algorithm,
                                                                    size_t* bytes) {
    return workspace_size("cudnnGetConvolutionBackwardDataWorkspaceSize", handle, BACKWARD_DATA, algorithm, dx, w, convolution, dy, bytes);
}

// dx = alpha * (gradient of x) + beta * dx
SLTT_API cudnnStatus_t cudnnConvolutionBackwardData(cudnnHandle_t handle, const void* alpha, cudnnFilterDescriptor_t w_desc, const void* w,
                                                    cudnnTensorDescriptor_t dy_desc, const void* dy,
                                                    cudnnConvolutionDescriptor_t convolution, cudnnConvolutionBwdDataAlgo_t algorithm,
                                                    void* workspace, size_t workspace_bytes, const void* beta,
                                                    cudnnTensorDescriptor_t dx_desc, void* dx) {
    constexpr const char* name = "cudnnConvolutionBackwardData";
    return answer(name, [&] {
        run(handle, name, BACKWARD_DATA, algorithm, convolution_shape(dx_desc, w_desc, convolution, dy_desc), convolution->math_type,
            dx_desc->type, alpha, beta, dx, w, dy, workspace, workspace_bytes);
    });
}

// ---- Backward filter -------------------------------------------------------------------------------------------------

SLTT_API cudnnStatus_t cudnnGetConvolutionBackwardFilterAlgorithmMaxCount(cudnnHandle_t handle, int* count) {
    return algorithm_count("cudnnGetConvolutionBackwardFilterAlgorithmMaxCount", handle, count);
}

SLTT_API cudnnStatus_t cudnnGetConvolutionBackwardFilterAlgorithm_v7(cudnnHandle_t handle, cudnnTensorDescriptor_t x,
                                                                     cudnnTensorDescriptor_t dy, cudnnConvolutionDescriptor_t convolution,
                                                                     cudnnFilterDescriptor_t dw, int requested, int* returned,
                                                                     cudnnConvolutionBwdFilterAlgoPerf_t* results) {
    return answer("cudnnGetConvolutionBackwardFilterAlgorithm_v7", [&] {
        suggest(handle, BACKWARD_FILTER, convolution_shape(x, dw, convolution, dy), convolution, x->type, requested, returned, results);
    });
}

SLTT_API cudnnStatus_t cudnnFindConvolutionBackwardFilterAlgorithmEx(cudnnHandle_t handle, cudnnTensorDescriptor_t x_desc, const void* x,
                                                                     cudnnTensorDescriptor_t dy_desc, const void* dy,
                                                                     cudnnConvolutionDescriptor_t convolution,
                                                                     cudnnFilterDescriptor_t dw_desc, void* dw, int requested,
                                                                     int* returned, cudnnConvolutionBwdFilterAlgoPerf_t* results,
                                                                     void* workspace, size_t workspace_bytes) {
    constexpr const char* name = "cudnnFindConvolutionBackwardFilterAlgorithmEx";
    return answer(name, [&] {
        find(handle, name, BACKWARD_FILTER, convolution_shape(x_desc, dw_desc, convolution, dy_desc), convolution, x_desc->type, x, dw, dy,
             requested, returned, results, workspace, workspace_bytes);
    });
}

SLTT_API cudnnStatus_t cudnnGetConvolutionBackwardFilterWorkspaceSize(cudnnHandle_t handle, cudnnTensorDescriptor_t x,
                                                                      cudnnTensorDescriptor_t dy, cudnnConvolutionDescriptor_t convolution,
                                                                      cudnnFilterDescriptor_t dw, cudnnConvolutionBwdFilterAlgo_t algorithm,
                                                                      size_t* bytes) {
    return workspace_size("cudnnGetConvolutionBackwardFilterWorkspaceSize", handle, BACKWARD_FILTER, algorithm, x, dw, convolution, dy,
                          bytes);
}

// dw = alpha * (gradient of w) + beta * dw
SLTT_API cudnnStatus_t cudnnConvolutionBackwardFilter(cudnnHandle_t handle, const void* alpha, cudnnTensorDescriptor_t x_desc,
                                                      const void* x, cudnnTensorDescriptor_t dy_desc, const void* dy,
                                                      cudnnConvolutionDescriptor_t convolution, cudnnConvolutionBwdFilterAlgo_t algorithm,
                                                      void* workspace, size_t workspace_bytes, const void* beta,
                                                      cudnnFilterDescriptor_t dw_desc, void* dw) {
    constexpr const char* name = "cudnnConvolutionBackwardFilter";
    return answer(name, [&] {
        run(handle, name, BACKWARD_FILTER, algorithm, convolution_shape(x_desc, dw_desc, convolution, dy_desc), convolution->math_type,
            x_desc->type, alpha, beta, x, dw, dy, workspace, workspace_bytes);
    });
}
