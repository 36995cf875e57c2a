namespace SlttEngine.Training;

/// <summary>A learning-rate schedule: one rate an epoch.</summary>
/// <param name="Initial">Rate at the start.</param>
public abstract record LearningRate(double Initial)
{
    /// <summary>Every rate is multiplied by it: 1, but where a resumed checkpoint's rate is not what its schedule gives.</summary>
    public double Factor { get; init; } = 1;

    /// <summary>The rate after a number of steps.</summary>
    /// <param name="step">Steps (epochs) done.</param>
    public double At(int step) => Rate(step) * Factor;

    /// <summary>The schedule's rate after a number of steps.</summary>
    protected abstract double Rate(int step);

    /// <summary>torch's CosineAnnealingLR with minimum 0: lr/2 · (1 + cos(π · step / T_max)).</summary>
    /// <param name="Initial">Rate at the start.</param>
    /// <param name="TMax">Steps to the minimum.</param>
    public sealed record Cosine(double Initial, int TMax) : LearningRate(Initial)
    {
        /// <inheritdoc/>
        protected override double Rate(int step) => Initial * (1 + Math.Cos(Math.PI * step / TMax)) / 2;
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
    }
}
