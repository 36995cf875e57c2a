using System.Diagnostics;
using SlttEngine.Tests.House;

namespace SlttEngine.Tests.CpuDevice;

/// <summary>docs/internals/cpu-device.md lists what the library exports.</summary>
internal sealed class CallTableTests
{
    [Test]
    public void TheTableOfCallsIsCurrent()
    {
        string script = Path.Combine(SourceTree.Root, "tools", "cpu-device-calls.sh");
        ProcessStartInfo start = new("bash", [script, "--check", Path.Combine(AppContext.BaseDirectory, "libsltt_cpu.so")])
        {
            RedirectStandardError = true,
        };
        using Process process = Process.Start(start)!;
        string errors = process.StandardError.ReadToEnd();
        process.WaitForExit();
        Assert.That(process.ExitCode, Is.Zero, errors);
    }
}
