using System.Text.RegularExpressions;

namespace SlttEngine.Device;

/// <summary>Kernels and their parameters as PTX declares them: the number, and of each its size and whether it is a float.</summary>
internal static partial class PtxSignatures
{
    /// <summary>The declarations alone, as the cache keeps them.</summary>
    /// <param name="ptx">PTX.</param>
    public static string Declarations(string ptx) => string.Join('\n', Entry().Matches(ptx).Select(m => m.Value));

    /// <summary>The kernels that PTX declares.</summary>
    /// <param name="ptx">PTX, or its declarations.</param>
    public static IEnumerable<SourceKernel> Of(string ptx) => Entry().Matches(ptx).Select(entry => new SourceKernel(
        entry.Groups[1].Value,
        [
            .. Parameter().Matches(entry.Groups[2].Value).Select(parameter => new SourceParameter(
                string.Empty, TypeOf(parameter.Groups[1].Value), IsPointer: false, IsConst: true)),
        ]));

    // An integer's sign, and what a pointer points to, is not in PTX.
    private static string TypeOf(string type) => type switch
    {
        "u32" or "s32" or "b32" => "b32",
        "u64" or "s64" or "b64" => "b64",
        _ => type,
    };

    [GeneratedRegex(@"\.visible \.entry (\w+)\(([^)]*)\)")]
    private static partial Regex Entry();

    [GeneratedRegex(@"\.param\s+(?:\.align \d+\s+)?\.(\w+)")]
    private static partial Regex Parameter();
}
