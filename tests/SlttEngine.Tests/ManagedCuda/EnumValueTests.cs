using ManagedCuda.BasicTypes;
using ManagedCuda.CudaBlas;
using ManagedCuda.CudaDNN;

namespace SlttEngine.Tests.ManagedCudaApi;

/// <summary>Enum values equal the numbers in cuda.h, cublas_api.h, library_types.h and cuDNN 9's headers.</summary>
public sealed class EnumValueTests
{
    [TestCase(CUResult.ErrorOutOfMemory, 2)]
    [TestCase(CUResult.ErrorInvalidContext, 201)]
    [TestCase(CUResult.ErrorNotFound, 500)]
    [TestCase(CUResult.ErrorNotReady, 600)]
    [TestCase(CUResult.ErrorLaunchFailed, 719)]
    [TestCase(CUResult.ErrorNotSupported, 801)]
    [TestCase(CUResult.ErrorStreamCaptureWrongThread, 908)]
    [TestCase(CUDeviceAttribute.MultiProcessorCount, 16)]
    [TestCase(CUDeviceAttribute.L2CacheSize, 38)]
    [TestCase(CUstreamCaptureMode.Local, 1)]
    [TestCase(CUStreamFlags.NonBlocking, 1)]
    [TestCase(CUEventFlags.DisableTiming, 2)]
    [TestCase(CublasStatus.NotSupported, 15)]
    [TestCase(Operation.Transpose, 1)]
    [TestCase(DataType.CUDA_R_32F, 0)]
    [TestCase(DataType.CUDA_R_16F, 2)]
    [TestCase(cudnnDataType.Float, 0)]
    [TestCase(cudnnDataType.Half, 2)]
    [TestCase(cudnnDataType.BFloat16, 9)]
    [TestCase(cudnnTensorFormat.NHWC, 1)]
    [TestCase(cudnnMathType.FMA, 3)]
    [TestCase(cudnnStatus.NotInitialized, 1001)]
    [TestCase(cudnnStatus.BadParam, 2000)]
    [TestCase(cudnnStatus.NotSupported, 3000)]
    [TestCase(cudnnStatus.InternalError, 4000)]
    [TestCase(cudnnStatus.ExecutionFailed, 5000)]
    [TestCase(cudnnConvolutionFwdAlgo.ImplicitPrecompGEMM, 1)]
    [TestCase(cudnnConvolutionFwdAlgo.WinogradNonFused, 7)]
    [TestCase(cudnnConvolutionBwdDataAlgo.Algo1, 1)]
    [TestCase(cudnnConvolutionBwdDataAlgo.AlgoWinogradNonFused, 5)]
    [TestCase(cudnnConvolutionBwdFilterAlgo.AlgoFFTTiling, 6)]
    [TestCase(cudnnPoolingMode.MaxDeterministic, 3)]
    [TestCase(cudnnBatchNormMode.BatchNormSpatial, 1)]
    public void ValueIsTheHeadersValue(object value, int expected) => Assert.That(Convert.ToInt32(value), Is.EqualTo(expected));
}
