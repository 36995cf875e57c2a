using System.Diagnostics;

namespace SlttEngine.Tests.Cli;

/// <summary>A run's bits depend neither on the number of threads nor on what the machine ran before.</summary>
public sealed class ThreadsProcessTests
{
    private SmallCifar data = null!;

    [SetUp]
    public void MakeData() => data = new SmallCifar();

    [TearDown]
    public void RemoveData() => data.Dispose();

    /// <summary>With batches that no number of threads divides.</summary>
    [TestCase("1 2 3", "auto")]
    [TestCase("1 3", "dense", "--batch-norm", "cudnn")]
    public void CheckpointsAreEqual(string counts, string way, params string[] more)
    {
        byte[]? first = null;
        foreach (string threads in counts.Split(' '))
        {
            string folder = Path.Combine(data.OutDir, threads);
            ProcessStartInfo start = SlttProcess.StartInfo(
                data.Train(["-epochs", "1", "-b", "11", "-width_divisor", "4", "-out_dir", folder, .. more]));
            start.Environment["SLTT_CPU_THREADS"] = threads;
            start.Environment["SLTT_CPU_CONV"] = way;
            SlttProcess.Result run = SlttProcess.Run(start);
            Assert.That(run.ExitCode, Is.Zero, run.Error);
            byte[] checkpoint = File.ReadAllBytes(
                Path.Combine(Directory.GetDirectories(folder).Single(), "checkpoint_latest.safetensors"));
            first ??= checkpoint;
            Assert.That(checkpoint.AsSpan().SequenceEqual(first), $"{threads} threads change the checkpoint");
        }
    }
}
