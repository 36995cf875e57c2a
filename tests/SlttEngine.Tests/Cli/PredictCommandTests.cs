using System.Security.Cryptography;
using System.Text.Json;
using SkiaSharp;
using SlttEngine.Cli.Options;
using SlttEngine.Data.Sets;

namespace SlttEngine.Tests.Cli;

/// <summary>sltt predict on files, as a user calls it.</summary>
public sealed class PredictCommandTests
{
    private SmallCifar data = null!;
    private string run = null!;

    [OneTimeSetUp]
    public void Train()
    {
        data = new SmallCifar();
        Assert.That(SlttProcess.Run(data.Train("-epochs", "1", "-T_max", "1")).ExitCode, Is.Zero);
        run = Directory.GetDirectories(data.OutDir).Single();
    }

    [OneTimeTearDown]
    public void Delete() => data.Dispose();

    [Test]
    public void ImagesGetTheClassesThatAnEvaluationGivesThem()
    {
        string[] images = [.. Enumerable.Range(0, SmallCifar.PerFile).Select(WriteTestImage)];
        JsonElement result = Json(run, [.. images]);
        JsonElement[] predictions = [.. result.GetProperty("predictions").EnumerateArray()];
        byte[] labels = File.ReadAllBytes(Path.Combine(data.Batches, "test_batch.bin"));
        double right = predictions.Where((p, i) => p.GetProperty("index").GetInt32() == labels[i * 3073]).Count();
        SlttProcess.Result evaluated = SlttProcess.Run(
            "eval", "-resume", Checkpoint, "-data_dir", data.Folder, "--allow-incomplete", "--device", "cpu", "--json");
        double top1 = JsonDocument.Parse(evaluated.Output).RootElement.GetProperty("top1").GetDouble();
        Assert.Multiple(() =>
        {
            Assert.That(predictions, Has.Length.EqualTo(SmallCifar.PerFile));
            Assert.That(right / SmallCifar.PerFile, Is.EqualTo(top1).Within(1e-9));
            Assert.That(predictions.Select(p => p.GetProperty("file").GetString()), Is.EqualTo(images));
            foreach (JsonElement prediction in predictions)
            {
                double[] all = [.. prediction.GetProperty("probabilities").EnumerateArray().Select(p => p.GetDouble())];
                Assert.That(all.Sum(), Is.EqualTo(1).Within(1e-6));
                Assert.That(prediction.GetProperty("probability").GetDouble(), Is.EqualTo(all.Max()));
            }

            Assert.That(
                result.GetProperty("checkpoint_sha256").GetString(),
                Is.EqualTo(Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(Checkpoint)))));
            Assert.That(result.GetProperty("classes").GetArrayLength(), Is.EqualTo(10));
            Assert.That(result.GetProperty("preprocessing").GetProperty("shape").EnumerateArray().Select(d => d.GetInt32()),
                Is.EqualTo((int[])[1, 3, 32, 32]));
        });
    }

    [Test]
    public void TheSameImageTwiceAsLargeIsTheSameInput()
    {
        string small = Path.Combine(data.Folder, "flat.png"), large = Path.Combine(data.Folder, "flat2.png");
        foreach ((string path, int size) in ((string, int)[])[(small, 32), (large, 96)])
        {
            using SKBitmap bitmap = new(size, size);
            bitmap.Erase(new SKColor(200, 40, 90));
            Write(bitmap, path);
        }

        JsonElement[] predictions = [.. Json(run, small, large).GetProperty("predictions").EnumerateArray()];
        Assert.That(
            predictions[1].GetProperty("probabilities").GetRawText(), Is.EqualTo(predictions[0].GetProperty("probabilities").GetRawText()));
    }

    [Test]
    public void AFileThatCannotBeReadGetsALineAndTheOthersAreAnswered()
    {
        string good = WriteTestImage(0), bad = Path.Combine(data.Folder, "bad, \"x\".png");
        File.WriteAllText(bad, "no image");
        SlttProcess.Result result = SlttProcess.Run("predict", Checkpoint, bad, good, "--csv", "--device", "cpu");
        string[] lines = result.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        Assert.Multiple(() =>
        {
            Assert.That(result.ExitCode, Is.EqualTo(4));
            Assert.That(result.Error, Does.Contain($"sltt: {bad}: not an image that can be decoded").And.Contain("1 of 2 files"));
            Assert.That(lines, Has.Length.EqualTo(2));
            Assert.That(lines[0], Does.StartWith("file,start_us,end_us,label,class,probability,"));
            Assert.That(lines[1].Split(',')[0], Is.EqualTo(good));
        });
        result = SlttProcess.Run("predict", Checkpoint, bad, good, "--json", "--device", "cpu");
        JsonElement all = JsonDocument.Parse(result.Output).RootElement;
        Assert.That(all.GetProperty("predictions").GetArrayLength(), Is.EqualTo(1));
        Assert.That(all.GetProperty("failed")[0].GetProperty("file").GetString(), Is.EqualTo(bad));
        Assert.That(all.GetProperty("failed")[0].GetProperty("error").GetString(), Does.Contain("not an image that can be decoded"));
    }

    [Test]
    [Platform("Linux")]
    public void APipeAmongTheFilesIsNotWaitedFor()
    {
        string folder = Directory.CreateDirectory(Path.Combine(data.Folder, "pipes")).FullName, pipe = Path.Combine(folder, "a.png");
        using (System.Diagnostics.Process made = System.Diagnostics.Process.Start("mkfifo", pipe))
        {
            made.WaitForExit();
            Assert.That(made.ExitCode, Is.Zero);
        }

        SlttProcess.Result result = SlttProcess.Run("predict", Checkpoint, folder, WriteTestImage(1), "--csv", "--device", "cpu");
        Assert.That(result.ExitCode, Is.EqualTo(4));
        Assert.That(result.Error, Does.Contain($"sltt: {pipe}: empty, or no plain file"));
        Assert.That(result.Output, Does.Contain("image1.png"));
    }

    [TestCase("compare-runs", "history.jsonl")]
    [TestCase("export", "args.txt")]
    [TestCase("export", "checkpoint_latest.safetensors")]
    public void AnOutputDoesNotReplaceARunsFile(string command, string file)
    {
        string path = Path.Combine(run, file);
        byte[] before = File.ReadAllBytes(path);
        string[] what = command == "export" ? ["--to", "onnx"] : [run];
        SlttProcess.Result result = SlttProcess.Run([command, run, .. what, "-o", path]);
        Assert.That(result.ExitCode, Is.EqualTo(2));
        Assert.That(result.Error, Does.StartWith($"sltt: {path}: would replace a file of a run"));
        Assert.That(File.ReadAllBytes(path), Is.EqualTo(before));
    }

    [Test]
    public void RecordingsWithLabelsAreAnsweredGestureByGesture()
    {
        string folder = Path.Combine(data.Folder, "gestures");
        SyntheticGestureOptions few = new() { TrainUsers = 1, TestUsers = 1, RecordingsPerUser = 1, GestureSeconds = 0.3 };
        SyntheticGestures.Make(folder, few, (_, _) => { });
        SlttProcess.Result trained = SlttProcess.Run(
            "train", "-data_dir", folder, "-out_dir", Path.Combine(folder, "logs"), "-dataset", "dvsgesture", "-model", "spiking_vgg11_bn",
            "-width_divisor", "32", "-T", "2", "-b", "4", "-epochs", "1", "-T_max", "1", "--device", "cpu");
        Assert.That(trained.ExitCode, Is.Zero, trained.Error);
        string recording = Directory.GetFiles(Path.Combine(folder, "DvsGesture"), "*.aedat")[0];
        JsonElement result = Json(Directory.GetDirectories(Path.Combine(folder, "logs"))[0], recording);
        JsonElement[] predictions = [.. result.GetProperty("predictions").EnumerateArray()];
        Assert.Multiple(() =>
        {
            Assert.That(predictions, Has.Length.EqualTo(DvsGesture.ReadLabels(recording).Length));
            Assert.That(predictions[1].GetProperty("start_us").GetInt64(), Is.EqualTo(DvsGesture.ReadLabels(recording)[1].Start));
            Assert.That(DvsGesture.ClassNames, Does.Contain(predictions[1].GetProperty("label").GetString()));
            Assert.That(result.GetProperty("preprocessing").GetProperty("text").GetString(), Does.StartWith("2 frames, event counts"));
        });
    }

    [Test]
    public void AnOfficialRunsFolderHasItsBestCheckpointAsPth()
    {
        string folder = Directory.CreateDirectory(Path.Combine(data.Folder, "official")).FullName;
        Assert.That(SlttProcess.Run("convert", Checkpoint, Path.Combine(folder, "checkpoint_max.pth")).ExitCode, Is.Zero);
        File.Copy(Checkpoint, Path.Combine(folder, "checkpoint_latest.safetensors"));
        Assert.That(CheckpointPlace.Find(folder), Is.EqualTo(Path.Combine(folder, "checkpoint_max.pth")));
    }

    [Test]
    public void WhatAnUndescribedCheckpointIsTakenForIsSaid()
    {
        string folder = Directory.CreateDirectory(Path.Combine(data.Folder, "undescribed")).FullName, pth = Path.Combine(folder, "net.pth");
        Assert.That(SlttProcess.Run("export", run, "--to", "torch", "-o", pth).ExitCode, Is.Zero);
        SlttProcess.Result result = SlttProcess.Run(
            "predict", pth, WriteTestImage(2), "-model", "spiking_resnet18", "-width_divisor", "32", "-T", "4", "--device", "cpu");
        Assert.That(result.ExitCode, Is.Zero, result.Error);
        Assert.That(
            result.Error, Does.Contain($"note: {pth} does not describe its run: taken as spiking_resnet18, cifar10, T = 4, tau = 1.1"));
    }

    [TestCase("", 2, "predict takes a checkpoint and files")]
    [TestCase("RUN no.png", 4, "no.png: no such file or folder")]
    [TestCase("no.safetensors no.png", 4, "no.safetensors: no such checkpoint or run folder")]
    [TestCase("RUN RUN", 4, "holds no images (.jpg")]
    [TestCase("RUN RUN --json --csv", 2, "--json and --csv are two forms of the same")]
    public void WhatCannotBeMeantIsRefused(string arguments, int exitCode, string message)
    {
        SlttProcess.Result result = SlttProcess.Run(
            ["predict", .. arguments.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(a => a == "RUN" ? run : a)]);
        Assert.That(result.ExitCode, Is.EqualTo(exitCode));
        Assert.That(result.Error, Does.StartWith("sltt: ").And.Contain(message));
    }

    private string Checkpoint => Path.Combine(run, "checkpoint_max.safetensors");

    private static JsonElement Json(string checkpoint, params string[] files)
    {
        SlttProcess.Result result = SlttProcess.Run(["predict", checkpoint, .. files, "--json", "--device", "cpu"]);
        Assert.That(result.ExitCode, Is.Zero, result.Error);
        return JsonDocument.Parse(result.Output).RootElement;
    }

    private string WriteTestImage(int index)
    {
        byte[] batch = File.ReadAllBytes(Path.Combine(data.Batches, "test_batch.bin"));
        ReadOnlySpan<byte> pixels = batch.AsSpan((index * 3073) + 1, 3072);
        using SKBitmap bitmap = new(32, 32);
        for (int i = 0; i < 1024; i++)
        {
            bitmap.SetPixel(i % 32, i / 32, new SKColor(pixels[i], pixels[1024 + i], pixels[2048 + i]));
        }

        string path = Path.Combine(data.Folder, $"image{index}.png");
        Write(bitmap, path);
        return path;
    }

    private static void Write(SKBitmap bitmap, string path)
    {
        using FileStream file = File.Create(path);
        bitmap.Encode(file, SKEncodedImageFormat.Png, 100);
    }
}
