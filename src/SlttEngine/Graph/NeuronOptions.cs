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

/// <summary>Constants of the LIF neurons of a model.</summary>
/// <param name="Tau">Time constant τ in steps; λ = 1 − 1/τ.</param>
/// <param name="Surrogate">Surrogate derivative.</param>
/// <param name="Threshold">v_th.</param>
public sealed record NeuronOptions(double Tau = 1.1, Surrogate Surrogate = Surrogate.Triangle, float Threshold = 1f)
{
    /// <summary>λ, the part of the membrane potential that is left after a step.</summary>
    public float Lambda => (float)(1.0 - (1.0 / Tau));
}
