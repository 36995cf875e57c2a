using ManagedCuda.CudaDNN;
using SlttEngine.Device;

namespace SlttEngine.Tests.Engine;

/// <summary>Which of cuDNN's algorithms is taken, and that it is measured once.</summary>
public sealed class ConvolutionAlgorithmsTests
{
    private static readonly AlgorithmOffer Guessed = new(
        1, Works: true, cudnnMathType.TensorOP, AsAsked: true, Deterministic: true, Workspace: 100, Milliseconds: -1);

    private const long Memory = 16L << 30; // of a card whose largest workspace is the usual one

    private string folder = string.Empty;
    private int measurements;
    private long measuredIn;

    [SetUp]
    public void MakeFolder() => (folder, measurements) = (Directory.CreateTempSubdirectory("sltt-algorithms-").FullName, 0);

    [TearDown]
    public void RemoveFolder() => Directory.Delete(folder, recursive: true);

    [Test]
    public void The_fastest_deterministic_one_within_the_workspace_is_taken()
    {
        int chosen = Choose(
            "call",
            [Guessed, Guessed with { Algorithm = 2 }],
            [
                Guessed with { Algorithm = 3, Deterministic = false, Milliseconds = 1 },
                Guessed with { Algorithm = 4, Workspace = ConvolutionAlgorithms.UsualWorkspace + 1, Milliseconds = 2 },
                Guessed with { Algorithm = 5, Works = false, Milliseconds = -1 },
                Guessed with { Algorithm = 6, AsAsked = false, Milliseconds = 3 },
                Guessed with { Algorithm = 7, Milliseconds = 5 },
                Guessed with { Algorithm = 8, Milliseconds = 4 },
            ]);
        Assert.That(chosen, Is.EqualTo(8));
    }

    [Test]
    public void Where_all_need_more_workspace_the_least_is_taken()
    {
        ulong over = ConvolutionAlgorithms.UsualWorkspace + 1;
        AlgorithmOffer[] guess =
        [
            Guessed with { Algorithm = 3, Workspace = over + 1 },
            Guessed with { Algorithm = 4, Workspace = over },
            Guessed with { Algorithm = 5, Workspace = 0, Deterministic = false },
        ];
        Assert.That(Choose("call", guess, []), Is.EqualTo(4));
        Assert.That(measurements, Is.Zero);
    }

    // 160 GiB: the largest workspace is 2.5 GiB.
    [Test]
    public void A_large_card_allows_a_large_workspace_where_no_algorithm_makes_do_with_the_usual_one()
    {
        const long Large = 160L << 30;
        const ulong Usual = ConvolutionAlgorithms.UsualWorkspace, Gibibyte = 1UL << 30;
        AlgorithmOffer[] large =
        [
            Guessed with { Algorithm = 2, Workspace = Usual + 1 },
            Guessed with { Algorithm = 3, Workspace = 2 * Gibibyte },
            Guessed with { Algorithm = 4, Workspace = 3 * Gibibyte },
        ];
        AlgorithmOffer[] measured = [large[0] with { Milliseconds = 3 }, large[1] with { Milliseconds = 2 }];
        Assert.Multiple(() =>
        {
            Assert.That(Choose("large", large, measured, memory: Large), Is.EqualTo(3), "the fastest");
            Assert.That((measurements, measuredIn), Is.EqualTo((1, Large / 64)));
            Assert.That(Choose("large on a small card", large, measured), Is.EqualTo(2), "the least");
            Assert.That(measurements, Is.EqualTo(1));

            // One makes do with the usual workspace, so a faster one that needs more is no candidate.
            AlgorithmOffer[] both = [Guessed, Guessed with { Algorithm = 5 }, .. large];
            measured = [Guessed with { Milliseconds = 9 }, large[0] with { Milliseconds = 1 }];
            Assert.That(Choose("both", both, measured, memory: Large), Is.EqualTo(1));
            Assert.That(measuredIn, Is.EqualTo((long)Usual));
        });
    }

    [Test]
    public void Choices_of_cards_with_other_workspaces_are_other_choices() => Assert.Multiple(() =>
    {
        static string Key(long memory) => ConvolutionAlgorithms.CacheKey("GPU", new Version(9, 14, 0), memory);
        Assert.That(Key(8L << 30), Is.EqualTo("GPU, cuDNN 9.14.0"));
        Assert.That(Key(16L << 30), Is.EqualTo("GPU, cuDNN 9.14.0"));
        Assert.That(Key(160L << 30), Is.EqualTo("GPU, cuDNN 9.14.0, workspaces of 2560 MiB"));
    });

    [Test]
    public void A_workspace_beyond_the_devices_memory_is_told()
    {
        SlttException error = Assert.Throws<SlttException>(
            () => Choose("backward filter f32 (512, 32, 32, 64)", [Guessed with { Workspace = (ulong)Memory + 1 }], []))!;
        Assert.That(error.Kind, Is.EqualTo(ErrorKind.Device));
        Assert.That(
            error.Message,
            Is.EqualTo(
                "no deterministic algorithm of backward filter f32 (512, 32, 32, 64) fits the device: the least workspace is 16384 MiB, "
                    + "more than its 16384 MiB of memory"));
        Assert.That(error.Hint, Is.EqualTo("take a smaller batch (-b)"));
    }

    [Test]
    public void A_call_is_measured_once_and_remembered_by_later_processes()
    {
        AlgorithmOffer[] guess = [Guessed, Guessed with { Algorithm = 2 }];
        Assert.That(Choose("a", guess, [Guessed with { Algorithm = 2, Milliseconds = 1 }]), Is.EqualTo(2));
        Assert.That(Choose("a", guess, [Guessed with { Algorithm = 1, Milliseconds = 1 }]), Is.EqualTo(2), "remembered");
        Assert.That(measurements, Is.EqualTo(1));
        Assert.That(
            Choose("b", guess, [Guessed with { Algorithm = 1, Milliseconds = 1 }]), Is.EqualTo(1), "another call is another matter");
        Assert.That(Choose(
            "a", guess, [Guessed with { Algorithm = 1, Milliseconds = 1 }], "another device"), Is.EqualTo(1), "and so is another device");
        Assert.That(Choose("a", guess, []), Is.EqualTo(2), "which has not displaced the first");
        Assert.That(measurements, Is.EqualTo(3));
    }

    [Test]
    public void A_damaged_file_is_measured_anew()
    {
        File.WriteAllText(Path.Combine(folder, "algorithms.json"), "{ \"device\": ");
        Assert.That(Choose("a", [Guessed, Guessed], [Guessed with { Algorithm = 2, Milliseconds = 1 }]), Is.EqualTo(2));
        Assert.That(
            RememberedAlgorithm.Open("device", folder).Find("a"), Is.EqualTo(new RememberedAlgorithm(2, (int)cudnnMathType.TensorOP, 1)));
    }

    [Test]
    public void Where_nothing_can_be_remembered_it_works_all_the_same()
    {
        File.WriteAllText(Path.Combine(folder, "file"), "");
        ConvolutionAlgorithms algorithms = new(
            SharedDevice.Device, RememberedAlgorithm.Open("device", Path.Combine(folder, "file", "inside")), Memory);
        AlgorithmOffer measured = Guessed with { Algorithm = 2, Milliseconds = 1 };
        Assert.That(algorithms.Choose("a", () => [Guessed, Guessed], (_, _, _, _, _) => [measured], (4, 4, 4)).Algorithm, Is.EqualTo(2));
    }

    [Test]
    public void A_single_offer_is_not_measured() => Assert.Multiple(() =>
    {
        Assert.That(Choose("a", [Guessed, Guessed with { Algorithm = 2, Deterministic = false }], []), Is.EqualTo(1));
        Assert.That(measurements, Is.Zero);
    });

    [Test]
    public void Without_a_deterministic_algorithm_the_call_is_named() => Assert.That(
        () => Choose("backward filter f16", [Guessed with { Deterministic = false }], []),
        Throws.TypeOf<SlttException>().With.Message.Contains("backward filter f16"));

    [Test]
    public void A_plan_that_is_only_tried_out_measures_nothing_but_knows_what_was_measured()
    {
        ConvolutionAlgorithms algorithms = new(SharedDevice.Device, RememberedAlgorithm.Open("device", folder), Memory);
        int Guess(string call) => algorithms.Choose(
            call,
            () => [Guessed, Guessed with { Algorithm = 2 }],
            (_, _, _, _, _) => throw new AssertionException("measured"),
            (4, 4, 4),
            measures: false).Algorithm;
        Assert.That(Guess("a"), Is.EqualTo(1));
        Choose("b", [Guessed, Guessed], [Guessed with { Algorithm = 2, Milliseconds = 1 }]);
        algorithms = new(SharedDevice.Device, RememberedAlgorithm.Open("device", folder), Memory);
        Assert.That(Guess("b"), Is.EqualTo(2));
    }

    [Test]
    public void Where_cuDNN_cannot_measure_its_guess_is_taken_and_where_it_cannot_guess_the_call_is_named() => Assert.Multiple(() =>
    {
        ConvolutionAlgorithms algorithms = new(SharedDevice.Device, RememberedAlgorithm.Open("device", folder), Memory);
        Assert.That(
            algorithms.Choose(
                "a",
                () => [Guessed, Guessed with { Algorithm = 2 }],
                (_, _, _, _, _) => throw new CudaDNNException(cudnnStatus.ExecutionFailed),
                (4, 4, 4)).Algorithm,
            Is.EqualTo(1));
        Assert.That(
            () => algorithms.Choose(
                "forward f16", () => throw new CudaDNNException(cudnnStatus.NotSupported), (_, _, _, _, _) => [], (4, 4, 4)),
            Throws.TypeOf<SlttException>().With.Message.Contains("forward f16").And.Property("Hint").Contains("-b"));
    });

    [Test]
    public void The_math_of_an_offer_goes_with_its_algorithm_and_is_remembered_too()
    {
        AlgorithmOffer other = Guessed with { Algorithm = 2, Math = cudnnMathType.Default, AsAsked = false, Milliseconds = 1 };
        for (int i = 0; i < 2; i++)
        {
            ConvolutionAlgorithms algorithms = new(SharedDevice.Device, RememberedAlgorithm.Open("device", folder), Memory);
            Assert.That(
                algorithms.Choose("a", () => [other, other with { Algorithm = 3 }], (_, _, _, _, _) => i == 0 ? [other] : [], (4, 4, 4)),
                Is.EqualTo((2, cudnnMathType.Default)));
        }
    }

    [TestCase(cudnnMathType.FMA, cudnnMathType.FMA, true, cudnnMathType.FMA, true)]
    [TestCase(cudnnMathType.FMA, cudnnMathType.Default, true, cudnnMathType.FMA, false)]
    [TestCase(cudnnMathType.FMA, cudnnMathType.TensorOP, false, cudnnMathType.FMA, false)]
    [TestCase(cudnnMathType.FMA, cudnnMathType.TensorOPAllowConversion, false, cudnnMathType.FMA, false)]
    [TestCase(cudnnMathType.TensorOP, cudnnMathType.TensorOP, true, cudnnMathType.TensorOP, true)]
    [TestCase(cudnnMathType.TensorOP, cudnnMathType.Default, true, cudnnMathType.Default, false)]
    [TestCase(cudnnMathType.TensorOP, cudnnMathType.FMA, true, cudnnMathType.FMA, false)]
    [TestCase(cudnnMathType.Default, cudnnMathType.TensorOP, true, cudnnMathType.TensorOP, true)]
    [TestCase(cudnnMathType.Default, cudnnMathType.TensorOPAllowConversion, true, cudnnMathType.TensorOPAllowConversion, false)]
    public void An_offer_in_another_math_is_run_in_that_but_where_float32_must_stay_it(
        cudnnMathType asked, cudnnMathType offered, bool works, cudnnMathType math, bool asAsked)
    {
        AlgorithmOffer offer = AlgorithmOffer.Of(
            new cudnnConvolutionBwdDataAlgoPerf { mathType = offered, status = cudnnStatus.Success }, asked);
        Assert.That((offer.Works, offer.Math, offer.AsAsked), Is.EqualTo((works, math, asAsked)));
    }

    private int Choose(string call, AlgorithmOffer[] guess, AlgorithmOffer[] measured, string device = "device", long memory = Memory) =>
        new ConvolutionAlgorithms(SharedDevice.Device, RememberedAlgorithm.Open(device, folder), memory).Choose(
            call,
            () => guess,
            (_, _, _, _, workspace) =>
            {
                measurements++;
                measuredIn = workspace;
                return measured;
            },
            (64, 64, 64)).Algorithm;
}
