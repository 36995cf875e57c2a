using System.Runtime.InteropServices;
using System.Xml.Linq;

namespace SlttEngine.Build;

/// <summary>Where things are in the source tree, and what Directory.Build.props says.</summary>
internal static class Tree
{
    // This program is eng/Build/bin/Release/net10.0/Build.dll.
    public static string Root { get; } = Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, "..", "..", "..", "..", ".."));

    public static string Out { get; } = Path.Combine(Root, "out");

    public static string Native { get; } = Path.Combine(Out, "native");

    public static string LibraryProject { get; } = Path.Combine(Root, "src", "SlttEngine", "SlttEngine.csproj");

    public static string CliProject { get; } = Path.Combine(Root, "src", "SlttEngine.Cli", "SlttEngine.Cli.csproj");

    public static string CliOutput { get; } = Path.Combine(Root, "src", "SlttEngine.Cli", "bin", "Release", "net10.0");

    public static string TestProject { get; } = Path.Combine(Root, "tests", "SlttEngine.Tests", "SlttEngine.Tests.csproj");

    public static string TestAssembly { get; } =
        Path.Combine(Root, "tests", "SlttEngine.Tests", "bin", "Release", "net10.0", "SlttEngine.Tests.dll");

    public static string BenchProject { get; } = Path.Combine(Root, "bench", "SlttEngine.Bench", "SlttEngine.Bench.csproj");

    public static string Packages { get; } = Path.Combine(Out, "packages");

    // The .NET that runs this program runs the rest too: <root>/shared/Microsoft.NETCore.App/<version>/ is its runtime's folder.
    public static string DotnetRoot { get; } = Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", ".."));

    public static string Dotnet { get; } = Path.Combine(DotnetRoot, OperatingSystem.IsWindows() ? "dotnet.exe" : "dotnet");

    public static string Version => Property("Version");

    public static string Property(string name) =>
        XDocument.Load(Path.Combine(Root, "Directory.Build.props")).Descendants(name).Single().Value;
}
