using ManagedCuda;
using ManagedCuda.BasicTypes;
using ManagedCuda.CudaBlas;

namespace SlttEngine.Tests.ManagedCudaApi;

public sealed class BlasTests : CpuDeviceContext
{
    [TestCase(Operation.NonTranspose, Operation.NonTranspose)]
    [TestCase(Operation.Transpose, Operation.NonTranspose)]
    [TestCase(Operation.NonTranspose, Operation.Transpose)]
    public void GemmExMultiplies(Operation ofA, Operation ofB)
    {
        const int M = 5, N = 7, K = 3;
        float[] a = Numbers(M * K, 1);
        float[] b = Numbers(K * N, 2);
        float[] c = Numbers(M * N, 3);
        float[] expected = new float[M * N];
        for (int row = 0; row < M; row++)
        {
            for (int column = 0; column < N; column++)
            {
                double sum = 0;
                for (int k = 0; k < K; k++)
                {
                    double x = ofA == Operation.NonTranspose ? a[row + (k * M)] : a[k + (row * K)];
                    double y = ofB == Operation.NonTranspose ? b[k + (column * K)] : b[column + (k * N)];
                    sum += x * y;
                }

                expected[row + (column * M)] = (float)((2 * sum) + (0.5 * c[row + (column * M)]));
            }
        }

        using CudaDeviceVariable<float> deviceA = Variable(a);
        using CudaDeviceVariable<float> deviceB = Variable(b);
        using CudaDeviceVariable<float> deviceC = Variable(c);
        using CudaStream stream = new(CUStreamFlags.NonBlocking);
        CudaBlas blas = new(stream.Stream);
        blas.GemmEx(
            ofA, ofB, M, N, K,
            2f, deviceA.DevicePointer, DataType.CUDA_R_32F, ofA == Operation.NonTranspose ? M : K,
            deviceB.DevicePointer, DataType.CUDA_R_32F, ofB == Operation.NonTranspose ? K : N,
            0.5f, deviceC.DevicePointer, DataType.CUDA_R_32F, M);
        stream.Synchronize();
        blas.Dispose();
        Assert.That(Read(deviceC), Is.EqualTo(expected).Within(1e-6f));
    }

    [Test]
    public void AFailureNamesCallAndShape()
    {
        using CudaDeviceVariable<float> memory = new(16);
        CudaBlas blas = new(default);
        CudaBlasException error = Assert.Throws<CudaBlasException>(() => Square(blas, 4, -1, memory))!;
        blas.Dispose();
        Assert.That(error.Message, Does.StartWith(
            "cublasSgemmEx (NonTranspose 4 x -1 by NonTranspose -1 x 4, CUDA_R_32F x CUDA_R_32F to CUDA_R_32F): InvalidValue (7), "));
        Assert.That(error.CudaBlasError, Is.EqualTo(CublasStatus.InvalidValue));
    }

    [Test]
    public void ACapturedProductNeedsAWorkspace()
    {
        using CudaDeviceVariable<float> memory = new(16);
        using CudaDeviceVariable<byte> workspace = new(256);
        using CudaStream stream = new(CUStreamFlags.NonBlocking);
        CudaBlas blas = new(stream.Stream);
        void Capture()
        {
            CUgraph graph = default;
            Check(DriverAPINativeMethods.Streams.cuStreamBeginCapture(stream.Stream, CUstreamCaptureMode.Local));
            try
            {
                Square(blas, 2, 2, memory);
            }
            finally
            {
                Check(DriverAPINativeMethods.Streams.cuStreamEndCapture(stream.Stream, ref graph));
                DriverAPINativeMethods.GraphManagment.cuGraphDestroy(graph);
            }
        }

        Assert.That(Capture, Throws.TypeOf<CudaBlasException>().With.Property("CudaBlasError").EqualTo(CublasStatus.NotSupported));
        blas.SetWorkspace(workspace);
        Assert.That(Capture, Throws.Nothing);
        blas.Dispose();
    }

    /// <summary>A handle loses its workspace when its stream is set. So the workspace has to be set last.</summary>
    [Test]
    public void SettingTheStreamTakesTheWorkspaceAway()
    {
        using CudaDeviceVariable<float> memory = new(16);
        using CudaDeviceVariable<byte> workspace = new(256);
        using CudaStream stream = new(CUStreamFlags.NonBlocking);
        CudaBlasHandle blas = default;
        Assert.That(CudaBlasNativeMethods.cublasCreate_v2(ref blas), Is.EqualTo(CublasStatus.Success));
        CublasStatus Capture()
        {
            CUgraph graph = default;
            Check(DriverAPINativeMethods.Streams.cuStreamBeginCapture(stream.Stream, CUstreamCaptureMode.Local));
            (float alpha, float beta, CUdeviceptr p) = (1, 0, memory.DevicePointer);
            CublasStatus status = CudaBlasNativeMethods.cublasSgemmEx(
                blas, Operation.NonTranspose, Operation.NonTranspose, 2, 2, 2,
                ref alpha, p, DataType.CUDA_R_32F, 2, p, DataType.CUDA_R_32F, 2, ref beta, p, DataType.CUDA_R_32F, 2);
            Check(DriverAPINativeMethods.Streams.cuStreamEndCapture(stream.Stream, ref graph));
            DriverAPINativeMethods.GraphManagment.cuGraphDestroy(graph);
            return status;
        }

        CudaBlasNativeMethods.cublasSetStream_v2(blas, stream.Stream);
        CudaBlasNativeMethods.cublasSetWorkspace_v2(blas, workspace.DevicePointer, workspace.SizeInBytes);
        Assert.That(Capture(), Is.EqualTo(CublasStatus.Success));
        CudaBlasNativeMethods.cublasSetStream_v2(blas, stream.Stream);
        Assert.That(Capture(), Is.EqualTo(CublasStatus.NotSupported));
        CudaBlasNativeMethods.cublasDestroy_v2(blas);
    }

    /// <summary>Multiplies n × k by k × n in place; only its status matters.</summary>
    private static void Square(CudaBlas blas, int n, int k, CudaDeviceVariable<float> memory)
    {
        CUdeviceptr p = memory.DevicePointer;
        blas.GemmEx(
            Operation.NonTranspose, Operation.NonTranspose, n, n, k,
            1f, p, DataType.CUDA_R_32F, n, p, DataType.CUDA_R_32F, 4, 0f, p, DataType.CUDA_R_32F, n);
    }
}
