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

        using CudaDeviceVariable<float> deviceA = a;
        using CudaDeviceVariable<float> deviceB = b;
        using CudaDeviceVariable<float> deviceC = c;
        using CudaStream stream = new(CUStreamFlags.NonBlocking);
        CudaBlas blas = new(stream.Stream);
        blas.GemmEx(
            ofA, ofB, M, N, K, 2f, deviceA.DevicePointer, DataType.CUDA_R_32F, ofA == Operation.NonTranspose ? M : K, deviceB.DevicePointer, DataType.CUDA_R_32F, ofB == Operation.NonTranspose ? K : N, 0.5f, deviceC.DevicePointer, DataType.CUDA_R_32F, M);
        stream.Synchronize();
        blas.Dispose();
        Assert.That((float[])deviceC, Is.EqualTo(expected).Within(1e-6f));
    }

    [Test]
    public void SettingsAreKept()
    {
        using CudaStream stream = new(CUStreamFlags.NonBlocking);
        CudaBlas blas = new(stream.Stream, PointerMode.Host, AtomicsMode.NotAllowed);
        Assert.Multiple(() =>
        {
            Assert.That(blas.Stream.Pointer, Is.EqualTo(stream.Stream.Pointer));
            Assert.That(blas.AtomicsMode, Is.EqualTo(AtomicsMode.NotAllowed));
            Assert.That(blas.PointerMode, Is.EqualTo(PointerMode.Host));
            Assert.That(blas.GetVersion().Major, Is.GreaterThanOrEqualTo(12));
        });
        blas.MathMode = ManagedCuda.CudaBlas.Math.PedanticMath;
        Assert.That(blas.MathMode, Is.EqualTo(ManagedCuda.CudaBlas.Math.PedanticMath));
        blas.Dispose();
    }

    [Test]
    public void AFailureNamesCallAndShape()
    {
        using CudaDeviceVariable<float> memory = new(16);
        CudaBlas blas = new();
        CudaBlasException error = Assert.Throws<CudaBlasException>(() => blas.GemmEx(
            Operation.NonTranspose, Operation.NonTranspose, 4, 4, -1, 1f, memory.DevicePointer, DataType.CUDA_R_32F, 4, memory.DevicePointer, DataType.CUDA_R_32F, 4, 0f, memory.DevicePointer, DataType.CUDA_R_32F, 4))!;
        blas.Dispose();
        Assert.That(error.Message, Does.StartWith("cublasSgemmEx (NonTranspose 4 x -1 by NonTranspose -1 x 4, CUDA_R_32F x CUDA_R_32F to CUDA_R_32F): InvalidValue (7), "));
        Assert.That(error.CudaBlasError, Is.EqualTo(CublasStatus.InvalidValue));
    }

    [Test]
    public void ACapturedProductNeedsAWorkspaceWhichSettingTheStreamTakesAway()
    {
        using CudaDeviceVariable<float> memory = new(16);
        using CudaDeviceVariable<byte> workspace = new(256);
        using CudaStream stream = new(CUStreamFlags.NonBlocking);
        CudaBlas blas = new(stream.Stream);
        void Capture()
        {
            CUgraph graph = default;
            Assert.That(DriverAPINativeMethods.Streams.cuStreamBeginCapture(stream.Stream, CUstreamCaptureMode.Local), Is.EqualTo(CUResult.Success));
            try
            {
                blas.GemmEx(
                    Operation.NonTranspose, Operation.NonTranspose, 2, 2, 2, 1f, memory.DevicePointer, DataType.CUDA_R_32F, 2, memory.DevicePointer, DataType.CUDA_R_32F, 2, 0f, memory.DevicePointer, DataType.CUDA_R_32F, 2);
            }
            finally
            {
                Assert.That(DriverAPINativeMethods.Streams.cuStreamEndCapture(stream.Stream, ref graph), Is.EqualTo(CUResult.Success));
                DriverAPINativeMethods.GraphManagment.cuGraphDestroy(graph);
            }
        }

        Assert.That(Capture, Throws.TypeOf<CudaBlasException>().With.Property("CudaBlasError").EqualTo(CublasStatus.NotSupported));
        blas.SetWorkspace(workspace);
        Assert.That(Capture, Throws.Nothing);
        blas.Stream = stream.Stream;
        Assert.That(Capture, Throws.TypeOf<CudaBlasException>());
        blas.Dispose();
    }
}
