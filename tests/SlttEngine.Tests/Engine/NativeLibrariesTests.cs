using SlttEngine.Device;

namespace SlttEngine.Tests.Engine;

/// <summary>Where the CPU device's library is searched.</summary>
public sealed class NativeLibrariesTests
{
    [Test]
    public void Folders_of_a_build_and_of_the_cache_of_packages() => Assert.That(
        NativeLibraries.CpuFolders("/app/", "/cache/slttengine/1.0.0/lib/net10.0/SlttEngine.dll", "/app/:/tmp/extracted/"),
        Is.EqualTo(
        [
            "/app", "/app/runtimes/linux-x64/native", "/cache/slttengine/1.0.0/lib/net10.0",
            "/cache/slttengine/1.0.0/lib/net10.0/runtimes/linux-x64/native", "/cache/slttengine/1.0.0/runtimes/linux-x64/native",
            "/tmp/extracted",
        ]));

    /// <summary>Inside a single-file program the assembly has no file.</summary>
    [Test]
    public void Folders_of_a_single_file() => Assert.That(
        NativeLibraries.CpuFolders("/app", "", null), Is.EqualTo(["/app", "/app/runtimes/linux-x64/native"]));
}
