using System.Runtime.InteropServices;
using ManagedCuda;
using ManagedCuda.BasicTypes;

namespace SlttEngine.Device;

/// <summary>Copies between host spans and device memory, in order with the device's stream.</summary>
/// <remarks>The driver's copies without a stream are on another one, which neither waits for the device's nor is waited for.</remarks>
public static class HostCopy
{
    /// <summary>Copies to the device; the span may be reused once the call returns (pageable memory is staged by the driver).</summary>
    /// <typeparam name="T">Element type.</typeparam>
    /// <param name="device">The device.</param>
    /// <param name="target">Where to.</param>
    /// <param name="source">What.</param>
    public static unsafe void ToDevice<T>(ComputeDevice device, CUdeviceptr target, ReadOnlySpan<T> source)
        where T : unmanaged
    {
        ReadOnlySpan<byte> bytes = MemoryMarshal.AsBytes(source);
        fixed (byte* start = bytes)
        {
            DriverCall.Check(
                DriverAPINativeMethods.AsynchronousMemcpy_v2.cuMemcpyHtoDAsync_v2(
                    target, (nint)start, (ulong)bytes.Length, device.Stream.Stream));
        }
    }

    /// <summary>Waits for the stream and copies from the device.</summary>
    /// <typeparam name="T">Element type.</typeparam>
    /// <param name="device">The device.</param>
    /// <param name="source">Where from.</param>
    /// <param name="target">Where to.</param>
    public static unsafe void ToHost<T>(ComputeDevice device, CUdeviceptr source, Span<T> target)
        where T : unmanaged
    {
        Span<byte> bytes = MemoryMarshal.AsBytes(target);
        fixed (byte* start = bytes)
        {
            DriverCall.Check(
                DriverAPINativeMethods.AsynchronousMemcpy_v2.cuMemcpyDtoHAsync_v2(
                    (nint)start, source, (ulong)bytes.Length, device.Stream.Stream));

            // Within the block: the garbage collector must not move the span while it is written.
            device.Synchronize();
        }
    }
}
