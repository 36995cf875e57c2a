using System.Globalization;
using System.Text;

namespace SlttEngine.Cli.Options;

/// <summary>Values written and read as Python does it: the official programs put them into folder names and args.txt.</summary>
public static class PythonText
{
    /// <summary>repr() of a float: the shortest digits that give it back, 1e-05 and 1e+16 with an exponent, 1.0 with a point.</summary>
    /// <param name="value">The number.</param>
    public static string Repr(double value)
    {
        if (!double.IsFinite(value))
        {
            return double.IsNaN(value) ? "nan" : value > 0 ? "inf" : "-inf";
        }

        if (value == 0)
        {
            return double.IsNegative(value) ? "-0.0" : "0.0";
        }

        // "E16" would pad; "R" gives the shortest digits, in one of two notations: bring both to digits and exponent.
        string text = Math.Abs(value).ToString("R", CultureInfo.InvariantCulture);
        int e = text.IndexOf('E', StringComparison.Ordinal);
        int exponent = e < 0 ? 0 : int.Parse(text.AsSpan(e + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
        string mantissa = e < 0 ? text : text[..e];
        int point = mantissa.IndexOf('.', StringComparison.Ordinal);
        string digits = mantissa.Replace(".", string.Empty, StringComparison.Ordinal);
        exponent += (point < 0 ? mantissa.Length : point) - 1;
        int zeros = digits.Length - digits.TrimStart('0').Length;
        digits = digits[zeros..].TrimEnd('0');
        exponent -= zeros;

        string sign = value < 0 ? "-" : string.Empty;
        if (exponent is < -4 or >= 16)
        {
            string fraction = digits.Length > 1 ? "." + digits[1..] : string.Empty;
            return $"{sign}{digits[0]}{fraction}e{(exponent < 0 ? '-' : '+')}{Math.Abs(exponent):00}";
        }

        if (exponent < 0)
        {
            return $"{sign}0.{new string('0', -exponent - 1)}{digits}";
        }

        digits = digits.PadRight(exponent + 1, '0');
        return $"{sign}{digits[..(exponent + 1)]}.{(digits.Length > exponent + 1 ? digits[(exponent + 1)..] : "0")}";
    }

    /// <summary>repr() of a string: in single quotes, or in double quotes if it holds single ones only.</summary>
    /// <param name="value">The string.</param>
    public static string Repr(string value)
    {
        char quote = value.Contains('\'', StringComparison.Ordinal) && !value.Contains('"', StringComparison.Ordinal) ? '"' : '\'';
        StringBuilder text = new StringBuilder().Append(quote);
        foreach (char c in value)
        {
            text.Append(c switch
            {
                '\\' => "\\\\",
                '\n' => "\\n",
                '\r' => "\\r",
                '\t' => "\\t",
                _ when c == quote => "\\" + c,
                _ when c < ' ' || c == 127 => $"\\x{(int)c:x2}",
                _ => c.ToString(),
            });
        }

        return text.Append(quote).ToString();
    }

    /// <summary>Reads what str(argparse.Namespace) wrote: Namespace(seed=2022, name='', amp=True, resume=None, …).</summary>
    /// <param name="text">The text.</param>
    /// <returns>Names and values in order: a string's content, a number's or True's text as it stands, null for None.</returns>
    /// <exception cref="FormatException">It is not such a text; the message says where.</exception>
    public static IReadOnlyList<(string Name, string? Value)> ReadNamespace(string text)
    {
        const string Start = "Namespace(";
        string all = text.Trim();
        if (!all.StartsWith(Start, StringComparison.Ordinal) || !all.EndsWith(')'))
        {
            throw new FormatException("it does not read Namespace(…)");
        }

        List<(string, string?)> values = new List<(string, string?)>();
        int at = Start.Length;
        int end = all.Length - 1;
        while (at < end)
        {
            int equals = all.IndexOf('=', at, end - at);
            if (equals < 0)
            {
                throw new FormatException($"a name without a value at character {at + 1}");
            }

            string name = all[at..equals].Trim();
            at = equals + 1;
            string? value = at < end && all[at] is '\'' or '"' ? ReadString(all, ref at, end) : ReadWord(all, ref at, end);
            values.Add((name, value));
            while (at < end && all[at] is ' ' or ',')
            {
                at++;
            }
        }

        return values;
    }

    private static string? ReadWord(string all, ref int at, int end)
    {
        int comma = all.IndexOf(',', at, end - at);
        string word = all[at..(comma < 0 ? end : comma)].Trim();
        at = comma < 0 ? end : comma;
        return word == "None" ? null : word;
    }

    private static string ReadString(string all, ref int at, int end)
    {
        char quote = all[at++];
        StringBuilder value = new StringBuilder();
        while (at < end && all[at] != quote)
        {
            char c = all[at++];
            if (c != '\\' || at >= end)
            {
                value.Append(c);
                continue;
            }

            char escaped = all[at++];
            if (escaped == 'x' && at + 2 <= end
                && byte.TryParse(all.AsSpan(at, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out byte code))
            {
                value.Append((char)code);
                at += 2;
                continue;
            }

            value.Append(escaped switch { 'n' => '\n', 'r' => '\r', 't' => '\t', _ => escaped });
        }

        if (at >= end)
        {
            throw new FormatException("a string that does not end");
        }

        at++;
        return value.ToString();
    }
}
