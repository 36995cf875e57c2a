using SlttEngine.Device;

namespace SlttEngine.Tests.Engine;

/// <summary>Where NVIDIA's libraries are looked for.</summary>
[Platform("Linux")]
public sealed class NativeLibrariesTests
{
    [Test]
    public void PackagesOfAPythonOnThePathAreFoundWhereverItLies()
    {
        string folder = Directory.CreateTempSubdirectory("sltt-python-").FullName;
        try
        {
            string packages = Directory.CreateDirectory(Path.Combine(folder, ".venv", "lib", "python3.12", "site-packages")).FullName;
            string bin = Directory.CreateDirectory(Path.Combine(folder, ".venv", "bin")).FullName;
            Assert.That(NativeLibraries.PythonSites($"/none:{bin}/"), Has.No.Member(packages), "no python3 there");
            File.CreateSymbolicLink(Path.Combine(bin, "python3"), Environment.ProcessPath!);
            Assert.That(NativeLibraries.PythonSites($"/none:{bin}/"), Has.Member(packages));
            Assert.That(NativeLibraries.PythonSites(null), Has.No.Member(packages));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
