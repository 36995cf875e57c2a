using SlttEngine.Cli;

namespace SlttEngine.Tests.Cli;

public sealed class CommandLineTests
{
    private static (int ExitCode, string Output, string Error) Run(params string[] arguments)
    {
        StringWriter output = new StringWriter();
        StringWriter error = new StringWriter();
        int exitCode = CommandLine.Run(arguments, CliContext.Plain(output, error, CancellationToken.None));
        return (exitCode, output.ToString(), error.ToString());
    }

    private static (int ExitCode, string Error) Guard(Exception exception, bool verbose = false, bool stopped = false)
    {
        using CancellationTokenSource stop = new CancellationTokenSource();
        if (stopped)
        {
            stop.Cancel();
        }

        StringWriter error = new StringWriter();
        int exitCode = CommandLine.Guard(CliContext.Plain(TextWriter.Null, error, stop.Token), verbose, () => throw exception);
        return (exitCode, error.ToString());
    }

    [Test]
    public void BenchWithoutDataDirIsOnRandomData() =>
        Assert.That(
            Run("bench", "--help").Output, Does.Match(@"-data_dir \S+ [^-]*\(default: none,\s+random samples\)").And.Not.Contain("./data"));

    [Test]
    public void JsonOfNumbersThatAreNotFiniteIsNull()
    {
        StringWriter output = new StringWriter();
        JsonOutput.Write(
            CliContext.Plain(output, TextWriter.Null, CancellationToken.None),
            new { Loss = double.NaN, Rate = (double?)double.PositiveInfinity, Top1 = 0.5 });
        Assert.That(
            output.ToString().Replace(" ", string.Empty).ReplaceLineEndings(string.Empty),
            Is.EqualTo("{\"loss\":null,\"rate\":null,\"top1\":0.5}"));
    }

    [Test]
    public void WithoutACommandItListsThemAndFails()
    {
        (int exitCode, string? output, string _) = Run();
        Assert.That(exitCode, Is.EqualTo(2));
        Assert.That(output, Does.Contain("devices"));
    }

    [TestCase("--help")]
    [TestCase("help")]
    [TestCase("-h")]
    public void HelpListsTheCommands(string argument)
    {
        (int exitCode, string? output, string? error) = Run(argument);
        Assert.That(exitCode, Is.Zero);
        Assert.That(output, Does.Contain("devices"));
        Assert.That(error, Is.Empty);
    }

    [TestCase("--help")]
    [TestCase("train", "--help")]
    [TestCase("plan", "--help")]
    [TestCase("eval", "--help")]
    [TestCase("train-sltt", "--help")]
    [TestCase("train-slttk", "--help")]
    [TestCase("train-bptt", "--help")]
    [TestCase("demo", "--help")]
    [TestCase("bench", "--help")]
    [TestCase("convert", "--help")]
    [TestCase("models", "--help")]
    [TestCase("data", "--help")]
    [TestCase("verify", "--help")]
    [TestCase("devices", "--help")]
    public void HelpFits80Columns(params string[] arguments) =>
        Assert.That(Run(arguments).Output.ReplaceLineEndings("\n").Split('\n'), Has.All.Length.LessThanOrEqualTo(80));

    [Test]
    public void HelpOfEvalNamesWhatTrainingAloneReads()
    {
        string output = Run("eval", "--help").Output;
        Assert.That(
            output, Does.Match(@"-resume PATH +the checkpoint").And.Not.Match(@"-lr X").And.Match(@"without\s+effect\s+here:[^$]*-lr,"));
        Assert.That(Run("eval", "-lr", "0.2").Error, Does.Contain("no checkpoint to evaluate"));
    }

    [Test]
    public void VersionIsTheBuilds()
    {
        (int exitCode, string? output, string _) = Run("--version");
        Assert.That(exitCode, Is.Zero);
        Assert.That(output, Does.Match(@"^sltt \d+\.\d+\.\d+\s*$"));
    }

    [Test]
    public void UnknownCommandGetsTheNearest()
    {
        (int exitCode, string? output, string? error) = Run("device");
        Assert.That(exitCode, Is.EqualTo(2));
        Assert.That(error, Does.StartWith("sltt: unknown command 'device'; did you mean 'devices'?"));
        Assert.That(output, Is.Empty);
    }

    [Test]
    public void UnknownOptionIsAUsageErrorWithAHint()
    {
        (int exitCode, string _, string? error) = Run("devices", "-frobnicate");
        Assert.That(exitCode, Is.EqualTo(2));
        string[] lines = error.TrimEnd().Split('\n', StringSplitOptions.TrimEntries);
        Assert.That(lines, Is.EqualTo(new[] { "sltt: unknown option '-frobnicate'", "sltt devices --help lists the options" }));
    }

    [Test]
    public void StrayArgumentIsAUsageError()
    {
        (int exitCode, string _, string? error) = Run("devices", "now");
        Assert.That(exitCode, Is.EqualTo(2));
        Assert.That(error, Does.Contain("'now' is not an option"));
    }

    [TestCase(ErrorKind.Usage, 2)]
    [TestCase(ErrorKind.Device, 3)]
    [TestCase(ErrorKind.Data, 4)]
    public void EachKindHasItsExitCode(ErrorKind kind, int expected)
    {
        (int exitCode, string? error) = Guard(new SlttException(kind, "what is\nwrong", "what to do"));
        Assert.That(exitCode, Is.EqualTo(expected));
        Assert.That(error.TrimEnd().Split('\n', StringSplitOptions.TrimEntries), Is.EqualTo(new[] { "sltt: what is wrong", "what to do" }));
    }

    [Test]
    public void FullDiskAndNoPermissionAreDataErrors()
    {
        Assert.That(
            Guard(new IOException("No space left on device : '/x/y'")),
            Is.EqualTo((4, "sltt: No space left on device : '/x/y'" + Environment.NewLine)));
        Assert.That(Guard(new UnauthorizedAccessException("Access to the path '/x' is denied.")).ExitCode, Is.EqualTo(4));
    }

    [Test]
    public void AFailedDeviceCallIsADeviceError()
    {
        (int exitCode, string? error) = Guard(new ManagedCuda.CudaException(ManagedCuda.BasicTypes.CUResult.ErrorOutOfMemory));
        Assert.That(exitCode, Is.EqualTo(3));
        Assert.That(error.TrimEnd().Split('\n'), Has.Length.LessThanOrEqualTo(2));
    }

    [Test]
    public void ADefectIsOneLineUnlessVerbose()
    {
        (int exitCode, string? error) = Guard(new InvalidOperationException("the plan is wrong"));
        Assert.That(exitCode, Is.EqualTo(1));
        Assert.That(
            error, Does.StartWith("sltt: internal error: InvalidOperationException: the plan is wrong").And.Contain("--verbose")
            .And.Not.Contain("   at "));
        Assert.That(Guard(new InvalidOperationException("the plan is wrong"), verbose: true).Error, Does.Contain("   at "));
    }

    [Test]
    public void StoppedByTheUserIs130() =>
        Assert.That(Guard(new OperationCanceledException(), stopped: true), Is.EqualTo((130, "sltt: stopped" + Environment.NewLine)));
}
