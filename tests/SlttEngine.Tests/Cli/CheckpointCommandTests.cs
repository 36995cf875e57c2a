using System.Text.Json;
using SlttEngine.Cli;
using SlttEngine.IO;
using SlttEngine.Models;
using SlttEngine.Tests.IO;

namespace SlttEngine.Tests.Cli;

/// <summary>sltt models, data, eval and convert, and what they say to bad input.</summary>
public sealed class CheckpointCommandTests
{
    [Test]
    public void ModelsListsTheOfficialCounts()
    {
        using JsonDocument official = JsonDocument.Parse(File.ReadAllText(TestFiles.Shipped("state_dicts.json")));
        using JsonDocument listed = Json("models", "--json");
        Assert.That(
            listed.RootElement.EnumerateArray().Select(m => (m.GetProperty("model").GetString(), m.GetProperty("parameters").GetInt64())),
            Is.EquivalentTo(
                official.RootElement.EnumerateObject().Select(m => ((string?)m.Name, m.Value.GetProperty("parameters").GetInt64()))));

        using JsonDocument narrow = Json("models", "--json", "-dataset", "dvsgesture", "-width_divisor", "8");
        JsonElement vgg = narrow.RootElement.EnumerateArray().Single(m => m.GetProperty("model").GetString() == "spiking_vgg11_bn");
        Assert.That(vgg.GetProperty("classes").GetInt32(), Is.EqualTo(11));
        Assert.That(vgg.GetProperty("input").EnumerateArray().Select(d => d.GetInt32()), Is.EqualTo(new[] { 2, 128, 128 }));
        Assert.That(
            vgg.GetProperty("parameters").GetInt64(),
            Is.EqualTo(ModelCatalog.Build("spiking_vgg11_bn", new ModelOptions(11, 2, 128, 128, WidthDivisor: 8)).ParameterCount));
        string table = Run("models", "-classes", "100").Output;
        Assert.That(table, Does.Contain("spiking_nfresnet101").And.Contain(" 11.22 "), "ResNet-18 with 100 classes");
        Assert.That(
            table.Split('\n').TakeWhile(l => !l.StartsWith("one sample", StringComparison.Ordinal)).Max(l => l.TrimEnd().Length),
            Is.LessThanOrEqualTo(80));
    }

    [Test]
    public void DataSaysWhatIsThere()
    {
        using SmallCifar data = new SmallCifar();
        (int incomplete, string json, _) = Run("data", "-dataset", "cifar10", "-data_dir", data.Folder, "--json");
        Assert.That(incomplete, Is.EqualTo(4));
        using JsonDocument found = JsonDocument.Parse(json);
        JsonElement set = found.RootElement[0];
        Assert.That(set.GetProperty("usable").GetBoolean(), Is.False);
        JsonElement train = set.GetProperty("parts")[0];
        Assert.That(train.GetProperty("incomplete")[0].GetString(), Does.StartWith("40 of 50,000 images (").And.EndWith(" and 7 more)"));
        Assert.That(train.GetProperty("expected_by_class").EnumerateArray().Select(n => n.GetInt32()), Is.All.EqualTo(5000));
        Assert.That(train.GetProperty("first_problem").ValueKind, Is.EqualTo(JsonValueKind.Null), "every file is whole");
        Assert.That(set.GetProperty("source").GetString(), Does.StartWith("https://"));
        Assert.That(
            set.GetProperty("parts").EnumerateArray().Select(p => p.GetProperty("samples").GetInt32()),
            Is.EqualTo(new[] { 5 * SmallCifar.PerFile, SmallCifar.PerFile }));

        string third = Path.Combine(data.Batches, "data_batch_3.bin");
        File.WriteAllBytes(third, File.ReadAllBytes(third)[1..]);
        (int exitCode, string output, _) = Run("data", "-dataset", "cifar10", "-data_dir", data.Folder);
        Assert.That(exitCode, Is.EqualTo(4));
        Assert.That(output, Does.Contain(third).And.Contain("test: 8 samples"));

        (exitCode, output, _) = Run("data", "-data_dir", data.Folder);
        Assert.That(exitCode, Is.Zero, "the sets that a folder holds are a question, not a demand");
        Assert.That(output, Does.Contain("imagenet: ImageNet").And.Contain("https://www.image-net.org"));
        (_, output, _) = Run(
            "data", "-dataset", "DVSCIFAR10", "-data_dir", Path.Combine(TestFiles.Shipped("events"), "CIFAR10DVS"), "--decode");
        Assert.That(output, Does.Contain("train: 2 samples, 2 of 10 classes (1 each), 2 files"));
    }

    [Test]
    public void EvalGivesTheRunsOwnFiguresFromEitherForm()
    {
        using SmallCifar data = new SmallCifar();
        SlttProcess.Result run = SlttProcess.Run(data.Train("-epochs", "1", "-T", "2", "-loss_lambda", "0.2"));
        Assert.That(run.ExitCode, Is.Zero, run.Error);
        string folder = Directory.GetDirectories(data.OutDir).Single();
        string checkpoint = Path.Combine(folder, "checkpoint_latest.safetensors");
        SlttProcess.Result ours = SlttProcess.Run("eval", "-resume", checkpoint, "--json");
        using JsonDocument result = JsonDocument.Parse(ours.Output);
        JsonElement root = result.RootElement;
        double loss = root.GetProperty("loss").GetDouble();
        Assert.That(
            run.Output,
            Does.Contain(FormattableString.Invariant($"test_loss={loss:0.0000}, test_acc={root.GetProperty("top1").GetDouble():0.0000}")));
        Assert.That(root.GetProperty("samples").GetInt32(), Is.EqualTo(SmallCifar.PerFile));

        // conv1 reads the same image at every step: counted once. Its width: 2 channels.
        JsonElement first = root.GetProperty("layers")[0];
        Assert.That(first.GetProperty("name").GetString(), Is.EqualTo("conv1"));
        Assert.That(first.GetProperty("firing_rate").ValueKind, Is.EqualTo(JsonValueKind.Null));
        Assert.That(first.GetProperty("multiply_adds").GetDouble(), Is.EqualTo(32 * 32 * 2 * 3 * 9));
        Assert.That(root.GetProperty("layers")[1].GetProperty("multiply_adds").GetDouble(), Is.EqualTo(2 * 32 * 32 * 2 * 2 * 9));

        // Elsewhere than beside its args.txt a checkpoint's options are named.
        string pth = Path.Combine(data.Folder, "converted.pth");
        Assert.That(Run("convert", checkpoint, pth).ExitCode, Is.Zero);
        SlttProcess.Result theirs = SlttProcess.Run(
            "eval", "-pre_train", pth, "--from", Path.Combine(folder, "args.txt"), "--json", "-b", "3");
        using JsonDocument again = JsonDocument.Parse(theirs.Output);
        Assert.That(
            again.RootElement.GetProperty("loss").GetDouble(), Is.EqualTo(loss).Within(5e-4), "another batch size may round otherwise");
        Assert.That(
            again.RootElement.GetProperty("synaptic_operations").GetDouble(),
            Is.EqualTo(root.GetProperty("synaptic_operations").GetDouble()).Within(0.5).Percent);
        string table = SlttProcess.Run("eval", "-resume", checkpoint).Output;
        Assert.That(
            table,
            Does.Contain("layer4.1.relu2").And.Contain(FormattableString.Invariant($"loss={loss:0.0000}, ")).And.Contain("args.txt"));
    }

    [Test]
    public void ADamagedArgsFileSaysWhatToDo([Values("", "Namespace(seed=")] string content)
    {
        using TemporaryFolder folder = new TemporaryFolder();
        File.WriteAllText(folder["args.txt"], content);
        (int exitCode, _, string error) = Run("eval", "-resume", folder["x.safetensors"], "-dataset", "cifar10");
        Assert.That(exitCode, Is.EqualTo(4));
        Assert.That(error, Does.Contain(folder["args.txt"]).And.Contain("repair it, or delete it and give the run's options"));
    }

    [Test]
    public void ConvertGoesBothWays([Values("resnet18_sltt.pth", "vgg11_sltt_adamw_legacy.pth", "vgg11_sltt_adamw.pth")] string name)
    {
        string recorded = TestFiles.Golden("checkpoint", "*.pth").FirstOrDefault(f => Path.GetFileName(f) == name)
            ?? TestFiles.Shipped("checkpoint/vgg11_sltt_adamw.pth");
        using TemporaryFolder folder = new TemporaryFolder();
        Assert.That(Run("convert", recorded, folder["a.safetensors"]).ExitCode, Is.Zero);
        (int exitCode, string output, _) = Run("convert", folder["a.safetensors"], folder["b.pth"]);
        Assert.That(exitCode, Is.Zero);
        Assert.That(output, Does.Match(@"^\S+b\.pth: \d+ tensors of the network, \d+ of the optimizer, epoch \d+, [\d.]+ MiB\s*$"));
        CheckpointFileTests.AssertSame(CheckpointFile.Read(folder["a.safetensors"]), CheckpointFile.Read(recorded));
        CheckpointFileTests.AssertSame(CheckpointFile.Read(folder["b.pth"]), CheckpointFile.Read(recorded));
    }

    [Test]
    public void AStateDictOfItsOwnIsACheckpointToo()
    {
        using TemporaryFolder folder = new TemporaryFolder();
        new CheckpointFile([NamedTensor.Float32("conv1.weight", [2], [1, 2])], new Dictionary<string, string>()).WriteSafeTensors(
            folder["bare.safetensors"]);
        Assert.That(CheckpointFile.Read(folder["bare.safetensors"]).Tensors.Select(t => t.Name), Is.EqualTo(new[] { "net.conv1.weight" }));
    }

    private static IEnumerable<TestCaseData> BadInput()
    {
        static TestCaseData Case(string name, int exitCode, string message, string line) =>
            new TestCaseData(exitCode, message, line.Split(' ')).SetArgDisplayNames(name);

        yield return Case("eval of nothing", 2, "no checkpoint to evaluate", "eval -dataset cifar10");
        yield return Case("eval of a missing file", 4, "nowhere.pth", "eval -resume nowhere.pth");
        yield return Case("eval of no checkpoint", 4, "state_dicts.json", $"eval -resume {TestFiles.Shipped("state_dicts.json")}");
        yield return Case("eval with other options", 4, "nowhere/args.txt", "eval -resume x.pth --from nowhere/args.txt");
        yield return Case(
            "eval of another model", 4, "not a checkpoint of this spiking_resnet34",
            $"eval -resume {TestFiles.Shipped("checkpoint/resnet18_sltt.pth")} -model spiking_resnet34 -width_divisor 16 -T 1 -dataset "
                + "cifar10 -data_dir DATA --allow-incomplete --device cpu");
        yield return Case(
            "eval without data", 4, "no CIFAR-10 in nowhere",
            $"eval -resume {TestFiles.Shipped("checkpoint/resnet18_sltt.pth")} -data_dir nowhere");
        yield return Case("convert of one file", 2, "convert takes two files, not 1", "convert a.pth");
        yield return Case("convert to something else", 2, "b.onnx: its ending", "convert a.pth b.onnx");
        yield return Case("convert of a missing file", 4, "nowhere.pth", "convert nowhere.pth b.safetensors");
        yield return Case(
            "convert into a file", 4, "state_dicts.json",
            $"convert {TestFiles.Shipped("checkpoint/resnet18_sltt.pth")} {TestFiles.Shipped("state_dicts.json")}/b.safetensors");
        yield return Case("data of an unknown set", 2, "unknown data set 'cifar11'; did you mean", "data -dataset cifar11");
        yield return Case("data of a missing folder", 4, "nowhere", "data -data_dir nowhere");
        yield return Case("models of an unknown set", 2, "unknown data set 'mnist'", "models -dataset mnist");
        yield return Case("models without classes", 2, "-classes 0", "models -classes 0");
        yield return Case("models that can't be divided", 2, "-width_divisor 5", "models -width_divisor 5");
    }

    [TestCaseSource(nameof(BadInput))]
    public void BadInputIsOneLine(int exitCode, string message, string[] arguments)
    {
        using SmallCifar data = new SmallCifar();
        (int code, string? output, string? error) = Run([.. arguments.Select(a => a == "DATA" ? data.Folder : a)]);
        Assert.That(code, Is.EqualTo(exitCode), error);
        Assert.That(error, Does.StartWith("sltt: ").And.Contain(message).And.Not.Contain("   at "));
        Assert.That(error.TrimEnd().Split('\n'), Has.Length.LessThanOrEqualTo(2));
        Assert.That(output, Is.Empty);
    }

    private static JsonDocument Json(params string[] arguments)
    {
        (int exitCode, string? output, string? error) = Run(arguments);
        Assert.That(exitCode, Is.Zero, error);
        return JsonDocument.Parse(output);
    }

    private static (int ExitCode, string Output, string Error) Run(params string[] arguments)
    {
        StringWriter output = new StringWriter();
        StringWriter error = new StringWriter();
        int exitCode = CommandLine.Run(arguments, CliContext.Plain(output, error, CancellationToken.None));
        return (exitCode, output.ToString(), error.ToString());
    }
}
