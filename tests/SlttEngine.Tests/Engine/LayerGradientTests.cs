using SlttEngine.Graph;
using SlttEngine.Layers;

namespace SlttEngine.Tests.Engine;

/// <summary>
/// Each layer's backward against central differences of a naive double-precision forward, for L = ⟨upstream, y⟩. A spike has no
/// difference quotient: there L uses the function whose derivative is the surrogate, in place of the step.
/// </summary>
public sealed class LayerGradientTests
{
    /// <summary>Float32 arithmetic over sums of a few hundred terms stays well within this; a wrong term does not.</summary>
    private const double Tolerance = 2e-4;

    private readonly Random random = new(2022);

    [TestCase(3, 5, 3, 1, 1)]
    [TestCase(4, 6, 3, 2, 1)]
    [TestCase(5, 3, 1, 2, 0)]
    public void Convolution_passes_gradients(int input, int output, int kernel, int stride, int padding)
    {
        const int Batch = 2;
        Network network = new("test", input, 7, 6, 2);
        Edge x = LayerHarness.Input("x", 7, 6, input);
        ConvolutionModule module = ConvolutionModule.Declare(network, "conv", input, output, kernel, stride, padding, null);
        Edge y = network.Add(new Convolution(module, x));
        using LayerHarness harness = new(network);
        double[] xs = Draw(Batch * x.Elements), ws = Draw(module.Weight.Count), up = Draw(Batch * y.Elements);
        harness.Set(module.Weight, ws);
        float[] forward = harness.Run(Batch, new() { [x] = xs }, up);
        Near(forward, Reference.Convolve(xs, ws, Batch, x, y, kernel, stride, padding), "y");
        Near(harness.Gradient(x), Numeric(xs, v => Dot(up, Reference.Convolve(v, ws, Batch, x, y, kernel, stride, padding))), "x");
        double[] weight = Numeric(ws, v => Dot(up, Reference.Convolve(xs, v, Batch, x, y, kernel, stride, padding)));
        Near(harness.Gradient(module.Weight), weight, "weight");
    }

    [TestCase(true)]
    [TestCase(false)]
    public void Batch_norm_and_neuron_pass_gradients(bool withResidual)
    {
        const int Batch = 3;
        Network network = new("test", 5, 4, 3, 2);
        Edge x = LayerHarness.Input("x", 4, 3, 5), r = LayerHarness.Input("r", 4, 3, 5);
        BatchNormModule norm = BatchNormModule.Declare(network, "bn", 5);
        Edge y = network.Add(new BatchNormLif("lif", norm, new(x, Residual: withResidual ? r : null)));
        using LayerHarness harness = new(network);
        double[] xs = Draw(Batch * x.Elements), rs = Draw(Batch * x.Elements), up = Draw(Batch * y.Elements);
        double[] gamma = Draw(5), beta = [.. Draw(5).Select(b => b + 0.8)];
        harness.Set(norm.Weight, gamma);
        harness.Set(norm.Bias, beta);
        Dictionary<Edge, double[]> inputs = withResidual ? new() { [x] = xs, [r] = rs } : new() { [x] = xs };
        float[] spikes = harness.Run(Batch, inputs, up);

        double Loss(double[] a, double[] b, double[] g, double[] o) =>
            Dot(up, [.. Reference.BatchNorm(withResidual ? Sum(a, b) : a, g, o).Select(u => Reference.SmoothSpike(u - 1))]);

        double[] potentials = Reference.BatchNorm(withResidual ? Sum(xs, rs) : xs, gamma, beta);
        Near(spikes, [.. potentials.Select(u => u >= 1 ? 1.0 : 0.0)], "spikes");
        Near(harness.Gradient(x), Numeric(xs, v => Loss(v, rs, gamma, beta)), "x");
        Near(harness.Gradient(norm.Weight), Numeric(gamma, v => Loss(xs, rs, v, beta)), "weight");
        Near(harness.Gradient(norm.Bias), Numeric(beta, v => Loss(xs, rs, gamma, v)), "bias");
        if (withResidual)
        {
            Near(harness.Gradient(r), Numeric(rs, v => Loss(xs, v, gamma, beta)), "residual");
        }
    }

    [TestCase(2, 4, 6)]
    [TestCase(4, 4, 8)]
    public void Batch_norm_neuron_and_pool_pass_gradients(int window, int height, int width)
    {
        const int Batch = 2;
        Network network = new("test", 5, height, width, 2);
        Edge x = LayerHarness.Input("x", height, width, 5);
        BatchNormModule norm = BatchNormModule.Declare(network, "bn", 5);
        Edge y = network.Add(new BatchNormLif("lif", norm, new(x), pool: window));
        using LayerHarness harness = new(network);
        double[] xs = Draw(Batch * x.Elements), gamma = Draw(5), beta = [.. Draw(5).Select(b => b + 0.8)], up = Draw(Batch * y.Elements);
        harness.Set(norm.Weight, gamma);
        harness.Set(norm.Bias, beta);
        float[] pooled = harness.Run(Batch, new() { [x] = xs }, up);

        double[] Pool(double[] spikes) => Reference.AveragePool(spikes, Batch, x, y, window, window, 0);
        double Loss(double[] a, double[] g, double[] o) =>
            Dot(up, Pool([.. Reference.BatchNorm(a, g, o).Select(u => Reference.SmoothSpike(u - 1))]));
        Near(pooled, Pool([.. Reference.BatchNorm(xs, gamma, beta).Select(u => u >= 1 ? 1.0 : 0.0)]), "pooled");
        Near(harness.Gradient(x), Numeric(xs, v => Loss(v, gamma, beta)), "x");
        Near(harness.Gradient(norm.Weight), Numeric(gamma, v => Loss(xs, v, beta)), "weight");
        Near(harness.Gradient(norm.Bias), Numeric(beta, v => Loss(xs, gamma, v)), "bias");
    }

    [Test]
    public void Neuron_passes_gradients()
    {
        const int Batch = 2;
        Network network = new("test", 3, 4, 3, 2);
        Edge x = LayerHarness.Input("x", 4, 3, 3);
        Edge y = network.Add(new Lif("lif", x, 0.7f, 2.74f));
        using LayerHarness harness = new(network);
        double[] xs = [.. Draw(Batch * x.Elements).Select(v => v * 2)], up = Draw(Batch * y.Elements);
        harness.Run(Batch, new() { [x] = xs }, up);
        Near(harness.Gradient(x), Numeric(xs, v => Dot(up, [.. v.Select(a => 2.74 * Reference.SmoothSpike((0.7 * a) - 1))])), "x");
    }

    [TestCase(7, 5, 2, 2, 0)]
    [TestCase(7, 8, 3, 2, 1)]
    [TestCase(4, 4, 4, 4, 0)]
    public void Average_pool_passes_gradients(int height, int width, int kernel, int stride, int padding)
    {
        Network network = new("test", 3, height, width, 2);
        Edge x = LayerHarness.Input("x", height, width, 3);
        Edge y = network.Add(new AvgPool("pool", x, kernel, stride, padding));
        CheckPool(network, x, y, v => Reference.AveragePool(v, 2, x, y, kernel, stride, padding));
    }

    [TestCase(1, 1, 7)]
    [TestCase(4, 5, 7)]
    [TestCase(9, 8, 7)]
    [TestCase(5, 6, 1)]
    public void Adaptive_pool_passes_gradients(int height, int width, int size)
    {
        Network network = new("test", 3, height, width, 2);
        Edge x = LayerHarness.Input("x", height, width, 3);
        Edge y = network.Add(new AdaptiveAvgPool("pool", x, size));
        CheckPool(network, x, y, v => Reference.AdaptivePool(v, 2, x, y));
    }

    [Test]
    public void Linear_passes_gradients()
    {
        const int Batch = 3, Classes = 4;
        Network network = new("test", 3, 2, 2, Classes);
        Edge x = LayerHarness.Input("x", 2, 2, 3);
        network.Add(new Linear(network, "fc", x, new Initializer.Constant(0)));
        using LayerHarness harness = new(network);
        (Parameter weight, Parameter bias) = (network.Parameters[0], network.Parameters[1]);
        double[] xs = Draw(Batch * 12), ws = Draw(weight.Count), bs = Draw(Classes), up = Draw(Batch * Classes);
        harness.Set(weight, ws);
        harness.Set(bias, bs);
        float[] logits = harness.Run(Batch, new() { [x] = xs }, up);
        Near(logits, Reference.Linear(xs, ws, bs, Batch, x, Classes), "logits");
        Near(harness.Gradient(x), Numeric(xs, v => Dot(up, Reference.Linear(v, ws, bs, Batch, x, Classes))), "x");
        Near(harness.Gradient(weight), Numeric(ws, v => Dot(up, Reference.Linear(xs, v, bs, Batch, x, Classes))), "weight");
        Near(harness.Gradient(bias), Numeric(bs, v => Dot(up, Reference.Linear(xs, ws, v, Batch, x, Classes))), "bias");
    }

    [TestCase(true)]
    [TestCase(false)]
    public void Standardised_convolution_passes_gradients(bool withSkipGain)
    {
        const int Batch = 2;
        Network network = new("test", 3, 5, 4, 2);
        Edge x = LayerHarness.Input("x", 5, 4, 3);
        Parameter? skip = withSkipGain ? network.Declare("skipinit_gain", [], new Initializer.Constant(0)) : null;
        ScaledWsModule module = ScaledWsModule.Declare(network, "conv", 3, 4, 3, 1, 1, skip, withSkipGain ? 0.2f : 1f);
        Edge y = network.Add(new ScaledWsConvolution(module, x));
        y = network.Add(new AvgPool("bias", y, 1, 1)); // its reader adds the bias
        using LayerHarness harness = new(network);
        double[] xs = Draw(Batch * x.Elements), ws = Draw(module.Convolution.Weight.Count), up = Draw(Batch * y.Elements);
        double[] bs = Draw(4), gs = Draw(4), ss = [0.6];
        harness.Set(module.Convolution.Weight, ws);
        harness.Set(module.Convolution.Bias!, bs);
        harness.Set(module.Gain, gs);
        if (skip is not null)
        {
            harness.Set(skip, ss);
        }

        double[] Forward(double[] a, double[] w, double[] b, double[] g, double[] s)
        {
            double factor = withSkipGain ? 0.2 * s[0] : 1;
            double[] c = Reference.Convolve(a, Reference.Standardise(w, g, 4), Batch, x, y, 3, 1, 1);
            return [.. c.Select((v, i) => factor * (v + b[i % 4]))];
        }

        float[] actual = harness.Run(Batch, new() { [x] = xs }, up);
        Near(actual, Forward(xs, ws, bs, gs, ss), "y");
        Near(harness.Gradient(x), Numeric(xs, v => Dot(up, Forward(v, ws, bs, gs, ss))), "x");
        Near(harness.Gradient(module.Convolution.Weight), Numeric(ws, v => Dot(up, Forward(xs, v, bs, gs, ss))), "weight");
        Near(harness.Gradient(module.Convolution.Bias!), Numeric(bs, v => Dot(up, Forward(xs, ws, v, gs, ss))), "bias");
        Near(harness.Gradient(module.Gain), Numeric(gs, v => Dot(up, Forward(xs, ws, bs, v, ss))), "gain");
        if (skip is not null)
        {
            Near(harness.Gradient(skip), Numeric(ss, v => Dot(up, Forward(xs, ws, bs, gs, v))), "skipinit_gain");
        }
    }

    private void CheckPool(Network network, Edge x, Edge y, Func<double[], double[]> forward)
    {
        using LayerHarness harness = new(network);
        double[] xs = Draw(2 * x.Elements), up = Draw(2 * y.Elements);
        Near(harness.Run(2, new() { [x] = xs }, up), forward(xs), "y");
        Near(harness.Gradient(x), Numeric(xs, v => Dot(up, forward(v))), "x");
    }

    private double[] Draw(long count) => [.. Enumerable.Range(0, (int)count).Select(_ => (double)(float)((random.NextDouble() * 2) - 1))];

    private static double[] Sum(double[] a, double[] b) => [.. a.Zip(b, (x, y) => x + y)];

    private static double Dot(double[] a, double[] b) => a.Zip(b, (x, y) => x * y).Sum();

    private static double[] Numeric(double[] at, Func<double[], double> loss)
    {
        const double Step = 1e-5;
        double[] gradient = new double[at.Length];
        double[] moved = [.. at];
        for (int i = 0; i < at.Length; i++)
        {
            moved[i] = at[i] + Step;
            double above = loss(moved);
            moved[i] = at[i] - Step;
            gradient[i] = (above - loss(moved)) / (2 * Step);
            moved[i] = at[i];
        }

        return gradient;
    }

    private static void Near(float[] actual, double[] expected, string what)
    {
        double difference = Math.Sqrt(actual.Zip(expected, (a, e) => (a - e) * (a - e)).Sum());
        double norm = Math.Sqrt(expected.Sum(e => e * e));
        Assert.That(actual, Has.Length.EqualTo(expected.Length), what);
        Assert.That(norm, Is.GreaterThan(0), what + ": the test must have something to compare");
        Assert.That(difference / norm, Is.LessThan(Tolerance), what);
    }
}
