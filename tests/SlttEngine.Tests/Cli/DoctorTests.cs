using System.Text.Json;

namespace SlttEngine.Tests.Cli;

/// <summary>sltt doctor, as a user calls it.</summary>
public sealed class DoctorTests
{
    [Test]
    public void EachDeviceIsExaminedAndTheCpuDevicePassesItsSelfTest()
    {
        SlttProcess.Result run = SlttProcess.Run("doctor", "--json");
        Assert.That(run.Error, Is.Empty);
        JsonElement result = JsonDocument.Parse(run.Output).RootElement;
        Dictionary<string, JsonElement> devices = result.GetProperty("devices").EnumerateArray().ToDictionary(
            d => d.GetProperty("device").GetString()!);
        Assert.That(devices.Keys, Is.EquivalentTo((string[])["cuda", "cpu"]));
        JsonElement cpu = devices["cpu"];
        Dictionary<string, JsonElement> libraries = cpu.GetProperty("libraries").EnumerateArray().ToDictionary(
            l => l.GetProperty("name").GetString()!);
        Assert.Multiple(() =>
        {
            Assert.That(cpu.GetProperty("state").GetString(), Is.EqualTo("works"));
            Assert.That(cpu.GetProperty("self_test").GetProperty("passed").GetBoolean(), Is.True);
            Assert.That(cpu.GetProperty("self_test").GetProperty("tensors").GetInt32(), Is.GreaterThan(100));
            Assert.That(File.Exists(libraries["CPU device"].GetProperty("path").GetString()), Is.True);
            Assert.That(libraries["CPU device"].GetProperty("version").GetString(), Does.Match("^v[34]$"));
            Assert.That(File.Exists(libraries["oneDNN"].GetProperty("path").GetString()), Is.True);
            Assert.That(libraries["oneDNN"].GetProperty("version").GetString(), Does.Match(@"^\d+\.\d+\.\d+$"));
            Assert.That(run.ExitCode == 0, Is.EqualTo(devices["cuda"].GetProperty("state").GetString() is "works" or "absent"));
        });
    }

    [Test]
    public void WhatIsMissingHasTheLineThatMendsIt()
    {
        SlttProcess.Result run = SlttProcess.Run("doctor");
        string[] lines = run.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Multiple(() =>
        {
            Assert.That(lines[0], Does.StartWith("sltt "));
            Assert.That(lines.Count(l => l.StartsWith("cuda  ", StringComparison.Ordinal)), Is.EqualTo(1), run.Output);
            Assert.That(lines.Count(l => l.StartsWith("cpu   CPU: works", StringComparison.Ordinal)), Is.EqualTo(1), run.Output);
            Assert.That(lines.Count(l => l.StartsWith("      passed   self-test", StringComparison.Ordinal)), Is.GreaterThan(0));
            Assert.That(
                lines.Where(l => l.StartsWith("      MISSING", StringComparison.Ordinal)), Is.All.Match("for .*; .*(install|build)"));
        });
    }

    [Test]
    public void AnotherDeviceIsRefused() => Assert.That(SlttProcess.Run("doctor", "--device", "tpu").ExitCode, Is.EqualTo(2));
}
