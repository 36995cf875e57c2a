using SlttEngine.Device;

namespace SlttEngine.Graph;

/// <summary>
/// A layer's backward against central differences of its forward, for L = ⟨random, y⟩ in float32: the gradient of its input and of each
/// of its parameters.
/// </summary>
/// <remarks>
/// For layers without a spike: a step function has no difference quotient. On <see cref="DeviceKind.CpuFaithful"/> a kernel that
/// writes beyond its buffers, or reads what nobody wrote, is found too.
/// </remarks>
/// <param name="Differences">The input's first, then the parameters' in order.</param>
public sealed record GradientCheck(IReadOnlyList<GradientDifference> Differences)
{
    /// <summary>
    /// What float32's rounding and the curvature of a smooth layer stay well within at <see cref="Step"/>; a wrong term does not.
    /// </summary>
    public const double Tolerance = 1e-3;

    /// <summary>What is added to and subtracted from each number: a power of two, so that most sums are exact.</summary>
    private const float Step = 1f / 64;

    /// <summary>True if every gradient is within <see cref="Tolerance"/>.</summary>
    public bool Passes => Differences.All(d => d.Relative <= Tolerance);

    /// <summary>Checks a layer on random numbers.</summary>
    /// <param name="device">Where its kernels run.</param>
    /// <param name="height">Height of its input.</param>
    /// <param name="width">Width of its input.</param>
    /// <param name="channels">Channels of its input.</param>
    /// <param name="layer">Makes the layer, from the network that it declares its parameters in and its input.</param>
    /// <param name="batch">Samples.</param>
    /// <exception cref="SlttException">The layer hands no gradient on, or a kernel writes beyond a buffer.</exception>
    public static GradientCheck Of(
        ComputeDevice device, int height, int width, int channels, Func<Network, Edge, Layer> layer, int batch = 2)
    {
        Network network = new("gradient check", channels, height, width, classes: 1);
        Edge x = new("input", height, width, channels, dependsOnInputOnly: false);
        network.Add(layer(network, x));
        using LayerRun run = new(device, network, [x], batch);
        Random random = new(2022);
        float[] Draw(long count) => [.. Enumerable.Range(0, (int)count).Select(_ => (random.NextSingle() * 2) - 1)];

        // Around their first values, so that a gain of 1 or a bias of 0 hides nothing.
        Dictionary<Parameter, float[]> parameters = network.Parameters.ToDictionary(
            p => p, p => (float[])[.. InitialValues.Draw(p, 1, 0).Zip(Draw(p.Count), (value, noise) => value + (noise / 2))]);
        foreach ((Parameter parameter, float[] values) in parameters)
        {
            run.Store.SetWeight(parameter, values);
        }

        float[] input = Draw(x.Elements * batch), upstream = Draw(network.Layers[^1].Output.Elements * batch);
        run.SetInput(x, input);
        run.ForwardAndBackward(upstream);
        double Loss() => run.Forward().Zip(upstream, (y, g) => (double)y * g).Sum();
        List<GradientDifference> differences =
        [
            GradientDifference.Of(x.Name, run.Gradient(x), Numeric(input, values => run.SetInput(x, values), Loss)),
        ];
        foreach ((Parameter parameter, float[] values) in parameters.Where(p => p.Key.Name != "unused"))
        {
            float[] gradient = run.Store.GetGradient(parameter);
            double[] numeric = Numeric(values, moved => run.Store.SetWeight(parameter, moved), Loss);
            differences.Add(GradientDifference.Of(parameter.Name, gradient, numeric));
        }

        return new GradientCheck(differences);
    }

    /// <summary>A line for each gradient.</summary>
    public override string ToString() => string.Join('\n', Differences);

    private static double[] Numeric(float[] at, Action<float[]> set, Func<double> loss)
    {
        double[] gradient = new double[at.Length];
        float[] moved = [.. at];
        for (int i = 0; i < at.Length; i++)
        {
            (float above, float below) = (at[i] + Step, at[i] - Step);
            moved[i] = above;
            set(moved);
            gradient[i] = loss();
            moved[i] = below;
            set(moved);
            gradient[i] = (gradient[i] - loss()) / ((double)above - below);
            moved[i] = at[i];
        }

        set(moved);
        return gradient;
    }
}

/// <summary>How far a gradient is from its difference quotients.</summary>
/// <param name="Name">Whose gradient it is.</param>
/// <param name="Relative">Norm of the difference, as part of the norm of the quotients.</param>
/// <param name="Index">The element that is farthest off.</param>
/// <param name="Backward">What backward gives for it.</param>
/// <param name="Numeric">Its difference quotient.</param>
public sealed record GradientDifference(string Name, double Relative, int Index, double Backward, double Numeric)
{
    /// <inheritdoc/>
    public override string ToString() => FormattableString.Invariant(
        $"{Name}: {Relative:E1} off; farthest at element {Index}, backward {Backward:G6}, difference quotient {Numeric:G6}");

    /// <summary>Compares.</summary>
    internal static GradientDifference Of(string name, float[] backward, double[] numeric)
    {
        double[] off = [.. backward.Zip(numeric, (b, n) => Math.Abs(b - n))];

        // NaN is the largest: a gradient that is no number passes nowhere.
        int index = Array.FindIndex(off, double.IsNaN) is >= 0 and int nan ? nan : Array.IndexOf(off, off.Max());
        double norm = Math.Sqrt(numeric.Sum(n => n * n)), difference = Math.Sqrt(off.Sum(o => o * o));
        double relative = difference == 0 ? 0 : double.IsNaN(difference) ? double.PositiveInfinity : difference / norm;
        return new GradientDifference(name, relative, index, backward[index], numeric[index]);
    }
}
