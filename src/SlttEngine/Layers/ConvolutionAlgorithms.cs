using ManagedCuda.CudaDNN;

namespace SlttEngine.Layers;

/// <summary>Chooses cuDNN's algorithm for a convolution pass: the first by its heuristics that is deterministic, as the official programs ask for.</summary>
internal static class ConvolutionAlgorithms
{
    /// <summary>No convolution may ask for more workspace than this, bytes.</summary>
    private const ulong WorkspaceLimit = 256UL << 20;

    public static cudnnConvolutionFwdAlgo Forward(CudaDNNContext dnn, TensorDescriptor x, FilterDescriptor w, ConvolutionDescriptor convolution, TensorDescriptor y) =>
        dnn.GetConvolutionForwardAlgorithm_v7(x, w, convolution, y, dnn.GetConvolutionForwardAlgorithmMaxCount())
            .First(p => Usable(p.status, p.determinism, p.memory)).algo;

    public static cudnnConvolutionBwdDataAlgo BackwardData(CudaDNNContext dnn, FilterDescriptor w, TensorDescriptor dy, ConvolutionDescriptor convolution, TensorDescriptor dx) =>
        dnn.GetConvolutionBackwardDataAlgorithm_v7(w, dy, convolution, dx, dnn.GetConvolutionBackwardDataAlgorithmMaxCount())
            .First(p => Usable(p.status, p.determinism, p.memory)).algo;

    public static cudnnConvolutionBwdFilterAlgo BackwardFilter(CudaDNNContext dnn, TensorDescriptor x, TensorDescriptor dy, ConvolutionDescriptor convolution, FilterDescriptor dw) =>
        dnn.GetConvolutionBackwardFilterAlgorithm_v7(x, dy, convolution, dw, dnn.GetConvolutionBackwardFilterAlgorithmMaxCount())
            .First(p => Usable(p.status, p.determinism, p.memory)).algo;

    private static bool Usable(cudnnStatus status, cudnnDeterminism determinism, ulong memory) =>
        status == cudnnStatus.Success && determinism == cudnnDeterminism.Deterministic && memory <= WorkspaceLimit;
}
