using System.Text.Json;
using SlttEngine.Cli.Options;

namespace SlttEngine.Tests.Cli;

/// <summary>sltt profile as a user runs it.</summary>
public sealed class ProfileCommandTests
{
    private static readonly string[] Small =
        ["-dataset", "cifar10", "-model", "spiking_resnet18", "-width_divisor", "32", "-T", "2", "-b", "2", "--device", "cpu"];

    private string folder = string.Empty;

    [SetUp]
    public void MakeFolder() => folder = Directory.CreateTempSubdirectory("sltt-profile-").FullName;

    [TearDown]
    public void RemoveFolder() => Directory.Delete(folder, recursive: true);

    [TestCase("slttk")]
    [TestCase("bptt")]
    public void KindsAndLayersAddUpToTheIterationThatIsPlanned(string method)
    {
        string trace = Path.Combine(folder, "trace.json");
        string[] options = [.. Small, "-method", method, "-K", "1"];
        options = method == "slttk" ? options : options[..^2];
        SlttProcess.Result run = SlttProcess.Run(["profile", .. options, "--iterations", "2", "--json", "--trace", trace]);
        Assert.That(run.ExitCode, Is.Zero, run.Error);
        JsonElement result = JsonDocument.Parse(run.Output).RootElement.GetProperty("result");
        double Sum(string what, string field) => result.GetProperty(what).EnumerateArray().Sum(w => w.GetProperty(field).GetDouble());
        SlttProcess.Result planned = SlttProcess.Run(["plan", .. options, "-data_dir", "nowhere", "-memory", "1", "--json"]);
        JsonElement plan = JsonDocument.Parse(planned.Output).RootElement.GetProperty("plans").GetProperty(method);
        Assert.Multiple(() =>
        {
            double all = result.GetProperty("operation_seconds").GetDouble();
            Assert.That(run.Error, Is.Empty);
            foreach (string sums in new[] { "kinds", "layers", "operations" })
            {
                Assert.That(Sum(sums, "seconds"), Is.EqualTo(all).Within(1e-6).Percent, sums);
                Assert.That(Sum(sums, "floor_seconds"), Is.EqualTo(result.GetProperty("floor_seconds").GetDouble()).Within(1e-6).Percent);
                Assert.That(Sum(sums, "bytes"), Is.EqualTo(plan.GetProperty("moved_bytes").GetInt64()), sums);
                Assert.That(Sum(sums, "multiply_adds"), Is.EqualTo(plan.GetProperty("multiply_adds").GetInt64()), sums);
            }

            double measured = result.GetProperty("measured_seconds").GetDouble();
            Assert.That(all, Is.InRange(0.1 * measured, 1.5 * measured));
            Assert.That(result.GetProperty("seconds_per_iteration").GetDouble(), Is.GreaterThan(0));
            Assert.That(result.GetProperty("gap_seconds").GetDouble(), Is.InRange(0, measured));
            Assert.That(result.GetProperty("iterations").GetInt32(), Is.EqualTo(2));
            Assert.That(
                result.GetProperty("kinds").EnumerateArray().Select(k => k.GetProperty("name").GetString()),
                Is.Unique.And.SupersetOf(new[]
                {
                    "convolution, forward", "convolution, data gradient", "convolution, weight gradient",
                    "batch norm + neurons, forward", "neurons, backward", "batch norm, statistics", "spikes recomputed", "classifier",
                    "loss and metrics", "update", "input",
                }));
            Assert.That(
                result.GetProperty("layers").EnumerateArray().Select(k => k.GetProperty("name").GetString()),
                Is.Unique.And.SupersetOf(new[] { "conv1", "layer1.0.conv1", "(whole network)" }));
        });

        JsonElement[] events = [.. JsonDocument.Parse(File.ReadAllText(trace)).RootElement.GetProperty("traceEvents").EnumerateArray()];
        JsonElement[] spans = [.. events.Where(e => e.GetProperty("ph").GetString() == "X")];
        Assert.Multiple(() =>
        {
            Assert.That(events[0].GetProperty("args").GetProperty("name").GetString(), Is.EqualTo("operations"));
            Assert.That(spans, Has.Length.EqualTo((int)Sum("operations", "launches")));
            Assert.That(spans.Select(e => e.GetProperty("ts").GetDouble()), Is.Ordered.And.All.GreaterThanOrEqualTo(0));
            Assert.That(spans.Select(e => e.GetProperty("dur").GetDouble()), Has.All.GreaterThanOrEqualTo(0));
            Assert.That(spans.Max(e => e.GetProperty("args").GetProperty("step").GetInt32()), Is.EqualTo(1));
            Assert.That(spans.Select(e => e.GetProperty("args").GetProperty("layer").GetString()), Does.Contain("layer1.0.conv1"));
        });
    }

    [Test]
    public void TextHasTheDevicesRatesAndBothTables()
    {
        using SmallCifar data = new();
        SlttProcess.Result run = SlttProcess.Run(
            ["profile", .. Small, "-data_dir", data.Folder, "--allow-incomplete", "--iterations", "1"]);
        Assert.That(run.ExitCode, Is.Zero, run.Error);
        Assert.That(
            run.Output,
            Does.Match(@"^device: CPU.*computes [\d.]+ TFLOP/s in f32, copies [\d.]+ GB/s").And.Contain("medians of 1 iterations")
                .And.Contain("timers of the host").And.Contain("gaps: no operation runs").And.Contain("by kind").And.Contain("by layer")
                .And.Contain("layer4.1.conv2").And.Contain("computes only what fired"));
        Assert.That(SmallCifar.WithoutWarnings(run.Error), Is.Empty);
    }

    [Test]
    public void WhatCannotBeIsRefusedBeforeAnythingIsMeasured() => Assert.Multiple(() =>
    {
        void Refused(string message, int exitCode, params string[] arguments)
        {
            SlttProcess.Result run = SlttProcess.Run(["profile", .. Small, .. arguments]);
            Assert.That((run.ExitCode, run.Output), Is.EqualTo((exitCode, string.Empty)));
            Assert.That(run.Error, Does.StartWith("sltt: " + message));
        }

        Refused("-iterations 0: must be a whole number", 2, "--iterations", "0");
        Refused("unknown option '--save_batch'", 2, "--save_batch", "x");
        Refused($"-trace {folder}/none/trace.json: its folder is not there", 4, "--trace", $"{folder}/none/trace.json");
    });

    /// <summary>A run of fewer steps than another had side by side takes all of its own; only what is said is refused.</summary>
    [Test]
    public void FewerStepsThanAnotherRunHadSideBySide()
    {
        string args = Path.Combine(folder, "args.txt");
        File.WriteAllText(args, new TrainOptions { T = 4, StepsAtOnce = 4, WidthDivisor = 32, BatchSize = 2 }.ToArgsText());
        SlttProcess.Result run = SlttProcess.Run(["bench", "--device", "cpu", "--from", args, "-T", "2", "--iterations", "1", "--json"]);
        Assert.That(run.ExitCode, Is.Zero, run.Error);
        Assert.That(
            JsonDocument.Parse(run.Output).RootElement.GetProperty("result").GetProperty("steps_at_once").GetInt32(), Is.EqualTo(2));
        SlttProcess.Result refused = SlttProcess.Run(["bench", "--device", "cpu", "--from", args, "-T", "2", "--steps-at-once", "3"]);
        Assert.That(refused.ExitCode, Is.EqualTo((int)ErrorKind.Usage));
        Assert.That(refused.Error, Does.Contain("-steps_at_once 3: is more than the 2 time steps of -T"));
    }
}
