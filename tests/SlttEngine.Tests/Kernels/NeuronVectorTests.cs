using System.Globalization;
using SlttEngine.Device;
using SlttEngine.IO;

namespace SlttEngine.Tests.Kernels;

/// <summary>One LIF layer over time against what spikingjelly and PyTorch recorded (Golden/neuron).</summary>
[TestFixtureSource(typeof(KernelTest), nameof(Kinds))]
public sealed class NeuronVectorTests(DeviceKind kind) : KernelTest(kind)
{
    /// <summary>
    /// Relative to the tensor's norm: what float32 should reach, as for every output and gradient of the recorded models.
    /// </summary>
    private const double OutputTolerance = 1e-5, GradientTolerance = 1e-4;

    private static string Folder => Path.Combine(TestContext.CurrentContext.TestDirectory, "Golden", "neuron");

    /// <summary>The recorded files.</summary>
    public static IEnumerable<string> Files =>
        Directory.GetFiles(Path.Combine(AppContext.BaseDirectory, "Golden", "neuron"), "*.safetensors").Select(
            f => Path.GetFileNameWithoutExtension(f)!).Order(StringComparer.Ordinal);

    [Test]
    public void EveryFileIsThere() => Assert.That(Files.Count(), Is.EqualTo(18));

    [Test]
    public void OverTime([ValueSource(nameof(Files))] string name, [Values] bool normalised)
    {
        using SafeTensorsFile file = SafeTensorsFile.Open(Path.Combine(Folder, name + ".safetensors"));
        bool exact = name.EndsWith("exact_boundaries", StringComparison.Ordinal), throughTime = file.Metadata["method"] == "bptt";
        int steps = int.Parse(file.Metadata["T"], CultureInfo.InvariantCulture),
            surrogate = Array.IndexOf(["triangle", "rectangle", "sigmoid"], file.Metadata["surrogate"]);
        double tau = double.Parse(file.Metadata["tau"], CultureInfo.InvariantCulture);
        float lambda = (float)(1 - (1 / tau)), threshold = float.Parse(file.Metadata["v_threshold"], CultureInfo.InvariantCulture);
        float[] x = file.ReadFloat32("x"), upstream = file.ReadFloat32("upstream");
        int count = x.Length / steps, channels = (int)file.Shape("x")[^1], rows = count / channels;
        Tensor zeros = Floats(new float[channels]), ones = Floats([.. Enumerable.Repeat(1f, channels)]);

        List<float> spikes = [], u = [], v = [];
        Tensor[] potentials = new Tensor[steps];
        for (int t = 0; t < steps; t++)
        {
            Tensor s = PoisonedFloats(count), input = Floats(x[(t * count)..((t + 1) * count)]);
            potentials[t] = PoisonedFloats(count);
            object[] state = [s.Pointer, potentials[t].Pointer, t == 0 ? Null : potentials[t - 1].Pointer, input.Pointer];
            object[] rest = [lambda, threshold, 0f, 0u, Null], size = [1, (long)rows, channels];
            if (normalised)
            {
                Launch(
                    "batch_norm_lif_forward_f32", Cases.Launch(t),
                    [.. state, zeros.Pointer, ones.Pointer, zeros.Pointer, .. rest, 0, 0, 0, .. size]);
            }
            else
            {
                Launch("lif_forward_f32", Cases.Launch(t), [.. state, Null, 1f, 1f, .. rest, 0, 0, .. size]);
            }

            u.AddRange(potentials[t].Read());
            spikes.AddRange(s.Read());
            v.AddRange(u[^count..].Select(value => value >= threshold ? value - threshold : value));
        }

        float[] gradient = new float[x.Length];
        Tensor? carried = throughTime ? Floats(new float[count]) : null;
        for (int t = steps - 1; t >= 0; t--)
        {
            Tensor grad = PoisonedFloats(count), from = Floats(upstream[(t * count)..((t + 1) * count)]);
            if (normalised)
            {
                LaunchShape shape = Cases.Launch(t);
                Launch(
                    Instances.Backward(ComputeType.Float32, surrogate, false, throughTime), shape, grad.Pointer,
                    Poisoned<double>(shape.Blocks * 2 * channels).Pointer, Null, Null, Null, Null, from.Pointer, Null,
                    potentials[t].Pointer,
                    carried?.Pointer ?? Null, zeros.Pointer, zeros.Pointer, ones.Pointer, lambda, threshold, surrogate, 0f, 0u, Null,
                    1, (long)rows, channels);
            }
            else
            {
                Launch(
                    "lif_backward_f32", Cases.Launch(t), grad.Pointer, from.Pointer, Null, Null, potentials[t].Pointer,
                    carried?.Pointer ?? Null,
                    1f, 1f, lambda, threshold, surrogate, 0f, 0u, Null, 1, (long)count);
            }

            grad.Read().CopyTo(gradient, t * count);
        }

        AssertSame(spikes, file.ReadFloat32("spikes"), "spikes");
        if (exact)
        {
            AssertSame(u, file.ReadFloat32("u"), "u");
            AssertSame(v, file.ReadFloat32("v"), "v");
        }
        else
        {
            AssertNear([.. u], file.ReadFloat32("u"), OutputTolerance, "u");
            AssertNear([.. v], file.ReadFloat32("v"), OutputTolerance, "v");
        }

        if (exact && surrogate != Neuron.Sigmoid)
        {
            AssertSame(gradient, file.ReadFloat32("grad_x"), "grad_x");
        }
        else
        {
            AssertNear(gradient, file.ReadFloat32("grad_x"), GradientTolerance, "grad_x");
        }
    }

    private static void AssertNear(float[] actual, float[] expected, double tolerance, string what)
    {
        Assert.That(actual, Has.Length.EqualTo(expected.Length), what);
        double distance = Math.Sqrt(actual.Zip(expected).Sum(p => Math.Pow(p.First - (double)p.Second, 2))),
            norm = Math.Sqrt(expected.Sum(e => (double)e * e));
        Assert.That(distance / norm, Is.LessThanOrEqualTo(tolerance), what);
    }
}
