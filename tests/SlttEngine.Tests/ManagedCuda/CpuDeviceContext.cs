using ManagedCuda;
using ManagedCuda.BasicTypes;
using SlttEngine.Device;

namespace SlttEngine.Tests.ManagedCudaApi;

/// <summary>Tests through the CPU device's libraries: its first device's primary context is current on the test's thread.</summary>
public abstract class CpuDeviceContext
{
    private PrimaryContext? context;

    protected CudaContext Context => context!;

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
