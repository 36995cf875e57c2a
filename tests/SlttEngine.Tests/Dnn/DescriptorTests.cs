using ManagedCuda.BasicTypes;
using ManagedCuda.CudaDNN;
using SlttEngine.Device;

namespace SlttEngine.Tests.Dnn;

/// <summary>Descriptors keep what they are told, and wrong ones are refused with cuDNN's status.</summary>
[TestFixture(DeviceKind.Cpu)]
[TestFixture(DeviceKind.CpuFaithful)]
public sealed class DescriptorTests(DeviceKind kind) : DnnFixture(kind)
{
    /// <summary>cuDNN 9 is what is served.</summary>
    [Test]
    public void VersionIs9() => Assert.That(CudaDNNContext.GetVersion().Major, Is.EqualTo(9));

    /// <summary>Sizes, type and the strides of the format.</summary>
    [Test]
    public void TensorKeepsWhatItIsTold()
    {
        using TensorDescriptor tensor = Tensor(ComputeType.BFloat16, 2, 3, 5, 7);
        Assert.That(tensor.ToString(), Is.EqualTo("2x3x5x7 BFloat16 (105, 1, 21, 3)"));
    }

    /// <summary>Sizes, type and format.</summary>
    [Test]
    public void FilterKeepsWhatItIsTold()
    {
        using FilterDescriptor filter = Filter(ComputeType.Float16, 4, 3, 5, 7);
        Assert.That(filter.ToString(), Is.EqualTo("filter 4x3x5x7 Half NHWC"));
    }

    /// <summary>Dimensions that are not positive.</summary>
    [Test]
    public void RefusesEmptyDimensions()
    {
        AssertFamily(2, () => Tensor(ComputeType.Float32, 0, 3, 5, 7).Dispose());
        AssertFamily(2, () => Filter(ComputeType.Float32, 4, -3, 5, 7).Dispose());
    }

    /// <summary>A descriptor that was made but never set.</summary>
    [Test]
    public void RefusesUnsetDescriptors()
    {
        using TensorDescriptor unset = new();
        AssertFamily(2, () => Workspace(unset, Filter(ComputeType.Float32, 4, 3, 3, 3), Tensor(ComputeType.Float32, 1, 4, 8, 8)));
    }

    /// <summary>Shapes that do not fit each other.</summary>
    [Test]
    public void RefusesShapesThatDoNotFit()
    {
        AssertFamily(2, () => Workspace(
            Tensor(ComputeType.Float32, 1, 3, 8, 8), Filter(ComputeType.Float32, 4, 5, 3, 3), Tensor(ComputeType.Float32, 1, 4, 8, 8)));
        AssertFamily(2, () => Workspace(
            Tensor(ComputeType.Float32, 1, 3, 8, 8), Filter(ComputeType.Float32, 4, 3, 3, 3), Tensor(ComputeType.Float32, 1, 4, 8, 7)));
        AssertFamily(2, () => Workspace(
            Tensor(ComputeType.Float32, 1, 3, 2, 2), Filter(ComputeType.Float32, 4, 3, 7, 7), Tensor(ComputeType.Float32, 1, 4, 1, 1)));
    }

    /// <summary>What the CPU device does not serve says so: NCHW, mixed types, true convolution.</summary>
    [Test]
    public void SaysWhatIsNotSupported()
    {
        using TensorDescriptor nchw = new();
        nchw.SetTensor4dDescriptor(cudnnTensorFormat.NCHW, cudnnDataType.Float, 1, 3, 8, 8);
        TensorDescriptor x = Tensor(ComputeType.Float32, 1, 3, 8, 8), y = Tensor(ComputeType.Float32, 1, 4, 8, 8);
        FilterDescriptor filter = Filter(ComputeType.Float32, 4, 3, 3, 3);
        AssertFamily(3, () => Workspace(nchw, filter, y));
        AssertFamily(3, () => Workspace(x, Filter(ComputeType.Float16, 4, 3, 3, 3), y));
        AssertFamily(3, () => Workspace(x, filter, y, convolution =>
            convolution.SetConvolution2dDescriptor(1, 1, 1, 1, 1, 1, cudnnConvolutionMode.Convolution, cudnnDataType.Float)));
        AssertFamily(3, () => Workspace(x, filter, y, algorithm: cudnnConvolutionFwdAlgo.FFT));
    }

    /// <summary>Host memory where device memory is expected, and null.</summary>
    [Test]
    public void RefusesMemoryThatIsNotTheDevices()
    {
        using TensorDescriptor x = Tensor(ComputeType.Float32, 1, 4, 8, 8), y = Tensor(ComputeType.Float32, 1, 4, 4, 4);
        using PoolingDescriptor pooling = new();
        pooling.SetPooling2dDescriptor(cudnnPoolingMode.MaxDeterministic, cudnnNanPropagation.PropagateNan, 2, 2, 0, 0, 2, 2);
        using GuardedBuffer good = new(64, ComputeType.Float32);
        AssertFamily(2, () => Device.Dnn.PoolingForward(pooling, 1, x, default, 0, y, good.Pointer));
        AssertFamily(2, () => Device.Dnn.PoolingForward(pooling, 1, x, new CUdeviceptr(4096), 0, y, good.Pointer));
    }

    /// <summary>The message carries the library's reason.</summary>
    [Test]
    public void TheReasonIsInTheMessage()
    {
        CudaDNNException error = Assert.Throws<CudaDNNException>(() => Tensor(ComputeType.Float32, 0, 3, 5, 7).Dispose())!;
        Assert.That(error.Message, Does.Contain("cudnnSetTensor4dDescriptor").And.Contains("a dimension is not positive"));
    }

    private static void AssertFamily(int thousands, Action call)
    {
        CudaDNNException error = Assert.Throws<CudaDNNException>(() => call())!;
        Assert.That((int)error.DNNStatus / 1000, Is.EqualTo(thousands), error.Message);
    }

    private void Workspace(
        TensorDescriptor x, FilterDescriptor filter, TensorDescriptor y, Action<ConvolutionDescriptor>? change = null,
        cudnnConvolutionFwdAlgo algorithm = cudnnConvolutionFwdAlgo.ImplicitPrecompGEMM)
    {
        using ConvolutionDescriptor convolution = new();
        convolution.SetConvolution2dDescriptor(1, 1, 1, 1, 1, 1, cudnnConvolutionMode.CrossCorrelation, cudnnDataType.Float);
        change?.Invoke(convolution);
        Device.Dnn.GetConvolutionForwardWorkspaceSize(x, filter, convolution, y, algorithm);
    }
}
