using System.Text;

namespace SlttEngine.Device;

/// <summary>How the CPU device did its convolutions: it takes the event-driven way where few neurons fired, else the dense one.</summary>
public static unsafe class CpuConvolutions
{
    /// <summary>The calls of each pass and shape since the last call of this method, which are then forgotten.</summary>
    /// <returns>A JSON array, one object a pass and shape (docs/internals/cpu.md says which members); null on a GPU.</returns>
    public static string? Drain()
    {
        nint function = NativeLibraries.CpuFunction("sltt_cpu_convolutions");
        if (function == 0)
        {
            return null;
        }

        delegate* unmanaged<byte*, nuint, int, nuint> convolutions = (delegate* unmanaged<byte*, nuint, int, nuint>)function;
        byte[] json = [];
        while (true)
        {
            fixed (byte* place = json)
            {
                nuint bytes = convolutions(place, (nuint)json.Length, 1);
                if (bytes <= (nuint)json.Length)
                {
                    return Encoding.UTF8.GetString(json, 0, (int)bytes - 1);
                }

                json = new byte[bytes];
            }
        }
    }
}
