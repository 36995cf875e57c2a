using SlttEngine.Bench;
using SlttEngine.Device;
using SlttEngine.Tests.Dnn;

namespace SlttEngine.Tests.Kernels;

/// <summary>
/// Tests of kernels: one body, run on each device (on the GPU instead where SLTT_TEST_DEVICE=cuda). Every array lies between
/// guards, every output starts as NaN, and every memory is freed after the test.
/// </summary>
public abstract class KernelTest(DeviceKind kind)
{
    /// <summary>What is passed where a kernel takes no array.</summary>
    private protected static object Null => KernelLaunch.Null;

    private static readonly Dictionary<DeviceKind, ComputeDevice> Opened = [];
    private readonly List<IDisposable> owned = [];

    /// <summary>The devices that the tests run on.</summary>
    public static IEnumerable<DeviceKind> Kinds =>
        Environment.GetEnvironmentVariable("SLTT_TEST_DEVICE") == "cuda" ? [DeviceKind.Cuda] : [DeviceKind.Cpu, DeviceKind.CpuFaithful];

    private protected ComputeDevice Device { get; private set; } = null!;

    /// <summary>Which variant of a test's case is under way; messages begin with it.</summary>
    private protected object? Variant { get; set; }

    /// <summary>The mode in which a thousand threads are a thousand threads, one after the other.</summary>
    private protected bool IsSlow => kind == DeviceKind.CpuFaithful;

    [SetUp]
    public void UseDevice()
    {
        if (!Opened.TryGetValue(kind, out ComputeDevice? device))
        {
            Opened[kind] = device = ComputeDevice.Open(kind);
        }

        device.Context.SetCurrent();
        Device = device;
        Variant = null;
    }

    [TearDown]
    public void FreeMemory()
    {
        foreach (IDisposable item in owned)
        {
            item.Dispose();
        }

        owned.Clear();
    }

    private protected Tensor Upload(ComputeType type, float[] values) => Own(new Tensor(Device, type, values));

    private protected Tensor Poisoned(ComputeType type, int count) => Own(new Tensor(Device, type, count));

    private protected Tensor Floats(float[] values) => Upload(ComputeType.Float32, values);

    private protected Tensor PoisonedFloats(int count) => Poisoned(ComputeType.Float32, count);

    private protected DeviceArray<T> Upload<T>(T[] values)
        where T : unmanaged => Own(new DeviceArray<T>(Device, values));

    private protected DeviceArray<T> Poisoned<T>(int count)
        where T : unmanaged => Own(new DeviceArray<T>(Device, count));

    private protected DeviceArray<RunState> State(RunState state) => Upload([state]);

    private protected GradientSums GradientSums(LaunchShape shape, int channels) => Own(new GradientSums(Device, shape, channels));

    /// <summary>Runs a test's body once for each variant, each with memory of its own.</summary>
    private protected void ForEach<TVariant>(IEnumerable<TVariant> variants, Action<TVariant> body)
    {
        foreach (TVariant variant in variants)
        {
            Variant = variant;
            body(variant);
            FreeMemory();
        }
    }

    /// <summary>Launches a kernel by its symbol; arguments of another type than the kernel's are refused.</summary>
    private protected void Launch(string kernel, LaunchShape shape, params object[] args) =>
        new KernelLaunch(Device, kernel, shape, args).Launch();

    /// <summary>Fails unless every number is within its bound.</summary>
    private protected void AssertWithin(IReadOnlyList<float> actual, IReadOnlyList<Approx> expected, string what)
    {
        Assert.That(actual, Has.Count.EqualTo(expected.Count), what);
        for (int i = 0; i < actual.Count; i++)
        {
            if (!expected[i].Admits(actual[i]))
            {
                Assert.Fail($"{Variant} {what}[{i}] is {actual[i]:R}, should be {expected[i].Value:R} within {expected[i].Error:G3}");
            }
        }
    }

    /// <summary>Fails unless every number is the same, bit for bit but for the sign of zero.</summary>
    private protected void AssertSame(IReadOnlyList<float> actual, IReadOnlyList<float> expected, string what)
    {
        Assert.That(actual, Has.Count.EqualTo(expected.Count), what);
        for (int i = 0; i < actual.Count; i++)
        {
            if (actual[i] != expected[i])
            {
                Assert.Fail($"{Variant} {what}[{i}] is {actual[i]:R}, should be {expected[i]:R}");
            }
        }
    }

    /// <summary>Uniform numbers in [low, high) that the type holds exactly.</summary>
    private protected static float[] Uniform(int count, ComputeType type, float low, float high, int seed)
    {
        Random random = new(seed);
        float[] values = [.. Enumerable.Range(0, count).Select(_ => low + ((high - low) * random.NextSingle()))];
        return Numbers.Decode(Numbers.Encode(values, type), type);
    }

    private T Own<T>(T item)
        where T : IDisposable
    {
        owned.Add(item);
        return item;
    }
}
