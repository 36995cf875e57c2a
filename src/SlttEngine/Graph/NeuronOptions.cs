namespace SlttEngine.Graph;

/// <summary>Surrogate derivative g(z), z = u − v_th, of the spike.</summary>
public enum Surrogate
{
    /// <summary>max(0, 1 − |z|).</summary>
    Triangle = 0,

    /// <summary>1 if |z| ≤ 1/2, else 0.</summary>
    Rectangle = 1,

    /// <summary>α σ(αz)(1 − σ(αz)), α = 4.</summary>
    Sigmoid = 2,
}

/// <summary>Constants of LIF neurons: of a run's layers, or of one layer that has its own.</summary>
/// <param name="Tau">Time constant τ in steps; λ = 1 − 1/τ.</param>
/// <param name="Surrogate">Surrogate derivative.</param>
/// <param name="Threshold">v_th.</param>
public sealed record NeuronOptions(double Tau = 1.1, Surrogate Surrogate = Surrogate.Triangle, float Threshold = 1f)
{
    /// <summary>λ, the part of the membrane potential that is left after a step.</summary>
    public float Lambda => (float)(1.0 - (1.0 / Tau));

    /// <summary>Checks the constants.</summary>
    /// <param name="owner">Whose they are, for the message.</param>
    /// <exception cref="SlttException">One can't be.</exception>
    internal void Validate(string owner)
    {
        if (!double.IsFinite(Tau) || Tau <= 1)
        {
            throw new SlttException(ErrorKind.Usage, FormattableString.Invariant($"{owner}.Tau {Tau}: must be greater than 1"));
        }

        if (!float.IsFinite(Threshold) || Threshold <= 0)
        {
            throw new SlttException(ErrorKind.Usage, FormattableString.Invariant($"{owner}.Threshold {Threshold}: must be greater than 0"));
        }

        if (!Enum.IsDefined(Surrogate))
        {
            throw new SlttException(
                ErrorKind.Usage, $"{owner}.Surrogate {Surrogate}: is none", string.Join(", ", Enum.GetNames<Surrogate>()));
        }
    }
}

/// <summary>Constants in which a layer's neurons differ from the run's; null: as the run's.</summary>
/// <param name="Tau">Time constant τ in steps, above 1.</param>
/// <param name="Threshold">v_th, above 0.</param>
/// <param name="Surrogate">Surrogate derivative.</param>
public sealed record NeuronOverrides(double? Tau = null, float? Threshold = null, Surrogate? Surrogate = null)
{
    /// <summary>The layer's constants.</summary>
    /// <param name="run">The run's.</param>
    public NeuronOptions Over(NeuronOptions run) => new(Tau ?? run.Tau, Surrogate ?? run.Surrogate, Threshold ?? run.Threshold);

    /// <summary>The constants that differ, for a checkpoint to keep; empty if none does.</summary>
    public override string ToString() => string.Join(", ", new[]
    {
        Tau is { } tau ? FormattableString.Invariant($"tau {tau:R}") : null,
        Threshold is { } threshold ? FormattableString.Invariant($"threshold {threshold:R}") : null,
        Surrogate is { } surrogate ? $"surrogate {surrogate.ToString().ToLowerInvariant()}" : null,
    }.OfType<string>());

    /// <summary>Checks the constants that are given.</summary>
    /// <param name="layer">Whose they are, for the message.</param>
    /// <exception cref="SlttException">One can't be.</exception>
    internal void Validate(string layer) => Over(new NeuronOptions()).Validate(layer);
}
