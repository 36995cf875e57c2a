using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using SkiaSharp;
using SlttEngine.IO;
using SlttEngine.Tests.Data;
using SlttEngine.Tests.IO;

namespace SlttEngine.Tests.Cli;

/// <summary>
/// The official README's commands as they stand there, on small data in the official layouts, for an epoch of one or two iterations of a
/// narrow model; then sltt eval of what they leave.
/// </summary>
[Parallelizable(ParallelScope.Children)]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed partial class OfficialRunTests
{
    private const string Narrow = "-epochs 1 -width_divisor 16";

    private TemporaryFolder folder = null!;

    [SetUp]
    public void MakeFolder() => folder = new TemporaryFolder();

    [TearDown]
    public void RemoveFolder() => folder.Dispose();

    [Test]
    public void Cifar()
    {
        // More than the batch of 128, so that the second batch is a small one.
        using (TemporaryFolder binary = new TemporaryFolder())
        using (TemporaryFolder python = new TemporaryFolder())
        {
            CifarTests.Make(binary, python, 10, perFile: 26);
            Directory.Move(binary["cifar-10-batches-bin"], Inside("data", "cifar-10-batches-bin"));
            CifarTests.Make(binary, python, 100, perFile: 130);
            Directory.Move(python["cifar-100-python"], Inside("data", "cifar-100-python"));
        }

        Run("train-sltt -data_dir ./data -dataset cifar10 -model spiking_resnet18 -amp -T_max 200 -epochs 200 -weight_decay 5e-5");
        Run("train-bptt -data_dir ./data -dataset cifar10 -model spiking_resnet18 -amp -T_max 200 -epochs 200 -weight_decay 5e-5");
        Evaluate(
            Run("train-sltt -data_dir ./data -dataset cifar100 -model spiking_resnet18 -amp -T_max 200 -epochs 200 -weight_decay 5e-4"));
    }

    [Test]
    public void DvsCifar10()
    {
        byte[] recording = File.ReadAllBytes(
            Path.Combine(TestFiles.Shipped("events"), "CIFAR10DVS", "events", "truck", "cifar10_truck_900.aedat"));
        foreach (string name in SlttEngine.Data.Sets.Cifar10Dvs.ClassNames)
        {
            foreach (int n in (int[])[.. Enumerable.Range(0, 13), 950])
            {
                folder.Write($"data/CIFAR10DVS/events/{name}/cifar10_{name}_{n}.aedat", recording);
            }
        }

        Evaluate(
            Run("train-sltt -data_dir ./data/CIFAR10DVS -dataset DVSCIFAR10 -T 10 -amp -drop_rate 0.3 -model spiking_vgg11_bn -lr=0.05 "
                + "-weight_decay 5e-4 -mse_n_reg"));
        Run("train-slttk -K 2 -data_dir ./data/CIFAR10DVS/ -dataset DVSCIFAR10 -T 10 -amp -drop_rate 0.3 -model spiking_vgg11_bn -lr=0.05 "
            + "-weight_decay 5e-4 -mse_n_reg");
        Assert.That(
            Directory.GetFiles(folder["data", "CIFAR10DVS", "sltt_cache"]), Has.Length.EqualTo(2),
            "the second run takes the first one's cache");
        Run("train-sltt -data_dir ./data/CIFAR10DVS -dataset DVSCIFAR10 -T 10 -model spiking_vgg11_bn --plain-resize -lr 0.01");
        Assert.That(
            Directory.GetFiles(folder["data", "CIFAR10DVS", "sltt_cache"]), Has.Length.EqualTo(4), "other frames are another cache");
    }

    [Test]
    public void DvsGesture()
    {
        string from = Path.Combine(TestFiles.Shipped("events"), "dvsgesture", "DvsGesture");
        string to = Inside("data", "dvsgesture", "extract", "DvsGesture");
        Directory.CreateDirectory(to);
        foreach (string file in Directory.GetFiles(from))
        {
            File.Copy(file, Path.Combine(to, Path.GetFileName(file)));
        }

        // Seven samples thrice: a batch of 16 and a rest that is dropped.
        string trials = Path.Combine(to, "trials_to_train.txt");
        File.WriteAllText(trials, string.Concat(Enumerable.Repeat(File.ReadAllText(trials).TrimEnd() + "\n", 3)));

        Evaluate(
            Run("train-sltt -data_dir ./data/dvsgesture -dataset dvsgesture -model spiking_vgg11_bn -T 20 -b 16 -amp -drop_rate 0.4 "
                + "-weight_decay 5e-4"));
        Run("train-slttk -K 4 -data_dir ./data/dvsgesture -dataset dvsgesture -model spiking_vgg11_bn -T 20 -b 16 -amp -drop_rate 0.4 "
            + "-weight_decay 5e-4");
    }

    [Test]
    public void ImageNetInTwoStages([Values(34, 50, 101)] int layers)
    {
        foreach (string image in (ReadOnlySpan<string>)["train/cat/1", "train/dog/2", "train/owl/3", "val/cat/4", "val/dog/5", "val/owl/6"])
        {
            ImageFolderTests.WriteImage(folder, $"data/imagenet/{image}.JPEG", 60, 40, SKEncodedImageFormat.Jpeg);
        }

        // Checkpoints are read as the official programs' own: the second stage starts from a .pth.
        (string run, _, _) = Run(
            $"train-sltt -data_dir ./data/imagenet/ -dataset imagenet -T 1 -amp -epochs 100 -b 256 -T_max 100 -weight_decay 1e-5 "
                + $"-loss_lambda 0.0 -model spiking_nfresnet{layers}", "-b 2");
        CheckpointFile.Read(Path.Combine(run, "checkpoint_latest.safetensors")).WritePth(folder["logs", $"imagenet_resnet{layers}_t1.pth"]);
        string second =
            $"-data_dir ./data/imagenet/ -dataset imagenet -T 6 -amp -epochs 30 -b 256 -T_max 30 -weight_decay 0.0 -loss_lambda 0.0 "
                + $"-model spiking_nfresnet{layers} -lr 0.001 -pre_train ./logs/imagenet_resnet{layers}_t1.pth";
        Evaluate(Run((layers == 101 ? "train-slttk -K 2 " : "train-sltt ") + second, "-b 2"));
    }

    [Test]
    public void ImageNetWithOtherClassesToTestIsRefused()
    {
        foreach (string image in (ReadOnlySpan<string>)["train/cat/1", "train/dog/2", "val/dog/3"])
        {
            ImageFolderTests.WriteImage(folder, $"data/imagenet/{image}.JPEG", 60, 40, SKEncodedImageFormat.Jpeg);
        }

        SlttProcess.Result run = Command(
            ["train", "-data_dir", "./data/imagenet", "-dataset", "imagenet", "-model", "spiking_nfresnet34", "-b", "2"]);
        Assert.That(run.ExitCode, Is.EqualTo(4));
        Assert.That(
            run.Error,
            Does.StartWith("sltt: ./data/imagenet/val: the test part of image folders is incomplete: ").And.Contain(
                "no folder for classes of train/: cat"));
    }

    /// <summary>Runs a command of the README, made narrow; returns the run's folder and what its last line says of the test set.</summary>
    private (string Folder, double Loss, double Accuracy) Run(string command, string more = "")
    {
        // The image folders are complete; of the sets of fixed size these are a few samples.
        bool allowed = !command.Contains("imagenet", StringComparison.Ordinal);
        more += allowed ? " --allow-incomplete" : string.Empty;
        string logs = folder["logs"];
        string[] before = Directory.Exists(logs) ? Directory.GetDirectories(logs) : [];
        SlttProcess.Result run = Command([.. $"{command} {Narrow} {more}".Split(' ', StringSplitOptions.RemoveEmptyEntries)]);
        Assert.That(run.ExitCode, Is.Zero, run.Error);
        Assert.That(allowed ? SmallCifar.WithoutWarnings(run.Error) : run.Error, Is.Empty);
        Match epoch = EpochLine().Match(run.Output);
        Assert.That(epoch.Success, run.Output);
        string made = Directory.GetDirectories(logs).Except(before).Single();
        Assert.That(File.Exists(Path.Combine(made, "checkpoint_latest.safetensors")));
        return (made, Number(epoch.Groups[1]), Number(epoch.Groups[2]));
    }

    /// <summary>Evaluates what a run left, with nothing given but the checkpoint: the run's own figures come out.</summary>
    private void Evaluate((string Folder, double Loss, double Accuracy) run)
    {
        SlttProcess.Result result = Command(["eval", "-resume", Path.Combine(run.Folder, "checkpoint_latest.safetensors"), "--json"]);
        Assert.That(result.ExitCode, Is.Zero, result.Error);
        using JsonDocument json = System.Text.Json.JsonDocument.Parse(result.Output);
        System.Text.Json.JsonElement root = json.RootElement;
        Assert.Multiple(() =>
        {
            Assert.That(root.GetProperty("loss").GetDouble(), Is.EqualTo(run.Loss).Within(5.1e-5));
            Assert.That(root.GetProperty("top1").GetDouble(), Is.EqualTo(run.Accuracy).Within(5.1e-5));
            Assert.That(root.GetProperty("layers").EnumerateArray().Sum(l => l.GetProperty("neurons").GetInt64()), Is.GreaterThan(0));
        });
    }

    private SlttProcess.Result Command(string[] arguments)
    {
        ProcessStartInfo start = SlttProcess.StartInfo(arguments);
        start.WorkingDirectory = folder.FullName;

        // Several run at once.
        start.Environment["SLTT_CPU_THREADS"] = "1";
        return SlttProcess.Run(start);
    }

    private string Inside(params string[] parts)
    {
        string path = folder[parts];
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        return path;
    }

    private static double Number(Group group) => double.Parse(group.Value, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"epoch=0, train_loss=\d+\.\d+, train_acc=\d+\.\d+, test_loss=(\d+\.\d+), test_acc=(\d+\.\d+), ")]
    private static partial Regex EpochLine();
}
