using ManagedCuda.CudaDNN;
using SlttEngine.Device;

namespace SlttEngine.Tests.Dnn;

/// <summary>Runs a test class on one kind of device, and compares what the device computed with a double-precision reference.</summary>
public abstract class DnnFixture(DeviceKind kind)
{
    /// <summary>The types that a layer's numbers may have.</summary>
    protected static readonly ComputeType[] Types = [ComputeType.Float32, ComputeType.BFloat16, ComputeType.Float16];

    /// <summary>The device under test.</summary>
    protected ComputeDevice Device { get; private set; } = null!;

    /// <summary>Opens the device.</summary>
    [OneTimeSetUp]
    public void OpenDevice() => Device = ComputeDevice.Open(kind);

    /// <summary>Closes it.</summary>
    [OneTimeTearDown]
    public void CloseDevice() => Device.Dispose();

    internal static TensorDescriptor Tensor(ComputeType type, int n, int c, int h, int w)
    {
        TensorDescriptor descriptor = new();
        descriptor.SetTensor4dDescriptor(cudnnTensorFormat.NHWC, type.Dnn(), n, c, h, w);
        return descriptor;
    }

    internal static FilterDescriptor Filter(ComputeType type, int k, int c, int h, int w)
    {
        FilterDescriptor descriptor = new();
        descriptor.SetFilter4dDescriptor(type.Dnn(), cudnnTensorFormat.NHWC, k, c, h, w);
        return descriptor;
    }

    /// <summary>
    /// Fails unless every number is within its tolerance: `terms` roundings of float, relative to the sum of the magnitudes
    /// that went into it, and one rounding to the type it is stored in.
    /// </summary>
    private protected static void AssertClose(float[] actual, double[] expected, double[] magnitude, ComputeType type, double terms,
        string what)
    {
        Assert.That(actual, Has.Length.EqualTo(expected.Length));
        for (int i = 0; i < actual.Length; i++)
        {
            double sum = terms * Numbers.FloatRounding * magnitude[i];
            double tolerance = sum + (Numbers.Rounding(type) * (Math.Abs(expected[i]) + sum)) + Numbers.Underflow(type);
            if (!(Math.Abs(actual[i] - expected[i]) <= tolerance))
            {
                Assert.Fail($"{what}[{i}] is {actual[i]:R}, should be {expected[i]:R} within {tolerance:G3}");
            }
        }
    }

    /// <summary>alpha * computed + beta * before, and the same of magnitudes.</summary>
    private protected static void Blend(double[] computed, double[] magnitude, float alpha, float beta, float[]? before)
    {
        for (int i = 0; i < computed.Length; i++)
        {
            computed[i] *= alpha;
            magnitude[i] *= Math.Abs(alpha);
            if (beta != 0)
            {
                computed[i] += (double)beta * before![i];
                magnitude[i] += Math.Abs((double)beta * before[i]);
            }
        }
    }
}
