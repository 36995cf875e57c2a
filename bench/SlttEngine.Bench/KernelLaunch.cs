using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using SlttEngine.Device;

namespace SlttEngine.Bench;

/// <summary>
/// A launch of a kernel that is named at run time, for tests and the bench, which run over all compute types. The arguments
/// are checked against the kernel's signature: their number, their exact types, and that no const pointer is written to.
/// </summary>
internal sealed class KernelLaunch
{
    private readonly ComputeDevice device;
    private readonly KernelSignature kernel;
    private readonly LaunchShape shape;
    private readonly long[] values;
    private readonly nint[] addresses;

    /// <summary>Prepares a launch.</summary>
    /// <param name="device">Where it runs.</param>
    /// <param name="kernel">The kernel's symbol.</param>
    /// <param name="shape">Blocks and threads.</param>
    /// <param name="arguments">The kernel's arguments; <see cref="Null"/> is the null pointer of any type.</param>
    /// <exception cref="ArgumentException">No kernel has this name, or an argument does not fit.</exception>
    public KernelLaunch(ComputeDevice device, string kernel, LaunchShape shape, params ReadOnlySpan<object> arguments)
    {
        this.device = device;
        this.shape = shape;
        this.kernel = KernelSignatures.All.TryGetValue(
            kernel, out KernelSignature? found) ? found : throw new ArgumentException($"no kernel is called {kernel}");
        IReadOnlyList<KernelParameter> parameters = found.Parameters;
        if (arguments.Length != parameters.Count)
        {
            throw new ArgumentException($"{kernel} has {parameters.Count} parameters, {arguments.Length} arguments were given");
        }

        // Pinned: the driver reads the arguments through their addresses.
        values = GC.AllocateArray<long>(arguments.Length, pinned: true);
        addresses = new nint[arguments.Length];
        for (int i = 0; i < arguments.Length; i++)
        {
            Store(arguments[i], kernel, i, parameters[i], ref values[i]);
            addresses[i] = Marshal.UnsafeAddrOfPinnedArrayElement(values, i);
        }
    }

    /// <summary>The null pointer, whatever a kernel's pointer points to.</summary>
    public static object Null { get; } = new NullPointer();

    /// <summary>Launches the kernel.</summary>
    public void Launch() => device.Kernels.Launch(kernel.Index, shape, addresses);

    private static void Store(object? argument, string kernel, int index, KernelParameter parameter, ref long value)
    {
        Type? given = argument?.GetType();
        bool fits = given == parameter.Type
            || (parameter.IsPointer && argument is NullPointer)
            || (parameter.IsConst && given == typeof(DevicePtr<>).MakeGenericType(parameter.Element));
        if (!fits)
        {
            string what = argument switch
            {
                null => "null",
                NullPointer => "a null pointer",
                IDevicePtr => KernelParameter.NameOf(given!),
                _ => $"{KernelParameter.NameOf(given!)} ({argument})",
            };
            throw new ArgumentException(
                $"{kernel}: argument {index + 1}, {parameter.Name}, is a {KernelParameter.NameOf(parameter.Type)}; given was {what}");
        }

        switch (argument)
        {
            case IDevicePtr pointer:
                value = (long)(ulong)pointer.Pointer.Pointer;
                break;
            case float number:
                Unsafe.As<long, float>(ref value) = number;
                break;
            case int number:
                Unsafe.As<long, int>(ref value) = number;
                break;
            case uint number:
                Unsafe.As<long, uint>(ref value) = number;
                break;
            case long number:
                value = number;
                break;
            case NullPointer:
                value = 0;
                break;
            default:
                throw new NotSupportedException(
                    $"{kernel}: no kernel had a parameter of type {KernelParameter.NameOf(parameter.Type)} before");
        }
    }

    private sealed class NullPointer;
}
