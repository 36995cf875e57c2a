using SlttEngine.Device;

namespace SlttEngine.Tests.Kernels;

/// <summary>Kernels of a user's own: launches, and the arguments that are refused.</summary>
[TestFixtureSource(typeof(KernelTest), nameof(KernelTest.Kinds))]
public sealed class OwnKernelTests(DeviceKind kind) : KernelTest(kind)
{
    private static readonly KernelSource Source = new("add value.cu", """
        template <class T> __device__ void add_value(T* y, const T* x, float value, int64_t n) {
            for_elements<T>(n, [=](auto lanes, int64_t i) { store<lanes.value>(y, i, load<lanes.value>(x, i) + value); });
        }
        SLTT_KERNEL(add_value_f32, (float* y, const float* x, float value, int64_t n), add_value<float>(y, x, value, n))
        SLTT_KERNEL(reciprocal, (float* y, int64_t n),
            for_elements<float>(n, [=](auto lanes, int64_t i) { store<lanes.value>(y, i, 1.0f / load<lanes.value>(y, i)); }))
        SLTT_KERNEL(find_nothing, (int32_t* found), *found = -1)
        """);

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
    public void A_number_is_divided_by_a_pack()
    {
        float[] x = Uniform(37, ComputeType.Float32, 1, 2, 3);
        using DeviceArray<float> y = new(Device, x);
        Device.Kernel(Source, "reciprocal").Launch(LaunchShape.Elements(Device, x.Length, 4), y.Pointer, (long)x.Length);
        AssertSame(y.Read(), [.. x.Select(v => 1 / v)], "y");
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
        if (!Device.IsCpu)
        {
            Assert.Ignore("PTX says less of types (GpuKernelCompilerTests)");
        }

        DevicePtr<Half> halves = default;
        Refused(" has 4 parameters, but 3 arguments are passed", floats, floats, 1f);
        Refused("'s parameter 4, n, is int64_t, but the argument is int", floats, floats, 1f, 1);
        Refused("'s parameter 3, value, is float, but the argument is double", floats, floats, 1.0, 1L);
        Refused("'s parameter 1, y, is float*, but the argument is ConstDevicePtr<float>", constant, floats, 1f, 1L);
        Refused("'s parameter 2, x, is const float*, but the argument is DevicePtr<Half>", floats, halves, 1f, 1L);
        Refused("'s parameter 1, y, is float*, but the argument is float", 1f, floats, 1f, 1L);
    }

    [Test]
    public void A_refused_launch_names_the_kernel() => Assert.That(
        () => Device.Kernel(Source, "add_value_f32").Launch(new(1, 4096), default(DevicePtr<float>), default(DevicePtr<float>), 1f, 0L),
        Throws.TypeOf<SlttException>().With.Message.StartsWith($"add value.cu: add_value_f32, grid 1, block 4096, on {Device.Name}: "));

    /// <summary>The fast CPU device runs a launch at once; the others tell at the next wait.</summary>
    [Test]
    public void A_fault_in_the_kernel_is_an_error_of_its_launch()
    {
        if (Device.Kind != DeviceKind.Cpu)
        {
            Assert.Ignore("launches do not run at once");
        }

        Assert.That(
            () => Device.Kernel(Source, "find_nothing").Launch(LaunchShape.OneThread, default(DevicePtr<int>)),
            Throws.TypeOf<SlttException>().With.Message.Contains("memory outside its allocations"));
    }

    [Test]
    public void A_kernel_that_is_not_there_is_named()
    {
        SlttException error = Assert.Throws<SlttException>(() => Device.Kernel(Source, "add_values"))!;
        Assert.That(error.Message, Is.EqualTo("add value.cu: no kernel is called add_values"));
        Assert.That(error.Hint, Is.EqualTo("it has add_value_f32, find_nothing, reciprocal"));
        Assert.That(error.Kind, Is.EqualTo(ErrorKind.Usage));
        if (IsSlow)
        {
            error = Assert.Throws<SlttException>(() => Device.Kernel(new KernelSource("empty.cu", "// nothing"), "f"))!;
            Assert.That(error.Hint, Does.Contain("SLTT_KERNEL"));
        }
    }

    private void Refused(string message, params KernelArgument[] arguments)
    {
        SlttException error = Assert.Throws<SlttException>(
            () => Device.Kernel(Source, "add_value_f32").Launch(LaunchShape.OneThread, arguments))!;
        Assert.That((error.Message, error.Kind), Is.EqualTo(("add value.cu: add_value_f32" + message, ErrorKind.Usage)));
        Assert.That(error.Hint, Does.StartWith("pass "));
    }
}
