using System.Diagnostics;

namespace SlttEngine.Tests.CpuDevice;

/// <summary>docs/cpu-device.md lists what the library exports.</summary>
internal sealed class CallTableTests
{
    [Test]
    public void TheTableOfCallsIsCurrent()
    {
        string? root = AppContext.BaseDirectory;
        while (root is not null && !File.Exists(Path.Combine(root, "tools", "cpu-device-calls.sh")))
        {
            root = Path.GetDirectoryName(root);
        }

        if (root is null)
        {
            Assert.Ignore("the tests run outside the source tree");
        }

        ProcessStartInfo start = new(
            "bash",
            [Path.Combine(root, "tools", "cpu-device-calls.sh"), "--check", Path.Combine(AppContext.BaseDirectory, "libsltt_cpu.so")])
        {
            RedirectStandardError = true,
        };
        using Process process = Process.Start(start)!;
        string errors = process.StandardError.ReadToEnd();
        process.WaitForExit();
        Assert.That(process.ExitCode, Is.Zero, errors);
    }
}
