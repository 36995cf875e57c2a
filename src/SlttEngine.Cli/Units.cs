using System.Globalization;

namespace SlttEngine.Cli;

/// <summary>Sizes and times as people read them.</summary>
internal static class Units
{
    /// <summary>Bytes in MiB, or GiB from 10 of them.</summary>
    /// <param name="bytes">How many.</param>
    internal static string Bytes(long bytes) => bytes >= 10L << 30
        ? (bytes / (double)(1L << 30)).ToString("0.0", CultureInfo.InvariantCulture) + " GiB"
        : (bytes / (double)(1L << 20)).ToString("0.0", CultureInfo.InvariantCulture) + " MiB";

    /// <summary>h:mm:ss.</summary>
    /// <param name="seconds">How many; unknown if not finite.</param>
    internal static string Clock(double seconds)
    {
        if (!double.IsFinite(seconds) || seconds < 0)
        {
            return "-:--:--";
        }

        long whole = (long)Math.Round(seconds);
        return string.Create(CultureInfo.InvariantCulture, $"{whole / 3600}:{whole / 60 % 60:00}:{whole % 60:00}");
    }
}
