using System.Diagnostics;
using System.Text.Json;
using SlttEngine.Data;
using SlttEngine.IO;
using SlttEngine.Tests.Engine;

namespace SlttEngine.Tests.Cli;

public sealed class ProcessTests
{
    [TestCase("train -foo 2>/dev/full", 2)]
    [TestCase("models >/dev/full", 4)]
    [TestCase("models --json >/dev/full 2>/dev/full", 4)]
    [Platform("Linux")]
    public void StreamsThatCannotBeWrittenKeepTheExitCode(string arguments, int exitCode)
    {
        ProcessStartInfo sltt = SlttProcess.StartInfo();
        string command = string.Join(' ', sltt.ArgumentList.Prepend(sltt.FileName).Select(a => $"'{a}'"));
        sltt.FileName = "/bin/sh";
        sltt.ArgumentList.Clear();
        sltt.ArgumentList.Add("-c");
        sltt.ArgumentList.Add($"{command} {arguments}");
        SlttProcess.Result run = SlttProcess.Run(sltt);
        Assert.That(run.ExitCode, Is.EqualTo(exitCode), run.Error);
        Assert.That(run.Error, Is.Empty.Or.StartsWith("sltt: cannot write standard output: No space left on device"));
    }

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

    [Test]
    public void BenchSaysTheSameAsTextAndAsJson()
    {
        string[] arguments = [
            "bench", "-dataset", "cifar10", "-model", "spiking_resnet18", "-width_divisor", "32", "-T", "2", "-b", "2", "--iterations", "3",
            "--device", "cpu"];
        SlttProcess.Result text = SlttProcess.Run(arguments);
        Assert.That(text.ExitCode, Is.Zero, text.Error);
        Assert.That(
            text.Output,
            Does.Contain("3 iterations").And.Contain("images/s").And.Contain("peak device memory").And.Contain("idle process"));

        SlttProcess.Result json = SlttProcess.Run([.. arguments, "--json"]);
        Assert.That(json.ExitCode, Is.Zero, json.Error);
        JsonElement result = JsonDocument.Parse(json.Output).RootElement.GetProperty("result");
        double seconds = result.GetProperty("seconds_per_iteration").GetDouble();
        Assert.That(seconds, Is.GreaterThan(0));
        Assert.That(result.GetProperty("images_per_second").GetDouble(), Is.EqualTo(2 / seconds).Within(1e-9).Percent);
        Assert.That(result.GetProperty("iterations").GetInt32(), Is.EqualTo(3));
        long device = result.GetProperty("device_bytes").GetInt64();
        long idle = result.GetProperty("idle_process_bytes").GetInt64();
        Assert.That(result.GetProperty("peak_process_bytes").GetInt64(), Is.GreaterThanOrEqualTo(idle));
        Assert.That(device, Is.GreaterThan(0));
    }

    [Test]
    public void BenchTrainsACheckpointOnARealBatchAndKeepsTheBatch()
    {
        using SmallCifar cifar = new();
        SlttProcess.Result trained = SlttProcess.Run(cifar.Train("-epochs", "2", "-save_init"));
        Assert.That(trained.ExitCode, Is.Zero, trained.Error);
        string folder = Directory.GetDirectories(cifar.OutDir).Single();
        string file = Path.Combine(cifar.Folder, "batch.safetensors");
        JsonElement Bench(string checkpoint) => JsonDocument.Parse(SlttProcess.Run(
            [
                "bench", "-data_dir", cifar.Folder, "--allow-incomplete", "-dataset", "cifar10", "-model", "spiking_resnet18",
                "-width_divisor", "32", "-T", "1", "-b", "8",
                "-resume", Path.Combine(folder, checkpoint), "--save_batch", file, "--iterations", "1", "--device", "cpu", "--json",
            ]).Output).RootElement.GetProperty("result");

        JsonElement first = Bench("checkpoint_0.safetensors");
        double alone = Bench("checkpoint_latest.safetensors").GetProperty("first_loss").GetDouble();
        Assert.Multiple(() =>
        {
            Assert.That(first.GetProperty("first_loss").GetDouble(), Is.Not.EqualTo(alone), "other parameters have another loss");
            Assert.That(
                first.GetProperty("convolutions").EnumerateArray().Sum(
                c => c.GetProperty("event").GetInt32() + c.GetProperty("dense").GetInt32()), Is.GreaterThan(0));
        });

        using SafeTensorsFile batch = SafeTensorsFile.Open(file);
        byte[] samples = batch.ReadBytes("samples");
        long[] labels = batch.ReadInt64("labels");
        int[] order = EpochOrder.Shuffled(5 * SmallCifar.PerFile, 2022, 0);
        byte[][] records = [
            .. Enumerable.Range(1, 5).SelectMany(
            i => File.ReadAllBytes(Path.Combine(cifar.Batches, $"data_batch_{i}.bin")).Chunk(1 + (3 * 32 * 32)))];
        byte[][] taken = [.. order.Take(8).Select(i => records[i])];
        Assert.Multiple(() =>
        {
            Assert.That(batch.Shape("samples"), Is.EqualTo(new long[] { 1, 8, 3, 32, 32 }));
            Assert.That(labels, Is.EqualTo(taken.Select(r => (long)r[0])));
            Assert.That(samples, Is.EqualTo(taken.SelectMany(r => r.Skip(1))));
            Assert.That(batch.ReadFloat32("mean"), Has.Length.EqualTo(3));
            Assert.That(batch.Metadata["seed"], Is.EqualTo("2022"));
        });
    }

    [Test]
    public void BenchNamesACheckpointOfAnotherModel()
    {
        string other = GoldenFiles.Of("model").First(f => f.Contains("vgg", StringComparison.Ordinal));
        SlttProcess.Result result = SlttProcess.Run(
            "bench", "-dataset", "cifar10", "-model", "spiking_resnet18", "-width_divisor", "32", "-b", "2", "-resume", other, "--device",
            "cpu");
        Assert.That(result.ExitCode, Is.EqualTo(4));
        Assert.That(result.Error, Does.StartWith("sltt: ").And.Contain(other).And.Not.Contain("   at "));
    }

    [Test]
    public void PlanForetellsWhatBenchAllocates()
    {
        string[] options = [
            "-dataset", "cifar10", "-model", "spiking_resnet18", "-width_divisor", "32", "-T", "2", "-b", "2", "--device", "cpu"];
        string[] nowhere = [.. options, "-data_dir", "nowhere"];
        SlttProcess.Result text = SlttProcess.Run(["plan", .. nowhere, "-memory", "100"]);
        Assert.That(text.ExitCode, Is.Zero, text.Error);
        Assert.That(
            text.Output, Does.Contain("bptt").And.Contain("largest batch in 100.0 MiB").And.Contain("layer4.1.conv2").And.Contain(
            "an iteration computed in full"));

        JsonElement plan = JsonDocument.Parse(SlttProcess.Run(["plan", .. nowhere, "--json"]).Output).RootElement.GetProperty("plans")
            .GetProperty("sltt");
        JsonElement bench = JsonDocument.Parse(SlttProcess.Run(["bench", .. options, "--iterations", "1", "--json"]).Output)
            .RootElement.GetProperty("result");
        Assert.That(bench.GetProperty("device_bytes").GetInt64(), Is.EqualTo(plan.GetProperty("training_bytes").GetInt64()));
        Assert.That(
            plan.GetProperty("image_bytes").GetInt64(), Is.EqualTo(60_000 * 3072),
            "an absent data set counts as its authors distribute it");
        Assert.That(plan.GetProperty("largest_batch").GetInt32(), Is.GreaterThan(2));
    }

    [TestCase("x")]
    [TestCase("0")]
    public void PlanWantsMemoryInMebibytes(string memory)
    {
        SlttProcess.Result result = SlttProcess.Run("plan", "-memory", memory);
        Assert.That(result.ExitCode, Is.EqualTo(2));
        Assert.That(result.Error, Does.StartWith($"sltt: -memory {memory}: must be a whole number of MiB"));
    }

    [Test]
    public void BenchNeedsAnIteration()
    {
        SlttProcess.Result result = SlttProcess.Run("bench", "--iterations", "0");
        Assert.That(result.ExitCode, Is.EqualTo(2));
        Assert.That(result.Error, Does.StartWith("sltt: -iterations 0"));
    }

    [Test]
    public void VerifySaysPassAndFailByGroup()
    {
        string good = GoldenFiles.Of("neuron").First(f => f.Contains("lif_sltt_triangle_tau2.0", StringComparison.Ordinal));
        SlttProcess.Result passed = SlttProcess.Run("verify", "--device", "cpu", good);
        Assert.That(passed.ExitCode, Is.Zero, passed.Error + passed.Output);
        Assert.That(passed.Output, Does.Contain("PASS  spikes").And.Contain("1 of 1 file passed").And.Not.Contain("FAIL"));

        // The last tensor's last byte holds a sign and most of an exponent.
        string bad = Path.Combine(TestContext.CurrentContext.WorkDirectory, "tampered.safetensors");
        byte[] bytes = File.ReadAllBytes(good);
        bytes[^1] ^= 0x40;
        File.WriteAllBytes(bad, bytes);
        SlttProcess.Result failed = SlttProcess.Run("verify", "--device", "cpu", bad, good);
        Assert.That(failed.ExitCode, Is.EqualTo(1));
        Assert.That(failed.Output, Does.Contain("FAIL").And.Contain("1 of 2 files passed"));
    }

    [Test]
    public void VerifyNamesAFileThatCannotBeReadAndGoesOn()
    {
        string good = GoldenFiles.Of("neuron").First();
        SlttProcess.Result result = SlttProcess.Run("verify", "--device", "cpu", "missing.safetensors", good);
        Assert.That(result.ExitCode, Is.EqualTo(4));
        Assert.That(result.Error, Does.StartWith("sltt: ").And.Contain("missing.safetensors"));
        Assert.That(result.Output, Does.Contain("1 of 2 files passed"));
        Assert.That(SlttProcess.Run("verify").ExitCode, Is.EqualTo(2));
    }
}
