namespace SlttEngine.Build;

/// <summary>What a native library in a package may ask of the machine.</summary>
internal static class PackageRules
{
    /// <summary>The lowest versions that the packages promise to run with. README.md and the packages' descriptions state them.</summary>
    internal static IReadOnlyDictionary<string, Version> Lowest { get; } = new Dictionary<string, Version>
    {
        ["GLIBC"] = new(2, 34),
        ["GLIBCXX"] = new(3, 4, 29), // GCC 11
        ["CXXABI"] = new(1, 3, 13), // GCC 11
        ["GCC"] = new(7, 0, 0),
    };

    /// <summary>The rule that a library breaks, in words that follow its name; null if it breaks none.</summary>
    /// <param name="library">The library.</param>
    /// <param name="isBeside">True for a file's name that lies beside it.</param>
    internal static string? Broken(ElfFile library, Func<string, bool> isBeside)
    {
        foreach ((string family, Version lowest) in Lowest)
        {
            if (library.Newest(family) is { } newest && newest > lowest)
            {
                return $"asks for {family}_{newest}, but the packages promise to run with {family}_{lowest}: make them on Debian 12";
            }
        }

        string[] carried = [.. library.Libraries.Where(name => !MachineLibraries.IsGlibc(name) && !MachineLibraries.IsCppRuntime(name))];
        if (carried.FirstOrDefault(name => !isBeside(name)) is { } missing)
        {
            return $"needs {missing}, which the package lacks";
        }

        // A library of a library is found by the search path of libsltt_cpu.so, unless it has one of its own.
        return library.OwnSearchPath is { } path && carried.Length > 0
            ? $"has the search path {path}, so it does not find {carried[0]}"
            : null;
    }
}
