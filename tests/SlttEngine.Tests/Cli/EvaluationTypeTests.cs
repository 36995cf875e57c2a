using System.Text.Json;
using SlttEngine.Device;
using SlttEngine.IO;
using SlttEngine.Training;

namespace SlttEngine.Tests.Cli;

/// <summary>-eval-type: what evaluations compute in, as a user chooses it.</summary>
public sealed class EvaluationTypeTests
{
    [Test]
    public void ARunsEvaluationsAreInTheTypeThatItNamesAndTrainingIsNot()
    {
        using SmallCifar data = new();
        string[] epochs = ["-epochs", "2", "-T_max", "2"];
        string Checkpoint(params string[] options)
        {
            SlttProcess.Result run = SlttProcess.Run(data.Train([.. epochs, .. options]));
            Assert.That(run.ExitCode, Is.Zero, run.Error);
            string folder = Directory.GetDirectories(data.OutDir).OrderBy(Directory.GetCreationTimeUtc).Last();
            return Path.Combine(folder, "checkpoint_latest.safetensors");
        }

        string single = Checkpoint();
        string half = Checkpoint("--eval-type", "f16");
        Assert.That(half, Does.Contain("_eval_f16"));
        Assert.That(File.ReadAllText(Path.Combine(Path.GetDirectoryName(half)!, "args.txt")), Does.Contain("eval_type='f16'"));
        using (SafeTensorsFile one = SafeTensorsFile.Open(single), other = SafeTensorsFile.Open(half))
        {
            Assert.That(other.ReadBytes("net.conv1.weight"), Is.EqualTo(one.ReadBytes("net.conv1.weight")), "training is the same");
        }

        JsonElement Evaluate(string checkpoint, params string[] options)
        {
            SlttProcess.Result run = SlttProcess.Run(
                ["eval", "-resume", checkpoint, "-data_dir", data.Folder, "--allow-incomplete", "--device", "cpu", "--json", .. options]);
            Assert.That(run.ExitCode, Is.Zero, run.Error);
            return JsonDocument.Parse(run.Output).RootElement;
        }

        JsonElement exact = Evaluate(single), named = Evaluate(half), tf32 = Evaluate(single, "--eval-type", "tf32");
        JsonElement sixteen = Evaluate(single, "--eval-type", "f16"), brain = Evaluate(single, "--eval-type", "bf16");
        static double Loss(JsonElement result) => result.GetProperty("loss").GetDouble();
        static double Right(JsonElement result) => result.GetProperty("top1").GetDouble() * result.GetProperty("samples").GetInt32();
        Assert.Multiple(() =>
        {
            Assert.That(exact.GetProperty("eval_type").GetString(), Is.EqualTo("f32"));
            Assert.That(named.GetProperty("eval_type").GetString(), Is.EqualTo("f16"), "the checkpoint says it");
            Assert.That(Loss(tf32), Is.EqualTo(Loss(exact)), "the CPU device has no TF32");
            Assert.That(Loss(named), Is.EqualTo(Loss(sixteen)));
            Assert.That(Loss(sixteen), Is.EqualTo(Loss(exact)).Within(5).Percent.And.Not.EqualTo(Loss(exact)));
            Assert.That(Loss(brain), Is.EqualTo(Loss(exact)).Within(10).Percent.And.Not.EqualTo(Loss(sixteen)));
            Assert.That(Right(sixteen), Is.EqualTo(Right(exact)).Within(2));
            Assert.That(Right(brain), Is.EqualTo(Right(exact)).Within(2));
        });
    }

    [Test]
    public void ASecondSixteenBitTypeBesideTrainingsIsRefused()
    {
        using SmallCifar data = new();
        SlttProcess.Result run = SlttProcess.Run(data.Train("-amp", "--eval-type", "bf16"));
        Assert.That(run.ExitCode, Is.EqualTo(2));
        Assert.That(
            run.Error,
            Does.StartWith("sltt: evaluation in bfloat16 beside training in float16: a run has one 16-bit copy of its weights"));
    }

    [TestCase(ComputeType.Float32, false, EvaluationType.Float32)]
    [TestCase(ComputeType.Float32, true, EvaluationType.Tf32)]
    [TestCase(ComputeType.Float16, false, EvaluationType.Tf32)]
    [TestCase(ComputeType.BFloat16, false, EvaluationType.Tf32)]
    public void TheDefaultIsPyTorchs(ComputeType type, bool fastMath, EvaluationType expected)
    {
        TrainingOptions options = new() { Type = type, FastMath = fastMath };
        Assert.That(options.UsedEvaluationType, Is.EqualTo(expected));
        Assert.That(
            (options with { EvaluationType = EvaluationType.Float32 }).UsedEvaluationType, Is.EqualTo(EvaluationType.Float32));
    }
}
