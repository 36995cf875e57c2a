using System.Text.RegularExpressions;

namespace SlttEngine.Build;

/// <summary>Libraries that the machine provides, by name.</summary>
internal static partial class MachineLibraries
{
    /// <summary>True for the parts of the C library, which must be the machine's.</summary>
    internal static bool IsGlibc(string soname) => GlibcName().IsMatch(soname);

    /// <summary>True for the C++ run-time libraries. .NET itself needs them, so a machine with .NET has them.</summary>
    internal static bool IsCppRuntime(string soname) => soname is "libstdc++.so.6" or "libgcc_s.so.1";

    [GeneratedRegex(@"^(libc|libm|libpthread|libdl|librt|ld-linux-x86-64)\.so")]
    private static partial Regex GlibcName();
}
