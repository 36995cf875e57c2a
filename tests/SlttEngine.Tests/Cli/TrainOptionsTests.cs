using SlttEngine.Cli;
using SlttEngine.Cli.Options;
using SlttEngine.Device;
using SlttEngine.Graph;
using SlttEngine.Layers;
using SlttEngine.Training;

namespace SlttEngine.Tests.Cli;

public sealed class TrainOptionsTests
{
    private static TrainOptions Parse(string? method, params string[] arguments)
    {
        TrainOptionSet set = new TrainOptionSet(new TrainOptions(), method);
        Assert.That(ArgumentParser.Parse(arguments, set.Options, "train"), Is.Empty);
        return set.Read();
    }

    private static TrainOptions Parse(string line) => Parse(null, line.Split(' ', StringSplitOptions.RemoveEmptyEntries));

    private static TrainOptions Parse(OfficialCommands.Case official) => Parse(
        official.Command switch { "train-sltt" => MethodTable.Sltt, "train-slttk" => MethodTable.SlttK, _ => MethodTable.Bptt },
        official.Words);

    [TestCase("fp16", ComputeType.Float16, "float16")]
    [TestCase("float16", ComputeType.Float16, "float16")]
    [TestCase("bf16", ComputeType.BFloat16, "bf16")]
    [TestCase("bfloat16", ComputeType.BFloat16, "bf16")]
    public void AmpTypesHaveTwoNames(string spelled, ComputeType type, string written)
    {
        TrainOptions options = Parse($"-amp --amp-dtype {spelled}");
        Assert.That(options.ComputeType, Is.EqualTo(type));
        Assert.That(options.ToArgsText(), Does.Contain($"amp_dtype='{written}'"));
    }

    [Test]
    public void PlainResizeIsAnotherRun()
    {
        TrainOptions options = Parse("-dataset DVSCIFAR10 --plain-resize");
        Assert.That(options.PlainResize);
        Assert.That(options.RunFolder, Does.EndWith("_plain"));
        Assert.That(TrainOptions.FromArgsText(options.ToArgsText()), Is.EqualTo(options));
    }

    [TestCase("--split-by time", "_split_time")]
    [TestCase("--duration 50000", "_duration50000")]
    [TestCase("--split-by number", "_CosALR_300")]
    public void OtherFramesAreAnotherRun(string option, string ending)
    {
        TrainOptions options = Parse($"-dataset dvsgesture {option}");
        Assert.That(options.RunFolder, Does.EndWith(ending));
        Assert.That(TrainOptions.FromArgsText(options.ToArgsText()), Is.EqualTo(options));
    }

    [Test]
    public void TheOtherBatchNormIsAnotherRun()
    {
        TrainOptions options = Parse("--batch-norm cudnn");
        Assert.That(options.RunFolder, Does.EndWith("_cudnnbn"));
        Assert.That(TrainOptions.FromArgsText(options.ToArgsText()), Is.EqualTo(options));
    }

    private static IEnumerable<TestCaseData> Official() =>
        OfficialCommands.All.Select(c => new TestCaseData(c).SetArgDisplayNames(c.ToString()));

    [TestCaseSource(nameof(Official))]
    public void RunFolderIsTheOfficialOne(object official)
    {
        OfficialCommands.Case command = (OfficialCommands.Case)official;
        Assert.That(Parse(command).RunFolder, Is.EqualTo(WithSeed(command)));
    }

    /// <summary>Seeds of one run would share the official folder.</summary>
    private static string WithSeed(OfficialCommands.Case command) =>
        command.RunFolder + (command.ArgsText.StartsWith("Namespace(seed=7,", StringComparison.Ordinal) ? "_seed7" : string.Empty);

    [TestCaseSource(nameof(Official))]
    public void ArgsTextStartsAsTheOfficialOne(object official)
    {
        OfficialCommands.Case command = (OfficialCommands.Case)official;
        Assert.That(Parse(command).ToArgsText(), Does.StartWith(command.ArgsText[..^1]).And.EndsWith(")"));
    }

    [TestCaseSource(nameof(Official))]
    public void OfficialArgsTextIsRead(object official)
    {
        OfficialCommands.Case command = (OfficialCommands.Case)official;
        TrainOptions read = TrainOptions.FromArgsText(command.ArgsText);
        TrainOptions expected = Parse(command);
        if (expected.Method == MethodTable.Bptt)
        {
            read = read with { Method = MethodTable.Bptt }; // the official BPTT program writes nothing that tells it from SLTT's
        }

        Assert.That(read, Is.EqualTo(expected));
        Assert.That(read.RunFolder, Is.EqualTo(WithSeed(command)));
    }

    [TestCaseSource(nameof(Official))]
    public void OwnArgsTextComesBack(object official)
    {
        TrainOptions options = Parse((OfficialCommands.Case)official);
        Assert.That(TrainOptions.FromArgsText(options.ToArgsText()), Is.EqualTo(options));
    }

    [Test]
    public void OwnOptionsComeBackToo()
    {
        TrainOptions options = Parse("--method slttk -K 3 --width-divisor 4 --device cpu -amp --amp-dtype bf16 -surrogate rectangle");
        Assert.That(TrainOptions.FromArgsText(options.ToArgsText()), Is.EqualTo(options));
    }

    [Test]
    public void OwnOptionsAreInTheRunFolderOnlyWhereTheyChangeTheRun()
    {
        string plain = Parse("-amp").RunFolder;
        Assert.That(Parse("-amp --device cpu").RunFolder, Is.EqualTo(plain));
        Assert.That(Parse("-amp -width_divisor 4 --amp-dtype bf16").RunFolder, Is.EqualTo(plain + "_bf16_width4"));
    }

    [TestCase("-T 3 -lr 0.05 -dataset dvsgesture -amp")]
    [TestCase("-T=3 -lr=0.05 -dataset=dvsgesture -amp")]
    [TestCase("--T 3 --lr 0.05 --dataset dvsgesture --amp")]
    [TestCase("--T=3 --lr=5e-2 --dataset=dvsgesture --amp")]
    [TestCase("-T 9 -lr=0.9 -dataset cifar10 -amp --T=3 -lr .05 -dataset dvsgesture")]
    public void AllSpellingsMeanTheSame(string line)
    {
        TrainOptions options = Parse(line);
        Assert.That(options, Is.EqualTo(new TrainOptions { T = 3, LearningRate = 0.05, Dataset = "dvsgesture", Amp = true }));
    }

    [Test]
    public void EveryOptionReachesItsProperty()
    {
        TrainOptions options = Parse(
            "-seed 1 -name n -T 2 -tau 1.5 -b 3 -epochs 4 -j 5 -data_dir d -dataset DVSCIFAR10 -out_dir o -surrogate sigmoid -resume r "
            + "-amp -opt AdamW -lr 0.2 -momentum 0.8 -lr_scheduler StepLR -step_size 7 -gamma 0.5 -T_max 8 -model spiking_resnet34 "
            + "-drop_rate 0.25 -weight_decay 0.01 "
            + "-loss_lambda 0.5 -mse_n_reg -loss_means 2 -save_init -K 1 -method slttk -width_divisor 2 -device cuda -amp_dtype bf16 "
            + "--batch-norm cudnn --fast-math --plain-resize --split-by time");
        Assert.That(options, Is.EqualTo(new TrainOptions
        {
            Seed = 1,
            Name = "n",
            T = 2,
            Tau = 1.5,
            BatchSize = 3,
            Epochs = 4,
            Workers = 5,
            DataDir = "d",
            Dataset = "DVSCIFAR10",
            OutDir = "o",
            Surrogate = Surrogate.Sigmoid,
            Resume = "r",
            Amp = true,
            Optimizer = OptimizerKind.AdamW,
            LearningRate = 0.2,
            Momentum = 0.8,
            Schedule = ScheduleKind.Step,
            StepSize = 7,
            StepSizeGiven = true,
            Gamma = 0.5,
            TMax = 8,
            Model = "spiking_resnet34",
            DropRate = 0.25,
            WeightDecay = 0.01,
            WeightDecayGiven = true,
            LossLambda = 0.5,
            MseOneHot = true,
            LossMeans = 2,
            SaveInit = true,
            K = 1,
            Method = MethodTable.SlttK,
            WidthDivisor = 2,
            Device = DeviceChoice.Cuda,
            AmpType = ComputeType.BFloat16,
            BatchNorm = BatchNormKind.Cudnn,
            FastMath = true,
            PlainResize = true,
            SplitByTime = true,
        }));
        Assert.That(Parse("-dataset dvsgesture --duration 5000").Duration, Is.EqualTo(5000), "not beside --split-by time");
        Assert.That(Parse("-pre_train p").PreTrain, Is.EqualTo("p"), "not beside -resume");
    }

    [TestCase("-T 0", "-T 0")]
    [TestCase("-dataset dvsgesture --duration -1", "-duration -1")]
    [TestCase("-dataset dvsgesture --duration 0.5", "-duration 0.5")]
    [TestCase("-dataset dvsgesture --split-by frames", "frames")]
    [TestCase("-dataset dvsgesture --split-by time --duration 9", "-split_by time")]
    [TestCase("-dataset cifar10 --split-by time", "-split_by time")]
    [TestCase("-dataset imagenet --duration 1000", "-duration 1000")]
    [TestCase("-T -3", "-T -3")]
    [TestCase("-b 0", "-b 0")]
    [TestCase("-epochs 0", "-epochs 0")]
    [TestCase("-j -1", "-j -1")]
    [TestCase("-tau 1", "-tau 1.0")]
    [TestCase("-lr -0.1", "-lr -0.1")]
    [TestCase("-lr nan", "-lr nan")]
    [TestCase("-lr 0.1x", "-lr 0.1x")]
    [TestCase("-momentum 1", "-momentum 1.0")]
    [TestCase("-drop_rate 1", "-drop_rate 1.0")]
    [TestCase("-loss_lambda 1.5", "-loss_lambda 1.5")]
    [TestCase("-weight_decay -1e-5", "-weight_decay -1e-05")]
    [TestCase("-step_size 0", "-step_size 0.0")]
    [TestCase("-gamma 0", "-gamma 0.0")]
    [TestCase("-T_max 0", "-T_max 0")]
    [TestCase("-width_divisor 0", "-width_divisor 0")]
    [TestCase("--steps-at-once 0", "-steps_at_once 0")]
    [TestCase("--steps-at-once all", "-steps_at_once all")]
    [TestCase("-T 4 --steps-at-once 5", "-steps_at_once 5: is more than the 4 time steps of -T")]
    [TestCase("--memory 0", "-memory 0")]
    [TestCase("--memory 4G", "-memory 4G")]
    [TestCase("-amp --split-tf32", "-split_tf32 has no effect with -amp")]
    [TestCase("--fast-math --split-tf32", "-split_tf32 has no effect with -fast_math")]
    [TestCase("-method slttk -K 0", "-K 0")]
    [TestCase("-method slttk -K 7", "-K 7")]
    [TestCase("-plain_resize", "-plain_resize: cifar10's samples are not resized")]
    [TestCase("-K 2", "-K has no effect with sltt")]
    [TestCase("-amp_dtype bf16", "-amp_dtype has no effect without -amp")]
    [TestCase("-seed -1", "-seed -1")]
    [TestCase("-T 6.0", "-T 6.0")]
    [TestCase("-T six", "-T six")]
    [TestCase("-T 99999999999", "-T 99999999999")]
    [TestCase("-T 99999999999999999999", "-T 99999999999999999999")]
    [TestCase("-name a/b", "-name a/b")]
    [TestCase("-dataset CIFAR10", "did you mean 'cifar10'")]
    [TestCase("-dataset dvscifar", "did you mean 'DVSCIFAR10'")]
    [TestCase("-surrogate triangel", "did you mean 'triangle'")]
    [TestCase("-opt adamw", "did you mean 'AdamW'")]
    [TestCase("-lr_scheduler cosine", "unknown scheduler 'cosine'")]
    [TestCase("-device gpu", "unknown device 'gpu'")]
    [TestCase("-method slt", "did you mean 'sltt'")]
    [TestCase("-amp=1", "-amp takes no value")]
    [TestCase("-model spiking_resnet81", "did you mean 'spiking_resnet18'")]
    [TestCase("-modell x", "did you mean '-model'")]
    [TestCase("--data-dirr x", "did you mean '-data_dir'")]
    [TestCase("-epoch 3", "did you mean '-epochs'")]
    [TestCase("-zzzzzz 3", "unknown option '-zzzzzz'")]
    [TestCase("-lr", "-lr needs a value")]
    [TestCase("-lr -amp", "-lr needs a value")]
    public void BadInputIsNamed(string line, string expected)
    {
        SlttException? error = Assert.Throws<SlttException>(() => Parse(line));
        Assert.That(error!.Kind, Is.EqualTo(ErrorKind.Usage));
        Assert.That(error.Message, Does.Contain(expected));
        Assert.That(error.Message, Does.Not.Contain("\n"));
    }

    [Test]
    public void SlttKMayTakeAllSteps() => Assert.That(Parse("-method slttk -K 6").K, Is.EqualTo(6));

    [Test]
    public void OptionsBesideFromCountMore()
    {
        string path = Path.Combine(TestContext.CurrentContext.WorkDirectory, "from-args.txt");
        File.WriteAllText(path, new TrainOptions { T = 4, Epochs = 9, Amp = true }.ToArgsText());
        TrainOptions options = Parse(null, "-T", "5", "--from", path);
        Assert.That(options, Is.EqualTo(new TrainOptions { T = 5, Epochs = 9, Amp = true }));
    }

    [TestCase(null)]
    [TestCase("not a namespace")]
    [TestCase("Namespace(sed=1)")]
    [TestCase("Namespace(T='six')")]
    public void BadArgsFileIsADataError(string? text)
    {
        string path = Path.Combine(TestContext.CurrentContext.WorkDirectory, text is null ? "missing-args.txt" : "bad-args.txt");
        if (text is not null)
        {
            File.WriteAllText(path, text);
        }

        SlttException? error = Assert.Throws<SlttException>(() => Parse(null, "-from", path));
        Assert.That(error!.Kind, Is.EqualTo(ErrorKind.Data));
        Assert.That(error.Message, Does.Contain(path));
    }
}
