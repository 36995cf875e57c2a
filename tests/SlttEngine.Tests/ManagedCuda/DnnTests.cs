using ManagedCuda;
using ManagedCuda.BasicTypes;
using ManagedCuda.CudaDNN;

namespace SlttEngine.Tests.ManagedCudaApi;

public sealed class DnnTests : CpuDeviceContext
{
    private const int N = 2, C = 3, K = 4, H = 5, W = 6;

    [Test]
    public void DescriptorsTellWhatTheyWereTold()
    {
        using TensorDescriptor tensor = Tensor(N, C, H, W);
        Assert.That(tensor.ToString(), Is.EqualTo("2x3x5x6 Float (90, 1, 18, 3)"));
        Assert.That(CudaDNNContext.GetVersion().Major, Is.EqualTo(9));
    }

    [Test]
    public void ConvolutionForwardIsACrossCorrelation()
    {
        float[] x = Numbers(N * H * W * C, 1);
        float[] w = Numbers(K * 3 * 3 * C, 2);
        float[] expected = new float[N * H * W * K];
        for (int i = 0; i < expected.Length; i++)
        {
            int k = i % K, column = i / K % W, row = i / K / W % H, n = i / K / W / H;
            double sum = 0;
            for (int dy = 0; dy < 3; dy++)
            {
                for (int dx = 0; dx < 3; dx++)
                {
                    int r = row + dy - 1, s = column + dx - 1;
                    for (int c = 0; c < C && r >= 0 && r < H && s >= 0 && s < W; c++)
                    {
                        sum += (double)x[(((((n * H) + r) * W) + s) * C) + c] * w[(((((k * 3) + dy) * 3) + dx) * C) + c];
                    }
                }
            }

            expected[i] = (float)sum;
        }

        using CudaStream stream = new(CUStreamFlags.NonBlocking);
        using CudaDNNContext dnn = new();
        dnn.SetStream(stream);
        using TensorDescriptor xDesc = Tensor(N, C, H, W);
        using TensorDescriptor yDesc = Tensor(N, K, H, W);
        using FilterDescriptor wDesc = new();
        wDesc.SetFilter4dDescriptor(cudnnDataType.Float, cudnnTensorFormat.NHWC, K, C, 3, 3);
        using ConvolutionDescriptor convolution = new();
        convolution.SetConvolution2dDescriptor(1, 1, 1, 1, 1, 1, cudnnConvolutionMode.CrossCorrelation, cudnnDataType.Float);
        convolution.MathType = cudnnMathType.FMA;

        int count = dnn.GetConvolutionForwardAlgorithmMaxCount();
        cudnnConvolutionFwdAlgoPerf[] algorithms = dnn.GetConvolutionForwardAlgorithm_v7(xDesc, wDesc, convolution, yDesc, count);
        cudnnConvolutionFwdAlgoPerf best = algorithms.First(
            a => a.status == cudnnStatus.Success && a.determinism == cudnnDeterminism.Deterministic);
        SizeT bytes = dnn.GetConvolutionForwardWorkspaceSize(xDesc, wDesc, convolution, yDesc, best.algo);
        using CudaDeviceVariable<byte> workspace = new((ulong)bytes + 1);
        using CudaDeviceVariable<float> deviceX = Variable(x);
        using CudaDeviceVariable<float> deviceW = Variable(w);
        using CudaDeviceVariable<float> y = new(expected.Length);
        dnn.ConvolutionForward(
            1f, xDesc, deviceX.DevicePointer, wDesc, deviceW.DevicePointer,
            convolution, best.algo, workspace.DevicePointer, bytes, 0f, yDesc, y.DevicePointer);
        stream.Synchronize();
        Assert.That(Read(y), Is.EqualTo(expected).Within(1e-5f));
    }

    [Test]
    public void PoolingTakesTheMaximum()
    {
        using CudaStream stream = new(CUStreamFlags.NonBlocking);
        using CudaDNNContext dnn = new();
        dnn.SetStream(stream);
        using PoolingDescriptor pool = new();
        pool.SetPooling2dDescriptor(cudnnPoolingMode.MaxDeterministic, cudnnNanPropagation.PropagateNan, 2, 2, 0, 0, 2, 2);
        using TensorDescriptor xDesc = Tensor(1, 1, 2, 4);
        using TensorDescriptor yDesc = Tensor(1, 1, 1, 2);
        using CudaDeviceVariable<float> x = Variable([1f, 5, 2, 3, 4, 0, 7, 6]);
        using CudaDeviceVariable<float> y = new(2);
        dnn.PoolingForward(pool, 1f, xDesc, x.DevicePointer, 0f, yDesc, y.DevicePointer);
        stream.Synchronize();
        Assert.That(Read(y), Is.EqualTo(new float[] { 5, 7 }));
    }

    [Test]
    public void AFailureNamesCallShapesAndStatus()
    {
        using TensorDescriptor tensor = new();
        CudaDNNException error = Assert.Throws<CudaDNNException>(
            () => tensor.SetTensor4dDescriptor(cudnnTensorFormat.NHWC, cudnnDataType.Float, 1, -3, 4, 4))!;
        Assert.That(error.Message, Does.StartWith("cudnnSetTensor4dDescriptor (1x-3x4x4 Float NHWC): BadParam (2000), "));
        Assert.That(error.DNNStatus, Is.EqualTo(cudnnStatus.BadParam));
    }

    [Test]
    public void AConvolutionThatDoesNotFitShowsItsShapes()
    {
        using CudaDNNContext dnn = new();
        using TensorDescriptor xDesc = Tensor(N, C, H, W);
        using TensorDescriptor yDesc = Tensor(N, K, H + 1, W);
        using FilterDescriptor wDesc = new();
        wDesc.SetFilter4dDescriptor(cudnnDataType.Float, cudnnTensorFormat.NHWC, K, C, 3, 3);
        using ConvolutionDescriptor convolution = new();
        convolution.SetConvolution2dDescriptor(1, 1, 1, 1, 1, 1, cudnnConvolutionMode.CrossCorrelation, cudnnDataType.Float);
        using CudaDeviceVariable<float> memory = new(1000);
        CUdeviceptr p = memory.DevicePointer;
        CudaDNNException error = Assert.Throws<CudaDNNException>(() =>
            dnn.ConvolutionForward(1f, xDesc, p, wDesc, p, convolution, cudnnConvolutionFwdAlgo.ImplicitGEMM, default, 0, 0f, yDesc, p))!;
        Assert.That(error.Message, Does.StartWith(
            "cudnnConvolutionForward (ImplicitGEMM, 2x3x5x6 Float (90, 1, 18, 3), filter 4x3x3x3 Float NHWC, "
            + "padding 1x1 stride 1x1 dilation 1x1 in Float, 2x4x6x6 Float (144, 1, 24, 4)): BadParam"));
    }

    private static TensorDescriptor Tensor(int n, int c, int h, int w)
    {
        TensorDescriptor tensor = new();
        tensor.SetTensor4dDescriptor(cudnnTensorFormat.NHWC, cudnnDataType.Float, n, c, h, w);
        return tensor;
    }
}
