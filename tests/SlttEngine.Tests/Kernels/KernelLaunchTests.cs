using ManagedCuda;
using SlttEngine.Bench;
using SlttEngine.Device;

namespace SlttEngine.Tests.Kernels;

/// <summary>Launches through the generated methods, and by name with the arguments checked.</summary>
[TestFixtureSource(typeof(KernelTest), nameof(Kinds))]
public sealed class KernelLaunchTests(DeviceKind kind) : KernelTest(kind)
{
    [Test]
    public void GeneratedMethodLaunchesTheVariantOfItsType()
    {
        using DeviceArray<float> floats = new(Device, [3f]);
        using DeviceArray<Half> halves = new(Device, [(Half)3f]);
        using DeviceArray<BFloat16> shorts = new(Device, [(BFloat16)3f]);
        Device.Kernels.Scale(LaunchShape.OneThread, floats.Pointer, floats.Pointer, 0.5f, 1);
        Device.Kernels.Scale(LaunchShape.OneThread, halves.Pointer, halves.Pointer, 0.5f, 1);
        Device.Kernels.Scale(LaunchShape.OneThread, shorts.Pointer, shorts.Pointer, 0.5f, 1);
        Assert.That((floats.Read()[0], halves.Read()[0], (float)shorts.Read()[0]), Is.EqualTo((1.5f, (Half)1.5f, 1.5f)));
        Assert.That(
            () => Device.Kernels.Scale<double>(LaunchShape.OneThread, default, default, 1f, 1),
            Throws.TypeOf<NotSupportedException>().With.Message.Contains("Double"));
    }

    [Test]
    public void LaunchAllocatesNothing()
    {
        using DeviceArray<float> x = new(Device, [1f]);
        Launches(1);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Launches(100);
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero);
        Device.Synchronize();

        void Launches(int count)
        {
            for (int i = 0; i < count; i++)
            {
                Device.Kernels.Scale(LaunchShape.OneThread, x.Pointer, x.Pointer, 1f, 1);
            }
        }
    }

    [Test]
    public void FailedLaunchSaysWhatWasLaunchedWhereAndHow()
    {
        CudaException error = Assert.Throws<CudaException>(() => Device.Kernels.Scale<Half>(new(3, 4096), default, default, 1f, 0))!;
        Assert.That(error.Message, Does.StartWith($"cuLaunchKernel (scale_f16, grid 3, block 4096, on {Device.Name}): "));
    }

    /// <summary>Wrong arguments of a launch by name: the message names kernel, argument, expected and given type.</summary>
    [Test]
    public void LaunchByNameRefusesWrongArguments()
    {
        DevicePtr<float> floats = default;
        DevicePtr<Half> halves = default;
        ConstDevicePtr<float> constant = default;
        Refused("no kernel is called scales_f32", "scales_f32");
        Refused("scale_f32 has 4 parameters, 3 arguments were given", "scale_f32", floats, floats, 1f);
        Refused("scale_f32 has 4 parameters, 5 arguments were given", "scale_f32", floats, floats, 1f, 1L, 1L);
        Refused("scale_f32: argument 3, factor, is a float; given was double (-0.115)", "scale_f32", floats, floats, -0.115, 1L);
        Refused("scale_f32: argument 3, factor, is a float; given was int (2)", "scale_f32", floats, floats, 2, 1L);
        Refused("scale_f32: argument 4, n, is a long; given was int (1)", "scale_f32", floats, floats, 1f, 1);
        Refused("scale_f32: argument 1, y, is a DevicePtr<float>; given was DevicePtr<Half>", "scale_f32", halves, floats, 1f, 1L);
        Refused("scale_f16: argument 2, x, is a ConstDevicePtr<Half>; given was DevicePtr<float>", "scale_f16", halves, floats, 1f, 1L);
        Refused("scale_f32: argument 1, y, is a DevicePtr<float>; given was ConstDevicePtr<float>", "scale_f32", constant, floats, 1f, 1L);
        Refused("scale_f32: argument 4, n, is a long; given was a null pointer", "scale_f32", floats, floats, 1f, Null);
        Refused("scale_f32: argument 1, y, is a DevicePtr<float>; given was null", "scale_f32", null!, floats, 1f, 1L);
        Assert.That(() => new KernelLaunch(Device, "scale_f32", LaunchShape.OneThread, Null, constant, 1f, 0L), Throws.Nothing);
    }

    private void Refused(string message, string kernel, params object[] arguments) =>
        Assert.That(() => Launch(kernel, LaunchShape.OneThread, arguments), Throws.ArgumentException.With.Message.StartsWith(message));
}
