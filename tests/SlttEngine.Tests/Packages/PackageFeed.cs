using System.Diagnostics;
using System.Runtime.InteropServices;

namespace SlttEngine.Tests.Packages;

/// <summary>
/// A user's machine in a temporary folder: its only source of packages is what ./build.sh pack made, and its cache is empty. What
/// our packages depend on comes from the cache of this machine, so that nothing is downloaded.
/// </summary>
internal sealed class PackageFeed : IDisposable
{
    private readonly DirectoryInfo root = Directory.CreateTempSubdirectory("sltt-packages-");

    public PackageFeed(string packages)
    {
        string usual = Environment.GetEnvironmentVariable("NUGET_PACKAGES")
            ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");
        File.WriteAllText(Path.Combine(root.FullName, "nuget.config"), $"""
            <configuration>
              <packageSources>
                <clear />
                <add key="local" value="{packages}" />
              </packageSources>
              <fallbackPackageFolders>
                <add key="usual" value="{usual}" />
              </fallbackPackageFolders>
            </configuration>
            """);
    }

    /// <summary>The cache that restores fill.</summary>
    public string Cache => Path.Combine(root.FullName, "cache");

    /// <summary>A new folder.</summary>
    public string Folder(string name) => root.CreateSubdirectory(name).FullName;

    /// <summary>Runs dotnet to its end and returns what it wrote; the test fails if it ends with another exit code.</summary>
    public string Dotnet(string folder, params string[] arguments) => Dotnet(0, folder, arguments);

    /// <inheritdoc cref="Dotnet(string, string[])"/>
    public string Dotnet(int expected, string folder, params string[] arguments) => Run(
        expected, folder, Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", "..", "dotnet")), arguments);

    /// <summary>The same for any program.</summary>
    public string Run(int expected, string folder, string program, params string[] arguments)
    {
        ProcessStartInfo start = new(program, arguments)
        {
            WorkingDirectory = folder,
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["NUGET_PACKAGES"] = Cache;
        start.Environment["DOTNET_NOLOGO"] = "1";
        start.Environment["DOTNET_CLI_TELEMETRY_OPTOUT"] = "1";
        // The build's own settings must not reach a user's project.
        start.Environment.Remove("MSBuildSDKsPath");
        start.Environment["DOTNET_ROOT"] = Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", ".."));
        using Process process = Process.Start(start)!;
        Task<string> error = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        string line = $"{Path.GetFileName(program)} {string.Join(' ', arguments)}";
        Assert.That(process.ExitCode, Is.EqualTo(expected), () => $"{line}\n{output}\n{error.Result}");
        return output + error.Result;
    }

    public void Dispose() => root.Delete(recursive: true);
}
