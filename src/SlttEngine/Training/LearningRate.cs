namespace SlttEngine.Training;

/// <summary>A learning-rate schedule: one rate an epoch.</summary>
/// <param name="Initial">Rate at the start.</param>
public abstract record LearningRate(double Initial)
{
    /// <summary>Rates are multiplied by it: 1, but where a resumed checkpoint's rate is not what its schedule gives.</summary>
    public double Factor { get; private init; } = 1;

    /// <summary>The last step that <see cref="Factor"/> counts for: then the schedule begins again from <see cref="Initial"/>.</summary>
    private int LastOfFactor { get; init; } = int.MaxValue;

    /// <summary>The rate after a number of steps.</summary>
    /// <param name="step">Steps (epochs) done.</param>
    public double At(int step) => Rate(step) * FactorAt(step);

    /// <summary>The factor after a number of steps.</summary>
    /// <param name="step">Steps done.</param>
    internal double FactorAt(int step) => step <= LastOfFactor ? Factor : 1;

    /// <summary>The schedule with other rates by a factor, as torch's recursions go on from a rate that somebody set.</summary>
    /// <param name="factor">The factor.</param>
    /// <param name="step">Steps done.</param>
    internal LearningRate WithFactor(double factor, int step) =>
        this with { Factor = factor, LastOfFactor = factor == 1 ? int.MaxValue : LastBeforeRestart(step) };

    /// <summary>The first step from this one on after which the rate comes from <see cref="Initial"/>, not from the rate before.</summary>
    private protected virtual int LastBeforeRestart(int step) => int.MaxValue;

    /// <summary>The schedule in words, for messages.</summary>
    internal virtual string Name => GetType().Name;

    /// <summary>Checks the schedule's constants.</summary>
    /// <exception cref="SlttException">One can't be.</exception>
    internal virtual void Validate()
    {
    }

    /// <summary>The schedule's rate after a number of steps.</summary>
    protected abstract double Rate(int step);

    /// <summary>torch's CosineAnnealingLR with minimum 0: lr/2 · (1 + cos(π · step / T_max)).</summary>
    /// <param name="Initial">Rate at the start.</param>
    /// <param name="TMax">Steps to the minimum.</param>
    public sealed record Cosine(double Initial, int TMax) : LearningRate(Initial)
    {
        /// <inheritdoc/>
        protected override double Rate(int step) => Initial * (1 + Math.Cos(Math.PI * step / TMax)) / 2;

        /// <inheritdoc/>
        internal override string Name => $"the cosine over {TMax} epochs";

        /// <inheritdoc/>
        internal override void Validate() => Require(TMax >= 1, $"LearningRate.TMax {TMax}: must be at least 1");

        /// <summary>Each minimum, at T_max, 3 T_max, 5 T_max …: nothing can be told from a rate of 0.</summary>
        private protected override int LastBeforeRestart(int step)
        {
            long period = 2L * TMax;
            long last = TMax + (Math.Max(0, (step - TMax + period - 1) / period) * period);
            return (int)Math.Min(last, int.MaxValue);
        }
    }

    /// <summary>torch's StepLR: times gamma every step_size steps.</summary>
    /// <param name="Initial">Rate at the start.</param>
    /// <param name="StepSize">Steps between changes.</param>
    /// <param name="Gamma">Factor.</param>
    public sealed record Step(double Initial, double StepSize, double Gamma) : LearningRate(Initial)
    {
        /// <inheritdoc/>
        protected override double Rate(int step)
        {
            double rate = Initial;
            for (int s = 1; s <= step; s++)
            {
                // As torch: the rate changes when the epoch count is a multiple of step_size, which may be fractional.
                rate *= s % StepSize == 0 ? Gamma : 1;
            }

            return rate;
        }

        /// <inheritdoc/>
        internal override string Name => FormattableString.Invariant($"steps of {StepSize:R} epochs");

        /// <inheritdoc/>
        internal override void Validate()
        {
            Require(double.IsFinite(StepSize) && StepSize > 0, $"LearningRate.StepSize {StepSize:R}: must be greater than 0");
            Require(double.IsFinite(Gamma) && Gamma > 0, $"LearningRate.Gamma {Gamma:R}: must be greater than 0");
        }
    }

    private static void Require(bool condition, FormattableString message)
    {
        if (!condition)
        {
            throw new SlttException(ErrorKind.Usage, FormattableString.Invariant(message));
        }
    }
}
