using System.IO.Compression;
using System.Text;

namespace SlttEngine.Build;

/// <summary>NuGet packages of the library and of the command, and what must hold for them.</summary>
internal static class Packages
{
    private const long MaxBytes = 40_000_000;

    internal static void Make()
    {
        if (!OperatingSystem.IsLinux())
        {
            throw new BuildException("packages are made on Linux (on Windows: wsl ./build.sh pack)", 2);
        }

        Native.RequireTools(["ldd"], withOneDnn: false);
        Native.Build();
        Console.WriteLine("== packages");
        string stage = Path.Combine(Tree.Out, "packages-build");
        string libraries = EmptyFolder(Path.Combine(stage, "native")), licenses = EmptyFolder(Path.Combine(stage, "licenses"));
        Stage(libraries, licenses);
        EmptyFolder(Tree.Packages);
        foreach (string project in new[] { Tree.LibraryProject, Tree.CliProject })
        {
            // Own intermediate files: here the library depends on no project, as its assemblies are inside the package.
            // The analyzers have seen these sources in the ordinary build.
            Shell.Require(
                Tree.Dotnet,
                ["pack", project, "-c", "Release", "-o", Tree.Packages, "--artifacts-path", Path.Combine(stage, "artifacts"),
                 "-v", "quiet", "-nologo", "-p:RunAnalyzers=false", $"-p:PackageNatives={libraries}{Path.DirectorySeparatorChar}",
                 $"-p:PackageLicenses={licenses}{Path.DirectorySeparatorChar}"],
                $"{Path.GetFileNameWithoutExtension(project)} does not pack");
        }

        string[] packages = [.. Directory.GetFiles(Tree.Packages).Order(StringComparer.Ordinal)];
        foreach (string package in packages)
        {
            Check(package);
            Console.WriteLine($"{package}: {new FileInfo(package).Length / 1e6:F1} MB");
        }

        if (!File.Exists(Path.Combine(Tree.Native, "sltt_kernels.fatbin")))
        {
            Console.WriteLine("   these packages hold no GPU kernels: nvcc was not found");
        }
    }

    // The CPU device with the libraries that a machine with .NET may lack.
    private static void Stage(string libraries, string licenses)
    {
        string device = Path.Combine(Tree.Native, "libsltt_cpu.so");
        File.Copy(device, Path.Combine(libraries, Path.GetFileName(device)));
        foreach ((string soname, string path) in SharedLibraries.NeededBy(device))
        {
            if (MachineLibraries.IsGlibc(soname) || MachineLibraries.IsCppRuntime(soname))
            {
                continue;
            }

            File.Copy(path, Path.Combine(libraries, soname));
            if (!SharedLibraries.CopyLicence(path, licenses))
            {
                throw new BuildException($"no licence found for {path}: a package must carry it (dpkg names it on Debian)", 3);
            }
        }
    }

    private static void Check(string package)
    {
        string name = Path.GetFileName(package);
        if (new FileInfo(package).Length > MaxBytes)
        {
            throw new BuildException($"{name} has {new FileInfo(package).Length:N0} bytes, more than {MaxBytes:N0}", 1);
        }

        byte[][] paths = [Encoding.UTF8.GetBytes(Tree.Root + "/"), Encoding.Unicode.GetBytes(Tree.Root + "/")];
        using ZipArchive archive = ZipFile.OpenRead(package);
        HashSet<string> files = [.. archive.Entries.Select(entry => entry.FullName)];
        foreach (ZipArchiveEntry entry in archive.Entries)
        {
            using MemoryStream content = new();
            using (Stream stream = entry.Open())
            {
                stream.CopyTo(content);
            }

            byte[] bytes = content.ToArray();
            if (Array.Exists(paths, path => bytes.AsSpan().IndexOf(path) >= 0))
            {
                throw new BuildException($"{name}: {entry.FullName} holds this folder's path", 1);
            }

            if (entry.FullName.Contains("/linux-x64/", StringComparison.Ordinal) && entry.Name.Contains(".so", StringComparison.Ordinal))
            {
                ElfFile library = new(entry.Name, bytes);
                string folder = entry.FullName[..^entry.Name.Length];
                if (PackageRules.Broken(library, file => files.Contains(folder + file)) is { } why)
                {
                    throw new BuildException($"{name}: {entry.Name} {why}", 1);
                }
            }
        }
    }

    private static string EmptyFolder(string folder)
    {
        if (Directory.Exists(folder))
        {
            Directory.Delete(folder, recursive: true);
        }

        return Directory.CreateDirectory(folder).FullName;
    }
}
