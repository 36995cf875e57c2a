using System.Diagnostics.CodeAnalysis;
using ManagedCuda.BasicTypes;

namespace ManagedCuda.CudaDNN;

/// <summary>cuDNN on the current context. Each call computes result = alpha · computed + beta · result.</summary>
public class CudaDNNContext : IDisposable
{
    private readonly DnnHandle owner;
    private readonly cudnnHandle handle;

    /// <summary>Creates a handle that works in the default stream.</summary>
    public CudaDNNContext()
    {
        CudaDNNException.Check(CudaDNNNativeMethods.cudnnCreate(ref handle));
        owner = new DnnHandle(handle);
    }

    /// <summary>The library's version.</summary>
    public static Version GetVersion()
    {
        int version = (int)CudaDNNNativeMethods.cudnnGetVersion();
        return new Version(version / 10000, version / 100 % 100, version % 100);
    }

    /// <summary>Sets the stream that later calls work in.</summary>
    public void SetStream(CudaStream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        CudaDNNException.Check(CudaDNNNativeMethods.cudnnSetStream(handle, stream.Stream));
    }

    /// <summary>How many algorithms the forward convolution has.</summary>
    public int GetConvolutionForwardAlgorithmMaxCount()
    {
        int count = 0;
        CudaDNNException.Check(CudaDNNNativeMethods.cudnnGetConvolutionForwardAlgorithmMaxCount(handle, ref count));
        return count;
    }

    /// <summary>How many algorithms the gradient of the input has.</summary>
    public int GetConvolutionBackwardDataAlgorithmMaxCount()
    {
        int count = 0;
        CudaDNNException.Check(CudaDNNNativeMethods.cudnnGetConvolutionBackwardDataAlgorithmMaxCount(handle, ref count));
        return count;
    }

    /// <summary>How many algorithms the gradient of the filter has.</summary>
    public int GetConvolutionBackwardFilterAlgorithmMaxCount()
    {
        int count = 0;
        CudaDNNException.Check(CudaDNNNativeMethods.cudnnGetConvolutionBackwardFilterAlgorithmMaxCount(handle, ref count));
        return count;
    }

    /// <summary>Algorithms of the forward convolution, the best by cuDNN's guess first.</summary>
    public cudnnConvolutionFwdAlgoPerf[] GetConvolutionForwardAlgorithm_v7(
        TensorDescriptor xDesc, FilterDescriptor wDesc, ConvolutionDescriptor convDesc, TensorDescriptor yDesc, int requestedAlgoCount)
    {
        cudnnConvolutionFwdAlgoPerf[] results = new cudnnConvolutionFwdAlgoPerf[requestedAlgoCount];
        int count = 0;
        CudaDNNException.Check(
            CudaDNNNativeMethods.cudnnGetConvolutionForwardAlgorithm_v7(
                handle, xDesc.Desc, wDesc.Desc, convDesc.Desc, yDesc.Desc, requestedAlgoCount, ref count, results),
            [xDesc, wDesc, convDesc, yDesc]);
        return results[..count];
    }

    /// <summary>Algorithms of the gradient of the input, the best by cuDNN's guess first.</summary>
    public cudnnConvolutionBwdDataAlgoPerf[] GetConvolutionBackwardDataAlgorithm_v7(
        FilterDescriptor wDesc, TensorDescriptor dyDesc, ConvolutionDescriptor convDesc, TensorDescriptor dxDesc, int requestedAlgoCount)
    {
        cudnnConvolutionBwdDataAlgoPerf[] results = new cudnnConvolutionBwdDataAlgoPerf[requestedAlgoCount];
        int count = 0;
        CudaDNNException.Check(
            CudaDNNNativeMethods.cudnnGetConvolutionBackwardDataAlgorithm_v7(
                handle, wDesc.Desc, dyDesc.Desc, convDesc.Desc, dxDesc.Desc, requestedAlgoCount, ref count, results),
            [wDesc, dyDesc, convDesc, dxDesc]);
        return results[..count];
    }

    /// <summary>Algorithms of the gradient of the filter, the best by cuDNN's guess first.</summary>
    public cudnnConvolutionBwdFilterAlgoPerf[] GetConvolutionBackwardFilterAlgorithm_v7(
        TensorDescriptor xDesc, TensorDescriptor dyDesc, ConvolutionDescriptor convDesc, FilterDescriptor dwDesc, int requestedAlgoCount)
    {
        cudnnConvolutionBwdFilterAlgoPerf[] results = new cudnnConvolutionBwdFilterAlgoPerf[requestedAlgoCount];
        int count = 0;
        CudaDNNException.Check(
            CudaDNNNativeMethods.cudnnGetConvolutionBackwardFilterAlgorithm_v7(
                handle, xDesc.Desc, dyDesc.Desc, convDesc.Desc, dwDesc.Desc, requestedAlgoCount, ref count, results),
            [xDesc, dyDesc, convDesc, dwDesc]);
        return results[..count];
    }

    /// <summary>Algorithms of the forward convolution that fit the workspace, measured, the fastest first; y is overwritten.</summary>
    public cudnnConvolutionFwdAlgoPerf[] FindConvolutionForwardAlgorithmEx(
        TensorDescriptor xDesc, CUdeviceptr x, FilterDescriptor wDesc, CUdeviceptr w, ConvolutionDescriptor convDesc,
        TensorDescriptor yDesc, CUdeviceptr y, int requestedAlgoCount, CUdeviceptr workSpace, SizeT workSpaceSizeInBytes)
    {
        cudnnConvolutionFwdAlgoPerf[] results = new cudnnConvolutionFwdAlgoPerf[requestedAlgoCount];
        int count = 0;
        CudaDNNException.Check(
            CudaDNNNativeMethods.cudnnFindConvolutionForwardAlgorithmEx(
                handle, xDesc.Desc, x, wDesc.Desc, w, convDesc.Desc, yDesc.Desc, y, requestedAlgoCount, ref count, results, workSpace,
                workSpaceSizeInBytes),
            [xDesc, wDesc, convDesc, yDesc]);
        return results[..count];
    }

    /// <summary>Algorithms of the gradient of the input that fit the workspace, measured, the fastest first; dx is overwritten.</summary>
    public cudnnConvolutionBwdDataAlgoPerf[] FindConvolutionBackwardDataAlgorithmEx(
        FilterDescriptor wDesc, CUdeviceptr w, TensorDescriptor dyDesc, CUdeviceptr dy, ConvolutionDescriptor convDesc,
        TensorDescriptor dxDesc, CUdeviceptr dx, int requestedAlgoCount, CUdeviceptr workSpace, SizeT workSpaceSizeInBytes)
    {
        cudnnConvolutionBwdDataAlgoPerf[] results = new cudnnConvolutionBwdDataAlgoPerf[requestedAlgoCount];
        int count = 0;
        CudaDNNException.Check(
            CudaDNNNativeMethods.cudnnFindConvolutionBackwardDataAlgorithmEx(
                handle, wDesc.Desc, w, dyDesc.Desc, dy, convDesc.Desc, dxDesc.Desc, dx, requestedAlgoCount, ref count, results, workSpace,
                workSpaceSizeInBytes),
            [wDesc, dyDesc, convDesc, dxDesc]);
        return results[..count];
    }

    /// <summary>Algorithms of the gradient of the filter that fit the workspace, measured, the fastest first; dw is overwritten.</summary>
    public cudnnConvolutionBwdFilterAlgoPerf[] FindConvolutionBackwardFilterAlgorithmEx(
        TensorDescriptor xDesc, CUdeviceptr x, TensorDescriptor dyDesc, CUdeviceptr dy, ConvolutionDescriptor convDesc,
        FilterDescriptor dwDesc, CUdeviceptr dw, int requestedAlgoCount, CUdeviceptr workSpace, SizeT workSpaceSizeInBytes)
    {
        cudnnConvolutionBwdFilterAlgoPerf[] results = new cudnnConvolutionBwdFilterAlgoPerf[requestedAlgoCount];
        int count = 0;
        CudaDNNException.Check(
            CudaDNNNativeMethods.cudnnFindConvolutionBackwardFilterAlgorithmEx(
                handle, xDesc.Desc, x, dyDesc.Desc, dy, convDesc.Desc, dwDesc.Desc, dw, requestedAlgoCount, ref count, results, workSpace,
                workSpaceSizeInBytes),
            [xDesc, dyDesc, convDesc, dwDesc]);
        return results[..count];
    }

    /// <summary>Workspace of the forward convolution, bytes.</summary>
    public SizeT GetConvolutionForwardWorkspaceSize(
        TensorDescriptor xDesc, FilterDescriptor wDesc, ConvolutionDescriptor convDesc, TensorDescriptor yDesc,
        cudnnConvolutionFwdAlgo algo)
    {
        SizeT bytes = 0;
        CudaDNNException.Check(
            CudaDNNNativeMethods.cudnnGetConvolutionForwardWorkspaceSize(
                handle, xDesc.Desc, wDesc.Desc, convDesc.Desc, yDesc.Desc, algo, ref bytes),
            [algo, xDesc, wDesc, convDesc, yDesc]);
        return bytes;
    }

    /// <summary>Workspace of the gradient of the input, bytes.</summary>
    public SizeT GetConvolutionBackwardDataWorkspaceSize(
        FilterDescriptor wDesc, TensorDescriptor dyDesc, ConvolutionDescriptor convDesc, TensorDescriptor dxDesc,
        cudnnConvolutionBwdDataAlgo algo)
    {
        SizeT bytes = 0;
        CudaDNNException.Check(
            CudaDNNNativeMethods.cudnnGetConvolutionBackwardDataWorkspaceSize(
                handle, wDesc.Desc, dyDesc.Desc, convDesc.Desc, dxDesc.Desc, algo, ref bytes),
            [algo, wDesc, dyDesc, convDesc, dxDesc]);
        return bytes;
    }

    /// <summary>Workspace of the gradient of the filter, bytes.</summary>
    public SizeT GetConvolutionBackwardFilterWorkspaceSize(
        TensorDescriptor xDesc, TensorDescriptor dyDesc, ConvolutionDescriptor convDesc, FilterDescriptor dwDesc,
        cudnnConvolutionBwdFilterAlgo algo)
    {
        SizeT bytes = 0;
        CudaDNNException.Check(
            CudaDNNNativeMethods.cudnnGetConvolutionBackwardFilterWorkspaceSize(
                handle, xDesc.Desc, dyDesc.Desc, convDesc.Desc, dwDesc.Desc, algo, ref bytes),
            [algo, xDesc, dyDesc, convDesc, dwDesc]);
        return bytes;
    }

    /// <summary>y = convolution of x with w.</summary>
    public void ConvolutionForward(
        float alpha, TensorDescriptor xDesc, CUdeviceptr x, FilterDescriptor wDesc, CUdeviceptr w, ConvolutionDescriptor convDesc,
        cudnnConvolutionFwdAlgo algo, CUdeviceptr workSpace, SizeT workSpaceSizeInBytes,
        float beta, TensorDescriptor yDesc, CUdeviceptr y) =>
        CudaDNNException.Check(
            CudaDNNNativeMethods.cudnnConvolutionForward(
                handle, ref alpha, xDesc.Desc, x, wDesc.Desc, w, convDesc.Desc, algo, workSpace, workSpaceSizeInBytes,
                ref beta, yDesc.Desc, y),
            [algo, xDesc, wDesc, convDesc, yDesc]);

    /// <summary>dx = gradient of the convolution's input.</summary>
    public void ConvolutionBackwardData(
        float alpha, FilterDescriptor wDesc, CUdeviceptr w, TensorDescriptor dyDesc, CUdeviceptr dy, ConvolutionDescriptor convDesc,
        cudnnConvolutionBwdDataAlgo algo, CUdeviceptr workSpace, SizeT workSpaceSizeInBytes,
        float beta, TensorDescriptor dxDesc, CUdeviceptr dx) =>
        CudaDNNException.Check(
            CudaDNNNativeMethods.cudnnConvolutionBackwardData(
                handle, ref alpha, wDesc.Desc, w, dyDesc.Desc, dy, convDesc.Desc, algo, workSpace, workSpaceSizeInBytes,
                ref beta, dxDesc.Desc, dx),
            [algo, wDesc, dyDesc, convDesc, dxDesc]);

    /// <summary>dw = gradient of the convolution's filter.</summary>
    public void ConvolutionBackwardFilter(
        float alpha, TensorDescriptor xDesc, CUdeviceptr x, TensorDescriptor dyDesc, CUdeviceptr dy, ConvolutionDescriptor convDesc,
        cudnnConvolutionBwdFilterAlgo algo, CUdeviceptr workSpace, SizeT workSpaceSizeInBytes,
        float beta, FilterDescriptor dwDesc, CUdeviceptr dw) =>
        CudaDNNException.Check(
            CudaDNNNativeMethods.cudnnConvolutionBackwardFilter(
                handle, ref alpha, xDesc.Desc, x, dyDesc.Desc, dy, convDesc.Desc, algo, workSpace, workSpaceSizeInBytes,
                ref beta, dwDesc.Desc, dw),
            [algo, xDesc, dyDesc, convDesc, dwDesc]);

    /// <summary>y = pool of x.</summary>
    public void PoolingForward(
        PoolingDescriptor poolingDesc, float alpha, TensorDescriptor xDesc, CUdeviceptr x,
        float beta, TensorDescriptor yDesc, CUdeviceptr y) =>
        CudaDNNException.Check(
            CudaDNNNativeMethods.cudnnPoolingForward(handle, poolingDesc.Desc, ref alpha, xDesc.Desc, x, ref beta, yDesc.Desc, y),
            [poolingDesc, xDesc, yDesc]);

    /// <summary>dx = gradient of the pool's input.</summary>
    public void PoolingBackward(
        PoolingDescriptor poolingDesc, float alpha, TensorDescriptor yDesc, CUdeviceptr y, TensorDescriptor dyDesc, CUdeviceptr dy,
        TensorDescriptor xDesc, CUdeviceptr x, float beta, TensorDescriptor dxDesc, CUdeviceptr dx) =>
        CudaDNNException.Check(
            CudaDNNNativeMethods.cudnnPoolingBackward(
                handle, poolingDesc.Desc, ref alpha, yDesc.Desc, y, dyDesc.Desc, dy, xDesc.Desc, x, ref beta, dxDesc.Desc, dx),
            [poolingDesc, yDesc, dyDesc, xDesc, dxDesc]);

    /// <summary>Sets a descriptor to the shape of batch norm's parameters for a tensor.</summary>
    [SuppressMessage("Performance", "CA1822", Justification = "An instance method in the published class too.")]
    public void DeriveBNTensorDescriptor(TensorDescriptor derivedBnDesc, TensorDescriptor xDesc, cudnnBatchNormMode mode) =>
        CudaDNNException.Check(CudaDNNNativeMethods.cudnnDeriveBNTensorDescriptor(derivedBnDesc.Desc, xDesc.Desc, mode), [mode, xDesc]);

    /// <summary>y = batch norm of x by its batch statistics, which also update the running statistics.</summary>
    public void BatchNormalizationForwardTraining(
        cudnnBatchNormMode mode, float alpha, float beta, TensorDescriptor xDesc, CUdeviceptr x, TensorDescriptor yDesc, CUdeviceptr y,
        TensorDescriptor bnScaleBiasMeanVarDesc, CUdeviceptr bnScale, CUdeviceptr bnBias, double exponentialAverageFactor,
        CUdeviceptr resultRunningMean, CUdeviceptr resultRunningVariance, double epsilon, CUdeviceptr resultSaveMean,
        CUdeviceptr resultSaveInvVariance) =>
        CudaDNNException.Check(
            CudaDNNNativeMethods.cudnnBatchNormalizationForwardTraining(
                handle, mode, ref alpha, ref beta, xDesc.Desc, x, yDesc.Desc, y, bnScaleBiasMeanVarDesc.Desc, bnScale, bnBias,
                exponentialAverageFactor, resultRunningMean, resultRunningVariance, epsilon, resultSaveMean, resultSaveInvVariance),
            [mode, xDesc, yDesc, bnScaleBiasMeanVarDesc]);

    /// <summary>y = batch norm of x by the running statistics.</summary>
    public void BatchNormalizationForwardInference(
        cudnnBatchNormMode mode, float alpha, float beta, TensorDescriptor xDesc, CUdeviceptr x, TensorDescriptor yDesc, CUdeviceptr y,
        TensorDescriptor bnScaleBiasMeanVarDesc, CUdeviceptr bnScale, CUdeviceptr bnBias, CUdeviceptr estimatedMean,
        CUdeviceptr estimatedVariance, double epsilon) =>
        CudaDNNException.Check(
            CudaDNNNativeMethods.cudnnBatchNormalizationForwardInference(
                handle, mode, ref alpha, ref beta, xDesc.Desc, x, yDesc.Desc, y, bnScaleBiasMeanVarDesc.Desc, bnScale, bnBias,
                estimatedMean, estimatedVariance, epsilon),
            [mode, xDesc, yDesc, bnScaleBiasMeanVarDesc]);

    /// <summary>dx, and the gradients of scale and bias, of batch norm.</summary>
    public void BatchNormalizationBackward(
        cudnnBatchNormMode mode, float alphaDataDiff, float betaDataDiff, float alphaParamDiff, float betaParamDiff,
        TensorDescriptor xDesc, CUdeviceptr x, TensorDescriptor dyDesc, CUdeviceptr dy, TensorDescriptor dxDesc, CUdeviceptr dx,
        TensorDescriptor dBnScaleBiasDesc, CUdeviceptr bnScale, CUdeviceptr dBnScaleResult, CUdeviceptr dBnBiasResult, double epsilon,
        CUdeviceptr savedMean, CUdeviceptr savedInvVariance) =>
        CudaDNNException.Check(
            CudaDNNNativeMethods.cudnnBatchNormalizationBackward(
                handle, mode, ref alphaDataDiff, ref betaDataDiff, ref alphaParamDiff, ref betaParamDiff, xDesc.Desc, x, dyDesc.Desc, dy,
                dxDesc.Desc, dx, dBnScaleBiasDesc.Desc, bnScale, dBnScaleResult, dBnBiasResult, epsilon, savedMean, savedInvVariance),
            [mode, xDesc, dyDesc, dxDesc, dBnScaleBiasDesc]);

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Destroys the handle.</summary>
    protected virtual void Dispose(bool fDisposing) => owner.Dispose();
}
