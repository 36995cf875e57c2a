using SlttEngine.Training;

namespace SlttEngine.Tests.Engine;

/// <summary>Learning rates as PyTorch's schedulers give them, and the steps that the methods take.</summary>
public sealed class ScheduleTests
{
    // torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=4) with lr 0.1, after 0, 1, 2, 3, 4 steps.
    [TestCase(0, 0.1)]
    [TestCase(1, 0.08535533905932738)]
    [TestCase(2, 0.05)]
    [TestCase(3, 0.014644660940672627)]
    [TestCase(4, 0.0)]
    public void Cosine(int step, double rate) => Assert.That(new LearningRate.Cosine(0.1, 4).At(step), Is.EqualTo(rate).Within(1e-16));

    // torch.optim.lr_scheduler.StepLR(optimizer, step_size=2, gamma=0.2) with lr 0.1.
    [TestCase(1, 0.1)]
    [TestCase(2, 0.020000000000000004)]
    [TestCase(3, 0.020000000000000004)]
    [TestCase(4, 0.004000000000000001)]
    public void Step(int step, double rate) => Assert.That(new LearningRate.Step(0.1, 2, 0.2).At(step), Is.EqualTo(rate).Within(1e-16));

    /// <summary>torch's recursion after somebody set the rate: past a minimum it begins again from the first rate.</summary>
    [Test]
    public void A_rate_that_was_set_goes_on_as_in_torch([Values(1, 2, 5, 6, 10, 13)] int done, [Values(4, 3)] int period)
    {
        const double First = 0.1;
        LearningRate.Cosine plain = new(First, period);
        LearningRate edited = plain.WithFactor(0.3, done);
        double rate = 0.3 * plain.At(done);
        for (int step = done; step < 30; step++)
        {
            Assert.That(edited.At(step), Is.EqualTo(rate).Within(1e-12), $"after {step} steps");
            int next = step + 1;
            rate = (next - 1 - period) % (2 * period) == 0
                ? rate + (First * (1 - Math.Cos(Math.PI / period)) / 2)
                : (1 + Math.Cos(Math.PI * next / period)) / (1 + Math.Cos(Math.PI * (next - 1) / period)) * rate;
        }
    }

    [Test]
    public void SlttK_draws_K_different_steps_anew_each_iteration()
    {
        int[] counts = new int[6];
        HashSet<string> draws = [];
        for (ulong i = 0; i < 3000; i++)
        {
            int[] chosen = [.. new SlttK(2).Schedule(6, 7, i).Where(s => s.Kind == StepKind.ForwardBackward).Select(s => s.T)];
            Assert.That(chosen.Distinct().Count(), Is.EqualTo(2));
            draws.Add(string.Join(',', chosen));
            foreach (int t in chosen)
            {
                counts[t]++;
            }
        }

        Assert.Multiple(() =>
        {
            Assert.That(draws, Has.Count.EqualTo(15), "every pair comes up");
            Assert.That(counts, Is.All.InRange(900, 1100), "and every step as often");
            (StepKind Kind, int T)[] again = new SlttK(2).Schedule(6, 7, 5).ToArray();
            Assert.That(new SlttK(2).Schedule(6, 7, 5), Is.EqualTo(again));
        });
    }

    [Test]
    public void SlttK_with_K_equal_T_is_SLTT() =>
        Assert.That(new SlttK(4).Schedule(4, 1, 2), Is.EqualTo(new Sltt().Schedule(4, 1, 2)));

    [Test]
    public void Bptt_goes_back_through_every_step() => Assert.That(
        new Bptt().Schedule(2, 0, 0),
        Is.EqualTo(new[] { (StepKind.ForwardKeep, 0), (StepKind.ForwardKeep, 1), (StepKind.Backward, 1), (StepKind.Backward, 0) }));
}
