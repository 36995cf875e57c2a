namespace SlttEngine.Tests.Cli;

/// <summary>An incomplete data set on the command line: refused with counts, or taken and said in the run's first lines and log.</summary>
public sealed class IncompleteDataTests
{
    private const string Allow = "--allow-incomplete";

    private SmallCifar data = null!;

    [SetUp]
    public void MakeData() => data = new SmallCifar();

    [TearDown]
    public void RemoveData() => data.Dispose();

    [Test]
    public void ItIsRefusedWithCounts()
    {
        string[] run = [.. data.Train("-epochs", "1").Where(a => a != Allow)];
        SlttProcess.Result refused = SlttProcess.Run(run);
        Assert.That(refused.ExitCode, Is.EqualTo(4));
        string[] lines = refused.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.That(
            lines[0], Does.StartWith($"sltt: {data.Batches}: the training part of CIFAR-10 is incomplete: 40 of 50,000 images ("));
        Assert.That(lines[1], Does.Contain(Allow));
        Assert.That(Directory.Exists(data.OutDir), Is.False);

        SlttProcess.Result told = SlttProcess.Run("data", "-dataset", "cifar10", "-data_dir", data.Folder);
        Assert.That(told.ExitCode, Is.EqualTo(4));
        Assert.That(told.Output, Does.Contain("incomplete: 40 of 50,000 images (").And.Contain("incomplete: 8 of 10,000 images ("));
        Assert.That(told.Output, Does.Match(@"by class: airplane \d+ of 5,000, automobile \d+ of 5,000,"));
    }

    [Test]
    public void ItIsTakenAndSaidInEveryRunAndEvaluation()
    {
        SlttProcess.Result first = SlttProcess.Run(data.Train("-epochs", "1"));
        Assert.That(first.ExitCode, Is.Zero, first.Error);
        string training = $"warning: incomplete data: {data.Batches}: the training part of CIFAR-10: 40 of 50,000 images (";
        string test = $"warning: incomplete data: {data.Batches}: the test part of CIFAR-10: 8 of 10,000 images (";
        Assert.That(first.Error, Does.Contain(training).And.Contain(test));
        string folder = Directory.GetDirectories(data.OutDir).Single();
        string log = Path.Combine(folder, "messages.txt");
        Assert.That(File.ReadAllText(log), Does.Contain(training).And.Contain(test));

        string checkpoint = Path.Combine(folder, "checkpoint_latest.safetensors");
        SlttProcess.Result resumed = SlttProcess.Run(
            "train", "--from", Path.Combine(folder, "args.txt"), "-resume", checkpoint, "-epochs", "2", "-T_max", "300");
        Assert.That(resumed.ExitCode, Is.Zero, resumed.Error);
        Assert.That(resumed.Error, Does.Contain(training).And.Contain(test), "args.txt says that it is allowed");

        SlttProcess.Result evaluated = SlttProcess.Run("eval", "-resume", checkpoint, "--json");
        Assert.That(evaluated.ExitCode, Is.Zero, evaluated.Error);
        Assert.That(evaluated.Error, Does.Contain(test).And.Not.Contain(training));

        string[] bench = ["bench", "-data_dir", data.Folder, "-model", "spiking_resnet18", "-width_divisor", "32", "-T", "1", "-b", "8",
            "--device", "cpu", "--iterations", "1"];
        Assert.That(SlttProcess.Run(bench).ExitCode, Is.EqualTo(4));
        SlttProcess.Result timed = SlttProcess.Run([.. bench, Allow]);
        Assert.That(timed.ExitCode, Is.Zero, timed.Error);
        Assert.That(timed.Error, Does.StartWith(training));
    }
}
