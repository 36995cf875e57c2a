namespace SlttEngine.Tests.Cli;

/// <summary>
/// A CIFAR-10 of a few images in a folder of its own, in the official binary layout: incomplete, as commands must be told.
/// </summary>
internal sealed class SmallCifar : IDisposable
{
    internal const int PerFile = 8;

    private const int Record = 1 + (3 * 32 * 32);

    internal SmallCifar()
    {
        Folder = Directory.CreateTempSubdirectory("sltt-cli-").FullName;
        Directory.CreateDirectory(Batches);
        Random random = new Random(3);
        foreach (string file in new[] { "data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5", "test_batch" })
        {
            byte[] bytes = new byte[PerFile * Record];
            random.NextBytes(bytes);
            for (int i = 0; i < PerFile; i++)
            {
                bytes[i * Record] = (byte)random.Next(10);
            }

            File.WriteAllBytes(Path.Combine(Batches, file + ".bin"), bytes);
        }
    }

    internal string Folder { get; }

    internal string Batches => Path.Combine(Folder, "cifar-10-batches-bin");

    internal string OutDir => Path.Combine(Folder, "logs");

    /// <summary>A run of a model of a few thousand parameters, a second or so an epoch at most.</summary>
    internal string[] Train(params string[] more) =>
        ["train", "-data_dir", Folder, "-out_dir", OutDir, "-dataset", "cifar10", "-model", "spiking_resnet18", "-width_divisor", "32",
            "-T", "1", "-b", "8", "--device", "cpu", "--allow-incomplete", .. more];

    /// <summary>What a command wrote to standard error, without the warnings that say how the set is incomplete.</summary>
    internal static string WithoutWarnings(string error)
    {
        string[] lines = error.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        string[] others = [.. lines.Where(l => !l.StartsWith("warning: incomplete data: ", StringComparison.Ordinal))];
        Assert.That(others, Has.Length.LessThan(lines.Length), error);
        return string.Join('\n', others);
    }

    public void Dispose() => Directory.Delete(Folder, recursive: true);
}
