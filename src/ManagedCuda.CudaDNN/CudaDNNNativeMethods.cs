using System.Runtime.InteropServices;
using ManagedCuda.BasicTypes;

namespace ManagedCuda.CudaDNN;

/// <summary>cuDNN 9's C functions, by name. alpha and beta are floats on the host. The caller checks each status.</summary>
/// <remarks>
/// The library has its Windows name on every system. The host decides which file that is
/// (<see cref="NativeLibrary.SetDllImportResolver"/>).
/// </remarks>
public static partial class CudaDNNNativeMethods
{
    internal const string CUDNN_API_DLL_NAME = "cudnn64_9";

    [LibraryImport(CUDNN_API_DLL_NAME)]
    public static partial nuint cudnnGetVersion();

    [LibraryImport(CUDNN_API_DLL_NAME)]
    public static partial IntPtr cudnnGetErrorString(cudnnStatus status);

    [LibraryImport(CUDNN_API_DLL_NAME)]
    public static partial void cudnnGetLastErrorString([In, Out] byte[] message, SizeT max_size);

    [LibraryImport(CUDNN_API_DLL_NAME)]
    public static partial cudnnStatus cudnnCreate(ref cudnnHandle handle);

    [LibraryImport(CUDNN_API_DLL_NAME)]
    public static partial cudnnStatus cudnnDestroy(cudnnHandle handle);

    [LibraryImport(CUDNN_API_DLL_NAME)]
    public static partial cudnnStatus cudnnSetStream(cudnnHandle handle, CUstream streamId);

    [LibraryImport(CUDNN_API_DLL_NAME)]
    public static partial cudnnStatus cudnnCreateTensorDescriptor(ref cudnnTensorDescriptor desc);

    [LibraryImport(CUDNN_API_DLL_NAME)]
    public static partial cudnnStatus cudnnDestroyTensorDescriptor(cudnnTensorDescriptor desc);

    [LibraryImport(CUDNN_API_DLL_NAME)]
    public static partial cudnnStatus cudnnCreateFilterDescriptor(ref cudnnFilterDescriptor desc);

    [LibraryImport(CUDNN_API_DLL_NAME)]
    public static partial cudnnStatus cudnnDestroyFilterDescriptor(cudnnFilterDescriptor desc);

    [LibraryImport(CUDNN_API_DLL_NAME)]
    public static partial cudnnStatus cudnnCreateConvolutionDescriptor(ref cudnnConvolutionDescriptor desc);

    [LibraryImport(CUDNN_API_DLL_NAME)]
    public static partial cudnnStatus cudnnDestroyConvolutionDescriptor(cudnnConvolutionDescriptor desc);

    [LibraryImport(CUDNN_API_DLL_NAME)]
    public static partial cudnnStatus cudnnCreatePoolingDescriptor(ref cudnnPoolingDescriptor desc);

    [LibraryImport(CUDNN_API_DLL_NAME)]
    public static partial cudnnStatus cudnnDestroyPoolingDescriptor(cudnnPoolingDescriptor desc);

    [LibraryImport(CUDNN_API_DLL_NAME)]
    public static partial cudnnStatus cudnnSetTensor4dDescriptor(
        cudnnTensorDescriptor tensorDesc, cudnnTensorFormat format, cudnnDataType dataType, int n, int c, int h, int w);

    [LibraryImport(CUDNN_API_DLL_NAME)]
    public static partial cudnnStatus cudnnGetTensor4dDescriptor(
        cudnnTensorDescriptor tensorDesc, ref cudnnDataType dataType, ref int n, ref int c, ref int h, ref int w, ref int nStride,
        ref int cStride, ref int hStride, ref int wStride);

    [LibraryImport(CUDNN_API_DLL_NAME)]
    public static partial cudnnStatus cudnnSetFilter4dDescriptor(
        cudnnFilterDescriptor filterDesc, cudnnDataType dataType, cudnnTensorFormat format, int k, int c, int h, int w);

    [LibraryImport(CUDNN_API_DLL_NAME)]
    public static partial cudnnStatus cudnnGetFilter4dDescriptor(
        cudnnFilterDescriptor filterDesc, ref cudnnDataType dataType, ref cudnnTensorFormat format, ref int k, ref int c, ref int h,
        ref int w);

    [LibraryImport(CUDNN_API_DLL_NAME)]
    public static partial cudnnStatus cudnnSetConvolution2dDescriptor(
        cudnnConvolutionDescriptor convDesc, int pad_h, int pad_w, int u, int v, int dilation_h, int dilation_w,
        cudnnConvolutionMode mode, cudnnDataType computeType);

    [LibraryImport(CUDNN_API_DLL_NAME)]
    public static partial cudnnStatus cudnnSetConvolutionMathType(cudnnConvolutionDescriptor convDesc, cudnnMathType mathType);

    [LibraryImport(CUDNN_API_DLL_NAME)]
    public static partial cudnnStatus cudnnSetPooling2dDescriptor(
        cudnnPoolingDescriptor poolingDesc, cudnnPoolingMode mode, cudnnNanPropagation maxpoolingNanOpt, int windowHeight,
        int windowWidth, int verticalPadding, int horizontalPadding, int verticalStride, int horizontalStride);

    [LibraryImport(CUDNN_API_DLL_NAME)]
    public static partial cudnnStatus cudnnGetConvolutionForwardAlgorithmMaxCount(cudnnHandle handle, ref int count);

    [LibraryImport(CUDNN_API_DLL_NAME)]
    public static partial cudnnStatus cudnnGetConvolutionForwardAlgorithm_v7(
        cudnnHandle handle, cudnnTensorDescriptor srcDesc, cudnnFilterDescriptor filterDesc, cudnnConvolutionDescriptor convDesc,
        cudnnTensorDescriptor destDesc, int requestedAlgoCount, ref int returnedAlgoCount, [In,
        Out] cudnnConvolutionFwdAlgoPerf[] perfResults);

    [LibraryImport(CUDNN_API_DLL_NAME)]
    public static partial cudnnStatus cudnnFindConvolutionForwardAlgorithmEx(
        cudnnHandle handle, cudnnTensorDescriptor xDesc, CUdeviceptr x, cudnnFilterDescriptor wDesc, CUdeviceptr w,
        cudnnConvolutionDescriptor convDesc, cudnnTensorDescriptor yDesc, CUdeviceptr y, int requestedAlgoCount,
        ref int returnedAlgoCount, [In, Out] cudnnConvolutionFwdAlgoPerf[] perfResults, CUdeviceptr workSpace,
        SizeT workSpaceSizeInBytes);

    [LibraryImport(CUDNN_API_DLL_NAME)]
    public static partial cudnnStatus cudnnGetConvolutionForwardWorkspaceSize(
        cudnnHandle handle, cudnnTensorDescriptor xDesc, cudnnFilterDescriptor wDesc, cudnnConvolutionDescriptor convDesc,
        cudnnTensorDescriptor yDesc, cudnnConvolutionFwdAlgo algo, ref SizeT sizeInBytes);

    [LibraryImport(CUDNN_API_DLL_NAME)]
    public static partial cudnnStatus cudnnConvolutionForward(
        cudnnHandle handle, ref float alpha, cudnnTensorDescriptor xDesc, CUdeviceptr x, cudnnFilterDescriptor wDesc, CUdeviceptr w,
        cudnnConvolutionDescriptor convDesc, cudnnConvolutionFwdAlgo algo, CUdeviceptr workSpace, SizeT workSpaceSizeInBytes,
        ref float beta, cudnnTensorDescriptor yDesc, CUdeviceptr y);

    [LibraryImport(CUDNN_API_DLL_NAME)]
    public static partial cudnnStatus cudnnGetConvolutionBackwardDataAlgorithmMaxCount(cudnnHandle handle, ref int count);

    [LibraryImport(CUDNN_API_DLL_NAME)]
    public static partial cudnnStatus cudnnGetConvolutionBackwardDataAlgorithm_v7(
        cudnnHandle handle, cudnnFilterDescriptor filterDesc, cudnnTensorDescriptor diffDesc, cudnnConvolutionDescriptor convDesc,
        cudnnTensorDescriptor gradDesc, int requestedAlgoCount, ref int returnedAlgoCount, [In,
        Out] cudnnConvolutionBwdDataAlgoPerf[] perfResults);

    [LibraryImport(CUDNN_API_DLL_NAME)]
    public static partial cudnnStatus cudnnFindConvolutionBackwardDataAlgorithmEx(
        cudnnHandle handle, cudnnFilterDescriptor wDesc, CUdeviceptr w, cudnnTensorDescriptor dyDesc, CUdeviceptr dy,
        cudnnConvolutionDescriptor convDesc, cudnnTensorDescriptor dxDesc, CUdeviceptr dx, int requestedAlgoCount,
        ref int returnedAlgoCount, [In, Out] cudnnConvolutionBwdDataAlgoPerf[] perfResults, CUdeviceptr workSpace,
        SizeT workSpaceSizeInBytes);

    [LibraryImport(CUDNN_API_DLL_NAME)]
    public static partial cudnnStatus cudnnGetConvolutionBackwardDataWorkspaceSize(
        cudnnHandle handle, cudnnFilterDescriptor wDesc, cudnnTensorDescriptor dyDesc, cudnnConvolutionDescriptor convDesc,
        cudnnTensorDescriptor dxDesc, cudnnConvolutionBwdDataAlgo algo, ref SizeT sizeInBytes);

    [LibraryImport(CUDNN_API_DLL_NAME)]
    public static partial cudnnStatus cudnnConvolutionBackwardData(
        cudnnHandle handle, ref float alpha, cudnnFilterDescriptor wDesc, CUdeviceptr w, cudnnTensorDescriptor dyDesc, CUdeviceptr dy,
        cudnnConvolutionDescriptor convDesc, cudnnConvolutionBwdDataAlgo algo, CUdeviceptr workSpace, SizeT workSpaceSizeInBytes,
        ref float beta, cudnnTensorDescriptor dxDesc, CUdeviceptr dx);

    [LibraryImport(CUDNN_API_DLL_NAME)]
    public static partial cudnnStatus cudnnGetConvolutionBackwardFilterAlgorithmMaxCount(cudnnHandle handle, ref int count);

    [LibraryImport(CUDNN_API_DLL_NAME)]
    public static partial cudnnStatus cudnnGetConvolutionBackwardFilterAlgorithm_v7(
        cudnnHandle handle, cudnnTensorDescriptor srcDesc, cudnnTensorDescriptor diffDesc, cudnnConvolutionDescriptor convDesc,
        cudnnFilterDescriptor gradDesc, int requestedAlgoCount, ref int returnedAlgoCount, [In,
        Out] cudnnConvolutionBwdFilterAlgoPerf[] perfResults);

    [LibraryImport(CUDNN_API_DLL_NAME)]
    public static partial cudnnStatus cudnnFindConvolutionBackwardFilterAlgorithmEx(
        cudnnHandle handle, cudnnTensorDescriptor xDesc, CUdeviceptr x, cudnnTensorDescriptor dyDesc, CUdeviceptr y,
        cudnnConvolutionDescriptor convDesc, cudnnFilterDescriptor dwDesc, CUdeviceptr dw, int requestedAlgoCount,
        ref int returnedAlgoCount, [In, Out] cudnnConvolutionBwdFilterAlgoPerf[] perfResults, CUdeviceptr workSpace,
        SizeT workSpaceSizeInBytes);

    [LibraryImport(CUDNN_API_DLL_NAME)]
    public static partial cudnnStatus cudnnGetConvolutionBackwardFilterWorkspaceSize(
        cudnnHandle handle, cudnnTensorDescriptor xDesc, cudnnTensorDescriptor dyDesc, cudnnConvolutionDescriptor convDesc,
        cudnnFilterDescriptor gradDesc, cudnnConvolutionBwdFilterAlgo algo, ref SizeT sizeInBytes);

    [LibraryImport(CUDNN_API_DLL_NAME)]
    public static partial cudnnStatus cudnnConvolutionBackwardFilter(
        cudnnHandle handle, ref float alpha, cudnnTensorDescriptor xDesc, CUdeviceptr x, cudnnTensorDescriptor dyDesc, CUdeviceptr dy,
        cudnnConvolutionDescriptor convDesc, cudnnConvolutionBwdFilterAlgo algo, CUdeviceptr workSpace, SizeT workSpaceSizeInBytes,
        ref float beta, cudnnFilterDescriptor dwDesc, CUdeviceptr dw);

    [LibraryImport(CUDNN_API_DLL_NAME)]
    public static partial cudnnStatus cudnnPoolingForward(
        cudnnHandle handle, cudnnPoolingDescriptor poolingDesc, ref float alpha, cudnnTensorDescriptor xDesc, CUdeviceptr x,
        ref float beta, cudnnTensorDescriptor yDesc, CUdeviceptr y);

    [LibraryImport(CUDNN_API_DLL_NAME)]
    public static partial cudnnStatus cudnnPoolingBackward(
        cudnnHandle handle, cudnnPoolingDescriptor poolingDesc, ref float alpha, cudnnTensorDescriptor yDesc, CUdeviceptr y,
        cudnnTensorDescriptor dyDesc, CUdeviceptr dy, cudnnTensorDescriptor xDesc, CUdeviceptr x, ref float beta,
        cudnnTensorDescriptor dxDesc, CUdeviceptr dx);

    [LibraryImport(CUDNN_API_DLL_NAME)]
    public static partial cudnnStatus cudnnDeriveBNTensorDescriptor(
        cudnnTensorDescriptor derivedBnDesc, cudnnTensorDescriptor xDesc, cudnnBatchNormMode mode);

    [LibraryImport(CUDNN_API_DLL_NAME)]
    public static partial cudnnStatus cudnnBatchNormalizationForwardTraining(
        cudnnHandle handle, cudnnBatchNormMode mode, ref float alpha, ref float beta, cudnnTensorDescriptor xDesc, CUdeviceptr x,
        cudnnTensorDescriptor yDesc, CUdeviceptr y, cudnnTensorDescriptor bnScaleBiasMeanVarDesc, CUdeviceptr bnScale, CUdeviceptr bnBias,
        double exponentialAverageFactor, CUdeviceptr resultRunningMean, CUdeviceptr resultRunningVariance, double epsilon,
        CUdeviceptr resultSaveMean, CUdeviceptr resultSaveInvVariance);

    [LibraryImport(CUDNN_API_DLL_NAME)]
    public static partial cudnnStatus cudnnBatchNormalizationForwardInference(
        cudnnHandle handle, cudnnBatchNormMode mode, ref float alpha, ref float beta, cudnnTensorDescriptor xDesc, CUdeviceptr x,
        cudnnTensorDescriptor yDesc, CUdeviceptr y, cudnnTensorDescriptor bnScaleBiasMeanVarDesc, CUdeviceptr bnScale, CUdeviceptr bnBias,
        CUdeviceptr estimatedMean, CUdeviceptr estimatedVariance, double epsilon);

    [LibraryImport(CUDNN_API_DLL_NAME)]
    public static partial cudnnStatus cudnnBatchNormalizationBackward(
        cudnnHandle handle, cudnnBatchNormMode mode, ref float alphaDataDiff, ref float betaDataDiff, ref float alphaParamDiff,
        ref float betaParamDiff, cudnnTensorDescriptor xDesc, CUdeviceptr x, cudnnTensorDescriptor dyDesc, CUdeviceptr dy,
        cudnnTensorDescriptor dxDesc, CUdeviceptr dx, cudnnTensorDescriptor dBnScaleBiasDesc, CUdeviceptr bnScale,
        CUdeviceptr dBnScaleResult, CUdeviceptr dBnBiasResult, double epsilon, CUdeviceptr savedMean, CUdeviceptr savedInvVariance);
}
