using System.Runtime.CompilerServices;
using ManagedCuda;
using ManagedCuda.BasicTypes;
using SlttEngine.Device;

namespace SlttEngine.Tests.ManagedCudaApi;

/// <summary>Tests through the CPU device's libraries. Its first device's primary context is current on the test's thread.</summary>
public abstract class CpuDeviceContext
{
    private PrimaryContext? context;

    protected PrimaryContext Context => context!;

    protected CUmodule Module { get; private set; }

    [OneTimeSetUp]
    public static void ChooseLibraries() => NativeLibraries.Choose(cpu: true);

    [SetUp]
    public void OpenContext()
    {
        context = new PrimaryContext(0);
        context.SetCurrent();
        Module = context.LoadModuleFatBin("SLTT-CPU-KERNELS\0"u8.ToArray());
    }

    [TearDown]
    public void CloseContext() => context!.Dispose();

    /// <summary>New device memory with these values.</summary>
    protected static CudaDeviceVariable<T> Variable<T>(T[] values)
        where T : struct
    {
        CudaDeviceVariable<T> variable = new(values.Length);
        variable.CopyToDevice(values);
        return variable;
    }

    /// <summary>All values of device memory.</summary>
    protected static T[] Read<T>(CudaDeviceVariable<T> variable)
        where T : struct
    {
        T[] values = new T[(long)variable.SizeInBytes / Unsafe.SizeOf<T>()];
        variable.CopyToHost(values);
        return values;
    }

    protected static void Check(CUResult result) => Assert.That(result, Is.EqualTo(CUResult.Success));

    protected static float[] Numbers(int count, int seed)
    {
        Random random = new(seed);
        float[] values = new float[count];
        for (int i = 0; i < count; i++)
        {
            values[i] = (random.NextSingle() * 2) - 1;
        }

        return values;
    }
}
