using System.Globalization;
using System.Text.RegularExpressions;

namespace SlttEngine.Reports;

/// <summary>Numbers, times and texts as the pages show them.</summary>
internal static partial class Figures
{
    private static readonly string[] Prefixes = ["", " k", " M", " G", " T"];

    /// <summary>A share in percent: 93.12 %, which does not break before its sign.</summary>
    /// <param name="share">0 to 1.</param>
    /// <param name="format">Of the number.</param>
    internal static string Percent(double share, string format = "0.0") => Number(100 * share, format) + "\u00a0%";

    /// <summary>A number; a word where it is not finite.</summary>
    /// <param name="value">The number.</param>
    /// <param name="format">How.</param>
    internal static string Number(double value, string format) =>
        double.IsNaN(value) ? "NaN" : double.IsInfinity(value) ? "infinite" : value.ToString(format, CultureInfo.InvariantCulture);

    /// <summary>Three or four digits, whatever the size: 0.0123, 4.56, 1,234.</summary>
    /// <param name="value">The number.</param>
    internal static string Short(double value) => Number(value, Math.Abs(value) switch
    {
        0 => "0",
        >= 1000 => "#,##0",
        >= 100 => "0.0",
        >= 1 => "0.00",
        >= 0.001 => "0.0000",
        _ => "0.##e-0",
    });

    /// <summary>A large count with a prefix of thousands: 4.59 M.</summary>
    /// <param name="value">The count.</param>
    internal static string Count(double value)
    {
        int p = 0;
        while (Math.Abs(value) >= 999.5 && p < Prefixes.Length - 1)
        {
            (value, p) = (value / 1000, p + 1);
        }

        return Number(value, p == 0 && value == Math.Floor(value) ? "0" : value >= 100 ? "0" : value >= 10 ? "0.0" : "0.00") + Prefixes[p];
    }

    /// <summary>Bytes in KiB, MiB or GiB.</summary>
    /// <param name="bytes">How many.</param>
    internal static string Bytes(long bytes) => bytes switch
    {
        >= 1L << 30 => Number(bytes / (double)(1L << 30), "0.00") + " GiB",
        >= 1L << 20 => Number(bytes / (double)(1L << 20), "0.0") + " MiB",
        _ => Number(bytes / 1024.0, "0.0") + " KiB",
    };

    /// <summary>A duration in its two largest units: 3 h 12 min.</summary>
    /// <param name="seconds">How long.</param>
    internal static string Duration(double seconds)
    {
        if (!double.IsFinite(seconds) || seconds < 0)
        {
            return "unknown";
        }

        long whole = (long)Math.Round(seconds);
        return whole switch
        {
            >= 86400 => Text($"{whole / 86400} d {whole / 3600 % 24} h"),
            >= 3600 => Text($"{whole / 3600} h {whole / 60 % 60} min"),
            >= 60 => Text($"{whole / 60} min {whole % 60} s"),
            >= 10 => Text($"{whole} s"),
            _ => Text($"{seconds:0.0} s"),
        };
    }

    /// <summary>A point in time.</summary>
    /// <param name="time">When.</param>
    internal static string Time(DateTimeOffset time) => time.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture);

    /// <summary>A text whose absolute paths are their last part: nobody who gets a page needs to know where it was made.</summary>
    /// <param name="text">The text.</param>
    internal static string WithoutFolders(string text) =>
        text.AsSpan().IndexOfAny('/', '\\') < 0 ? text : AbsoluteFolder().Replace(text, "…/");

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    // From a separator to the last slash of a path that begins at a root: "/a/b/c" leaves "…/c"; "a/b" and "images/s" stay.
    [GeneratedRegex(@"(?<![\w.~…/\\-])(?:/|[A-Za-z]:[\\/]|\\\\)(?:[^\s/\\'""<>:,;]+[/\\])*(?=[\w.])")]
    private static partial Regex AbsoluteFolder();
}
