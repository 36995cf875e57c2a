using System.Globalization;
using ManagedCuda;
using SlttEngine.Device;

namespace SlttEngine.Bench;

/// <summary>The device's largest cache, which what is measured must not fit into.</summary>
internal static class CacheSize
{
    private const long Unknown = 32L << 20;

    /// <summary>Bytes: a GPU's L2; on the CPU device the largest that the system names, 32 MiB if it names none.</summary>
    public static long Of(ComputeDevice device)
    {
        if (!device.IsCpu)
        {
            CudaDeviceProperties properties = device.Context.GetDeviceInfo();
            return Math.Max(properties.L2CacheSize, Unknown);
        }

        const string Caches = "/sys/devices/system/cpu/cpu0/cache";
        return Directory.Exists(Caches)
            ? Directory.EnumerateDirectories(Caches, "index*").Select(c => Parse(Path.Combine(c, "size"))).DefaultIfEmpty(Unknown).Max()
            : Unknown;
    }

    /// <summary>"266240K" in bytes; 0 if it can't be read.</summary>
    private static long Parse(string file)
    {
        string text = File.Exists(file) ? File.ReadAllText(file).Trim() : "";
        int unit = text.EndsWith('K') ? 10 : text.EndsWith('M') ? 20 : 0;
        return long.TryParse(text.TrimEnd('K', 'M'), NumberStyles.None, CultureInfo.InvariantCulture, out long number) ? number << unit : 0;
    }
}
