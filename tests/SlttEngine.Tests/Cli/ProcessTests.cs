namespace SlttEngine.Tests.Cli;

public sealed class ProcessTests
{
    [Test]
    public void DevicesNamesBothKindsAndTheDefault()
    {
        SlttProcess.Result result = SlttProcess.Run("devices");
        Assert.That(result.Error, Is.Empty);
        Assert.That(result.ExitCode, Is.Zero);
        string[] lines = result.Output.TrimEnd().Split('\n', StringSplitOptions.TrimEntries);
        Assert.That(lines, Has.Length.EqualTo(3));
        Assert.That(lines[0], Does.StartWith("cuda  "));
        Assert.That(lines[1], Does.StartWith("cpu   "));
        Assert.That(lines[2], Is.EqualTo(lines[0].StartsWith("cuda  no:", StringComparison.Ordinal) ? "auto  is cpu" : "auto  is cuda"));
    }

    [Test]
    public void UsageErrorIsExitCode2WithoutATrace()
    {
        SlttProcess.Result result = SlttProcess.Run("devices", "-x");
        Assert.That(result.ExitCode, Is.EqualTo(2));
        Assert.That(result.Output, Is.Empty);
        Assert.That(result.Error, Does.StartWith("sltt: unknown option '-x'").And.Not.Contain("   at "));
    }
}
