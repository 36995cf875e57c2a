using SlttEngine.Device;

namespace SlttEngine.Tests.Engine;

/// <summary>The fast CPU device for the engine's tests, or the GPU where SLTT_TEST_DEVICE=cuda; opened once.</summary>
internal static class SharedDevice
{
    private static readonly bool OnGpu = Environment.GetEnvironmentVariable("SLTT_TEST_DEVICE") == "cuda";
    private static readonly Lazy<ComputeDevice> Opened = new(() => ComputeDevice.Open(OnGpu ? DeviceKind.Cuda : DeviceKind.Cpu));

    /// <summary>The same for runs that open a device by their options: a process can have one kind only.</summary>
    public static DeviceChoice Choice => OnGpu ? DeviceChoice.Cuda : DeviceChoice.Cpu;

    /// <summary>The device, current on the calling thread: another test may have used one of its own.</summary>
    public static ComputeDevice Device
    {
        get
        {
            Opened.Value.Context.SetCurrent();
            return Opened.Value;
        }
    }
}
