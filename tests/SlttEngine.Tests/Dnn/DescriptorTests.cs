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

    /// <summary>The stream that was set.</summary>
    [Test]
    public void HandleKeepsItsStream() => Assert.That(Device.Dnn.GetStream().Stream, Is.EqualTo(Device.Stream.Stream));

    /// <summary>Sizes, type and the strides of the format.</summary>
    [Test]
    public void TensorKeepsWhatItIsTold()
    {
        using TensorDescriptor tensor = Tensor(ComputeType.BFloat16, 2, 3, 5, 7);
        cudnnDataType type = default;
        (int n, int c, int h, int w, int ns, int cs, int hs, int ws) = (0, 0, 0, 0, 0, 0, 0, 0);
        tensor.GetTensor4dDescriptor(ref type, ref n, ref c, ref h, ref w, ref ns, ref cs, ref hs, ref ws);
        Assert.That((type, n, c, h, w, ns, cs, hs, ws), Is.EqualTo((cudnnDataType.BFloat16, 2, 3, 5, 7, 105, 1, 21, 3)));
        Assert.That((long)tensor.GetTensorSizeInBytes(), Is.EqualTo(2 * 3 * 5 * 7 * 2));
    }

    /// <summary>Sizes, type and format.</summary>
    [Test]
    public void FilterKeepsWhatItIsTold()
    {
        using FilterDescriptor filter = Filter(ComputeType.Float16, 4, 3, 5, 7);
        (cudnnDataType type, cudnnTensorFormat format) = (default, default);
        (int k, int c, int h, int w) = (0, 0, 0, 0);
        filter.GetFilter4dDescriptor(ref type, ref format, ref k, ref c, ref h, ref w);
        Assert.That((type, format, k, c, h, w), Is.EqualTo((cudnnDataType.Half, cudnnTensorFormat.NHWC, 4, 3, 5, 7)));
    }

    /// <summary>The size of the result, also where strides leave a remainder.</summary>
    [TestCase(8, 3, 1, 1, 1, 8)]
    [TestCase(8, 3, 2, 1, 1, 4)]
    [TestCase(9, 7, 2, 3, 1, 5)]
    [TestCase(9, 3, 1, 0, 2, 5)]
    public void ConvolutionOutputSize(int size, int kernel, int stride, int pad, int dilation, int expected)
    {
        using TensorDescriptor x = Tensor(ComputeType.Float32, 2, 3, size, size);
        using FilterDescriptor filter = Filter(ComputeType.Float32, 5, 3, kernel, kernel);
        using ConvolutionDescriptor convolution = new();
        convolution.SetConvolution2dDescriptor(pad, pad, stride, stride, dilation, dilation, cudnnConvolutionMode.CrossCorrelation, cudnnDataType.Float);
        (int n, int c, int h, int w) = (0, 0, 0, 0);
        convolution.GetConvolution2dForwardOutputDim(x, filter, ref n, ref c, ref h, ref w);
        Assert.That((n, c, h, w), Is.EqualTo((2, 5, expected, expected)));
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
        AssertFamily(2, () => Workspace(Tensor(ComputeType.Float32, 1, 3, 8, 8), Filter(ComputeType.Float32, 4, 5, 3, 3), Tensor(ComputeType.Float32, 1, 4, 8, 8)));
        AssertFamily(2, () => Workspace(Tensor(ComputeType.Float32, 1, 3, 8, 8), Filter(ComputeType.Float32, 4, 3, 3, 3), Tensor(ComputeType.Float32, 1, 4, 8, 7)));
        AssertFamily(2, () => Workspace(Tensor(ComputeType.Float32, 1, 3, 2, 2), Filter(ComputeType.Float32, 4, 3, 7, 7), Tensor(ComputeType.Float32, 1, 4, 1, 1)));
    }

    /// <summary>What the CPU device does not serve says so: NCHW, mixed types, groups, true convolution.</summary>
    [Test]
    public void SaysWhatIsNotSupported()
    {
        using TensorDescriptor nchw = new();
        nchw.SetTensor4dDescriptor(cudnnTensorFormat.NCHW, cudnnDataType.Float, 1, 3, 8, 8);
        TensorDescriptor x = Tensor(ComputeType.Float32, 1, 3, 8, 8), y = Tensor(ComputeType.Float32, 1, 4, 8, 8);
        FilterDescriptor filter = Filter(ComputeType.Float32, 4, 3, 3, 3);
        AssertFamily(3, () => Workspace(nchw, filter, y));
        AssertFamily(3, () => Workspace(x, Filter(ComputeType.Float16, 4, 3, 3, 3), y));
        AssertFamily(3, () => Workspace(x, filter, y, convolution => convolution.GroupCount = 2));
        AssertFamily(3, () => Workspace(x, filter, y, convolution => convolution.SetConvolution2dDescriptor(1, 1, 1, 1, 1, 1, cudnnConvolutionMode.Convolution, cudnnDataType.Float)));
        AssertFamily(3, () => Workspace(x, filter, y, algorithm: cudnnConvolutionFwdAlgo.FFT));
    }

    /// <summary>Host memory where device memory is expected, and null.</summary>
    [Test]
    public void RefusesMemoryThatIsNotTheDevices()
    {
        using TensorDescriptor dy = Tensor(ComputeType.Float32, 1, 4, 8, 8), db = Tensor(ComputeType.Float32, 1, 4, 1, 1);
        using GuardedBuffer good = new(256, ComputeType.Float32);
        AssertFamily(2, () => Device.Dnn.ConvolutionBackwardBias(1, dy, default, 0, db, good.Pointer));
        AssertFamily(2, () => Device.Dnn.ConvolutionBackwardBias(1, dy, new CUdeviceptr(4096), 0, db, good.Pointer));
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
        TensorDescriptor x, FilterDescriptor filter, TensorDescriptor y, Action<ConvolutionDescriptor>? change = null, cudnnConvolutionFwdAlgo algorithm = cudnnConvolutionFwdAlgo.ImplicitPrecompGEMM)
    {
        using ConvolutionDescriptor convolution = new();
        convolution.SetConvolution2dDescriptor(1, 1, 1, 1, 1, 1, cudnnConvolutionMode.CrossCorrelation, cudnnDataType.Float);
        change?.Invoke(convolution);
        Device.Dnn.GetConvolutionForwardWorkspaceSize(x, filter, convolution, y, algorithm);
    }
}
