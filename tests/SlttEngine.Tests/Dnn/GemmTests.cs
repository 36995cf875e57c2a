using ManagedCuda.CudaBlas;
using SlttEngine.Device;
using ComputeType = SlttEngine.Device.ComputeType;
using Math = System.Math;

namespace SlttEngine.Tests.Dnn;

/// <summary>cuBLAS's matrix product, column-major, against plain loops in double.</summary>
[TestFixture(DeviceKind.Cpu)]
[TestFixture(DeviceKind.CpuFaithful)]
public sealed class GemmTests(DeviceKind kind) : DnnFixture(kind)
{
    private const double SumRoundings = 32;

    private static readonly (int M, int N, int K)[] Sizes = [(1, 1, 1), (10, 3, 512), (33, 17, 5), (64, 64, 64), (5, 100, 31), (7, 9, 0)];

    /// <summary>C = alpha op(A) op(B) + beta C, with padding between columns that must stay as it was.</summary>
    [Test]
    public void Product(
        [ValueSource(nameof(Sizes))] (int M, int N, int K) size, [Values(false, true)] bool transposeA,
        [Values(false, true)] bool transposeB, [ValueSource(nameof(Types))] ComputeType type, [Values(false, true)] bool floatResult)
    {
        (int m, int n, int k) = size;
        ComputeType resultType = floatResult ? ComputeType.Float32 : type;
        int lda = (transposeA ? k : m) + 2, ldb = (transposeB ? n : k) + 1, ldc = m + 3;
        float[] a = Numbers.Random(lda * (transposeA ? m : k), type, 1), b = Numbers.Random(ldb * (transposeB ? k : n), type, 2),
            before = Numbers.Random(ldc * n, resultType, 3);
        foreach ((float alpha, float beta) in new[] { (1f, 0f), (0.75f, 1f), (0f, 0.5f) })
        {
            double[] expected = new double[m * n], magnitude = new double[m * n];
            for (int column = 0; column < n; column++)
            {
                for (int row = 0; row < m; row++)
                {
                    for (int i = 0; i < k; i++)
                    {
                        double factor = a[transposeA ? i + (row * lda) : row + (i * lda)];
                        double term = factor * b[transposeB ? column + (i * ldb) : i + (column * ldb)];
                        expected[(column * m) + row] += term;
                        magnitude[(column * m) + row] += Math.Abs(term);
                    }
                }
            }

            float[] old = beta == 0 ? new float[ldc * n] : before;
            float[] oldValues = [.. Enumerable.Range(0, m * n).Select(i => old[(i / m * ldc) + (i % m)])];
            Blend(expected, magnitude, alpha, beta, oldValues);
            float[] start = [.. before];
            for (int i = 0; beta == 0 && i < m * n; i++)
            {
                start[(i / m * ldc) + (i % m)] = float.NaN; // beta = 0: C is not read
            }

            using GuardedBuffer left = new(a, type), right = new(b, type), result = new(start, resultType);
            Device.Blas.GemmEx(Op(transposeA), Op(transposeB), m, n, k, alpha, left.Pointer, type.Blas(), lda, right.Pointer, type.Blas(),
                ldb, beta, result.Pointer, resultType.Blas(), ldc);
            Device.Synchronize();
            result.CheckGuards("C");
            float[] actual = result.Read();
            AssertClose([.. Enumerable.Range(0, m * n).Select(i => actual[(i / m * ldc) + (i % m)])], expected, magnitude, resultType,
                SumRoundings, $"C alpha {alpha} beta {beta}");
            for (int i = 0; i < actual.Length; i++)
            {
                Assert.That(i % ldc < m || actual[i] == before[i], "what lies between columns must not change");
            }
        }
    }

    /// <summary>The same bits each time.</summary>
    [Test]
    public void IsDeterministic()
    {
        using GuardedBuffer a = new(Numbers.Random(512 * 32, ComputeType.Float32, 1), ComputeType.Float32),
            b = new(Numbers.Random(512 * 100, ComputeType.Float32, 2), ComputeType.Float32), c = new(32 * 100, ComputeType.Float32);
        byte[]? first = null;
        for (int i = 0; i < 5; i++)
        {
            Device.Blas.GemmEx(Operation.Transpose, Operation.NonTranspose, 32, 100, 512, 1, a.Pointer, DataType.CUDA_R_32F, 512,
                b.Pointer, DataType.CUDA_R_32F, 512, 0, c.Pointer, DataType.CUDA_R_32F, 32);
            Device.Synchronize();
            byte[] bytes = c.ReadBytes();
            Assert.That(bytes, Is.EqualTo(first ??= bytes));
        }
    }

    /// <summary>A leading dimension shorter than a column is refused.</summary>
    [Test]
    public void RefusesAShortLeadingDimension()
    {
        using GuardedBuffer a = new(64, ComputeType.Float32);
        CudaBlasException error = Assert.Throws<CudaBlasException>(
            () => Device.Blas.GemmEx(Operation.NonTranspose, Operation.NonTranspose, 8, 4, 4, 1, a.Pointer, DataType.CUDA_R_32F, 7,
                a.Pointer, DataType.CUDA_R_32F, 4, 0, a.Pointer, DataType.CUDA_R_32F, 8))!;
        Assert.That((int)error.CudaBlasError, Is.EqualTo(7), error.Message); // CUBLAS_STATUS_INVALID_VALUE
    }

    private static Operation Op(bool transpose) => transpose ? Operation.Transpose : Operation.NonTranspose;
}
