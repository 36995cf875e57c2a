using SlttEngine.Device;

namespace SlttEngine.Tests.Engine;

/// <summary>The fast CPU device for the engine's tests, or the GPU where SLTT_TEST_DEVICE=cuda; opened once.</summary>
internal static class SharedDevice
{
    private static readonly Lazy<ComputeDevice> Opened = new(() => ComputeDevice.Open(
        Environment.GetEnvironmentVariable("SLTT_TEST_DEVICE") == "cuda" ? DeviceKind.Cuda : DeviceKind.Cpu));

    public static ComputeDevice Device => Opened.Value;
}
