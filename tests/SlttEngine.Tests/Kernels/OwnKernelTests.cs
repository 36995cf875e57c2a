using SlttEngine.Device;

namespace SlttEngine.Tests.Kernels;

/// <summary>Kernels of a user's own: what is compiled when, what is refused and how the refusal reads.</summary>
[TestFixtureSource(typeof(KernelTest), nameof(KernelTest.Kinds))]
public sealed class OwnKernelTests(DeviceKind kind) : KernelTest(kind)
{
    private const string Text = """
        template <class T> __device__ void add_value(T* y, const T* x, float value, int64_t n) {
            for_elements<T>(n, [=](auto lanes, int64_t i) { store<lanes.value>(y, i, load<lanes.value>(x, i) + value); });
        }
        #define VARIANT(T, suffix) \
            SLTT_KERNEL(add_value_##suffix, (T* y, const T* x, float value, int64_t n), add_value<T>(y, x, value, n))
        SLTT_FOR_EACH_TYPE(VARIANT)
        """;

    private static readonly KernelSource Source = new("add value.cu", Text);

    private string folder = "";

    [SetUp]
    public void MakeFolder() => folder = Directory.CreateTempSubdirectory("sltt-own-").FullName;

    [TearDown]
    public void DeleteFolder() => Directory.Delete(folder, recursive: true);

    [Test]
    public void It_runs_on_any_number_of_blocks()
    {
        float[] x = Uniform(1037, ComputeType.Float32, -1, 1, 3);
        CompiledKernel kernel = Device.Kernel(Source, "add_value_f32");
        foreach (LaunchShape shape in new[] { LaunchShape.OneThread, new(7, 33), LaunchShape.Elements(Device, x.Length, 4) })
        {
            using DeviceArray<float> from = new(Device, x), to = new(Device, x.Length);
            kernel.Launch(shape, to.Pointer, (ConstDevicePtr<float>)from.Pointer, 0.5f, (long)x.Length);
            AssertSame(to.Read(), [.. x.Select(v => v + 0.5f)], "y");
        }
    }

    [Test]
    public void A_captured_launch_is_replayed()
    {
        CompiledKernel kernel = Device.Kernel(Source, "add_value_f32");
        using DeviceArray<float> y = new(Device, [1f, 2f]);
        using CapturedGraph graph = CapturedGraph.Capture(Device, () => kernel.Launch(LaunchShape.Single, y.Pointer, y.Pointer, 1f, 2L));
        graph.Launch();
        graph.Launch();
        Assert.That(y.Read(), Is.EqualTo(new[] { 3f, 4f }));
    }

    [Test]
    public void A_launch_allocates_nothing()
    {
        CompiledKernel kernel = Device.Kernel(Source, "add_value_f32");
        using DeviceArray<float> y = new(Device, [1f]);
        void Launches(int count)
        {
            for (int i = 0; i < count; i++)
            {
                kernel.Launch(LaunchShape.OneThread, y.Pointer, y.Pointer, 1f, 1L);
            }
        }

        Launches(1);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Launches(100);
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero);
        Device.Synchronize();
    }

    [Test]
    public void Wrong_arguments_are_refused()
    {
        DevicePtr<float> floats = default;
        ConstDevicePtr<float> constant = default;
        Assume.That(Device.IsCpu, "PTX says less of types");
        Refused("add value.cu: add_value_f32 has 4 parameters, but 3 arguments are passed", floats, floats, 1f);
        Refused("add value.cu: add_value_f32's parameter 4, n, is int64_t, but the argument is int", floats, floats, 1f, 1);
        Refused("add value.cu: add_value_f32's parameter 3, value, is float, but the argument is double", floats, floats, 1.0, 1L);
        Refused("add value.cu: add_value_f32's parameter 1, y, is float*, but the argument is ConstDevicePtr<float>", constant, floats, 1f, 1L);
        Refused("add value.cu: add_value_f32's parameter 2, x, is const float*, but the argument is DevicePtr<Half>", floats, default(DevicePtr<Half>), 1f, 1L);
        Refused("add value.cu: add_value_f32's parameter 1, y, is float*, but the argument is float", 1f, floats, 1f, 1L);
    }

    [Test]
    public void A_refused_launch_names_the_kernel() => Assert.That(
        () => Device.Kernel(Source, "add_value_f32").Launch(new(1, 4096), default(DevicePtr<float>), default(DevicePtr<float>), 1f, 0L),
        Throws.TypeOf<SlttException>().With.Message.StartsWith($"add value.cu: add_value_f32, grid 1, block 4096, on {Device.Name}: "));

    [Test]
    public void A_kernel_that_is_not_there_is_named()
    {
        SlttException error = Assert.Throws<SlttException>(() => Device.Kernel(Source, "add_values"))!;
        Assert.That(error.Message, Is.EqualTo("add value.cu: no kernel is called add_values"));
        Assert.That(error.Hint, Is.EqualTo("it has add_value_bf16, add_value_f16, add_value_f32"));
        Assert.That(error.Kind, Is.EqualTo(ErrorKind.Usage));
        error = Assert.Throws<SlttException>(() => Device.Kernel(new KernelSource("empty.cu", "// nothing"), "f"))!;
        Assert.That(error.Hint, Does.Contain("SLTT_KERNEL"));
    }

    [Test]
    public void An_error_has_the_sources_own_line()
    {
        SlttException error = Assert.Throws<SlttException>(
            () => Device.Kernel(new KernelSource("broken.cu", "// one\n\nint x = nobody;\n"), "f"))!;
        Assert.That(error.Message, Does.Match(@"^broken\.cu(:3:|\(3\)).*nobody"));
        Assert.That(error.Kind, Is.EqualTo(ErrorKind.Usage));
    }

    /// <summary>The engine's header finds the mistake, in a template that line 2 asks for.</summary>
    [Test]
    public void An_error_in_a_header_names_the_line_that_leads_there()
    {
        const string Body = "// one\nSLTT_KERNEL(f, (float* y), store<1>(y, 0, 1.0f))\n";
        Assert.That(
            () => Device.Kernel(new KernelSource("led.cu", Body), "f"),
            Throws.TypeOf<SlttException>().With.Message.Match(@"led\.cu[:(]2"));
    }

    [Test]
    public void Gpp_that_is_missing_or_old_is_named()
    {
        Assume.That(Device.IsCpu);
        string old = Path.Combine(folder, "old-g++");
        File.WriteAllText(old, "#!/bin/sh\necho 10.2.1\n");
        File.SetUnixFileMode(old, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        Assert.That(
            () => new CpuKernelCompiler("no-such-g++").Compile(Source, faithful: false),
            Throws.TypeOf<SlttException>().With.Message.EqualTo(
                "own kernels need g++ 11 or newer on the PATH for the CPU device; no-such-g++ does not start"));
        SlttException error = Assert.Throws<SlttException>(() => new CpuKernelCompiler(old).Compile(Source, faithful: false))!;
        Assert.That((error.Message, error.Kind), Is.EqualTo(($"own kernels need g++ 11 or newer for the CPU device; {old} is 10.2.1", ErrorKind.Device)));
    }

    /// <summary>The same text is compiled one time; another text, or a damaged file, anew.</summary>
    [Test]
    public void The_cache_goes_by_content()
    {
        int compiled = 0;
        CachedKernels Find(string key) => new KernelCache(folder).FindOrMake("name", ".so", key, (headers, made) =>
        {
            Assert.That(File.Exists(Path.Combine(headers, "common", "sltt.cuh")));
            compiled++;
            File.WriteAllText(made, "code of " + key);
            return "notes";
        });
        CachedKernels first = Find("a");
        Assert.That((Find("a"), compiled), Is.EqualTo((first, 1)));
        Assert.That((Find("b").Path == first.Path, compiled), Is.EqualTo((false, 2)));
        File.WriteAllText(first.Path, "damaged");
        Assert.That((Find("a"), compiled), Is.EqualTo((first, 3)));
        Assert.That(File.ReadAllText(first.Path), Is.EqualTo("code of a"));
        File.WriteAllText(first.Path + ".stamp", "");
        Assert.That((Find("a"), compiled), Is.EqualTo((first, 4)));
        Assert.That(Directory.EnumerateFileSystemEntries(folder).Count(), Is.EqualTo(4), "two entries, and nothing left over");
    }

    [Test]
    public void A_folder_that_cannot_be_written_is_replaced_by_a_temporary_one()
    {
        string file = Path.Combine(folder, "file");
        File.WriteAllText(file, "");
        CachedKernels made = new KernelCache(Path.Combine(file, "kernels")).FindOrMake("name", ".so", "k", (_, to) =>
        {
            File.WriteAllText(to, "code");
            return "";
        });
        Assert.That(made.Path, Does.StartWith(Path.GetTempPath()));
        Assert.That(File.ReadAllText(made.Path), Is.EqualTo("code"));
    }

    private void Refused(string message, params KernelArgument[] arguments)
    {
        SlttException error = Assert.Throws<SlttException>(
            () => Device.Kernel(Source, "add_value_f32").Launch(LaunchShape.OneThread, arguments))!;
        Assert.That((error.Message, error.Kind), Is.EqualTo((message, ErrorKind.Usage)));
        Assert.That(error.Hint, Does.StartWith("pass "));
    }
}
