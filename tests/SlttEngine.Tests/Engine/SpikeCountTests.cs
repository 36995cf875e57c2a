using System.Runtime.InteropServices;
using System.Text.Json;
using SlttEngine.Cli.Verification;
using SlttEngine.Graph;
using SlttEngine.IO;
using SlttEngine.Models;
using SlttEngine.Training;

namespace SlttEngine.Tests.Engine;

/// <summary>Firing rates and synaptic operations: against the official implementation's, and against a plain network on the host.</summary>
public sealed class SpikeCountTests
{
    private const int Steps = 3;
    private const int Size = 34;
    private const int Classes = 7;

    private static IEnumerable<TestCaseData> Recordings => GoldenFiles.Of("model")
        .Select(path => new TestCaseData(path).SetArgDisplayNames(Path.GetFileNameWithoutExtension(path)));

    [TestCaseSource(nameof(Recordings))]
    public void Firing_rates_are_the_recorded_ones(string path)
    {
        using SafeTensorsFile file = SafeTensorsFile.Open(path);
        RecordedFile recorded = new(file);
        int[] frame = recorded.Shape("input")[^4..];
        int steps = recorded.Integer("T");
        bool dynamic = recorded.Flag("dynamic");
        Network network = ModelCatalog.Build(
            recorded.Text("model"), new ModelOptions(
                recorded.Integer("classes"), frame[1], frame[2], frame[3], 0, recorded.Integer("width_divisor")));
        using TrainingEngine engine = Engine(
            network, steps, dynamic, new NeuronOptions(recorded.Number("tau"), Surrogate.Triangle), [frame[0]]);
        foreach (Parameter parameter in network.Parameters)
        {
            engine.Store.SetWeight(parameter, recorded.Floats("final." + parameter.Name));
        }

        foreach (StatisticsBuffer buffer in network.Statistics.Where(s => !s.IsCounter))
        {
            engine.Store.SetStatistic(buffer, recorded.Floats("final." + buffer.Name));
        }

        engine.Evaluate(MemoryMarshal.AsBytes<float>(recorded.Floats("input")), [.. recorded.Integers("labels").Select(l => (int)l)]);
        Dictionary<string, JsonElement> rates = recorded.Json<Dictionary<string, JsonElement>>("eval_layer_firing_rates");
        LayerCost[] neurons = [.. new NetworkCost(network).Layers.Where(l => l.Neurons > 0)];
        Assert.That(neurons.Select(l => l.Name), Is.EquivalentTo(rates.Keys));
        Assert.Multiple(() =>
        {
            foreach (LayerCost layer in neurons)
            {
                double rate = engine.SpikesByPixel(layer.Output).Sum() / ((double)layer.Neurons * steps * frame[0]);
                Assert.That(rate, Is.EqualTo(rates[layer.Name].GetDouble()).Within(5.1e-5), layer.Name);
            }
        });
    }

    [Test]
    public void Counts_and_operations_are_those_of_a_plain_network()
    {
        // An odd size, so that pooling drops a row and a column.
        Network network = ModelCatalog.Build("spiking_vgg11_bn", new ModelOptions(Classes, 2, Size, Size, WidthDivisor: 64));
        using TrainingEngine engine = Engine(network, Steps, dynamic: true, new NeuronOptions(2.0, Surrogate.Triangle), [3, 2]);
        engine.Store.Initialize(11);
        Random random = new(4);
        foreach (Parameter parameter in network.Parameters.Where(p => p.Shape.Length == 1))
        {
            double center = parameter.Name.EndsWith("weight", StringComparison.Ordinal) ? 2.0 : 0.6;
            engine.Store.SetWeight(
                parameter, [.. Enumerable.Range(0, parameter.Count).Select(_ => (float)(center + (0.2 * random.NextDouble())))]);
        }

        foreach (StatisticsBuffer buffer in network.Statistics.Where(s => !s.IsCounter))
        {
            engine.Store.SetStatistic(buffer, [.. Enumerable.Range(0, buffer.Count).Select(
                _ => (float)(random.NextDouble() - (buffer.Name.EndsWith("mean", StringComparison.Ordinal) ? 0.5 : -0.3)))]);
        }

        PlainVgg plain = new(engine.Store);
        foreach (int batch in (int[])[3, 2, 3])
        {
            // (T, N, 2, H, W)
            float[] input = [.. Enumerable.Range(0, Steps * batch * 2 * Size * Size).Select(
                _ => random.Next(4) == 0 ? random.Next(1, 4) : 0f)];
            engine.Evaluate(MemoryMarshal.AsBytes<float>(input), [.. Enumerable.Range(0, batch).Select(i => i % Classes)]);
            plain.Evaluate(input, batch);
        }

        Assert.That(plain.SmallestMargin, Is.GreaterThan(1e-5), "no spike hangs on rounding");
        LayerCost[] layers = [.. new NetworkCost(network).Layers.Where(l => l.Neurons > 0)];
        Assert.That(layers, Has.Length.EqualTo(8));
        Assert.Multiple(() =>
        {
            for (int i = 0; i < layers.Length; i++)
            {
                IReadOnlyList<long> pixels = engine.SpikesByPixel(layers[i].Output);
                Assert.That(pixels.Sum(), Is.EqualTo(plain.Spikes[i]).And.GreaterThan(0), layers[i].Name);
                Assert.That(
                    pixels.Zip(layers[i].FanOut, (n, weights) => n * weights).Sum(), Is.EqualTo(plain.Operations[i]), layers[i].Name);
            }
        });
    }

    [Test]
    public void Counts_stay_exact_beyond_what_a_float_holds()
    {
        Network network = ModelCatalog.Build("spiking_vgg11_bn", new ModelOptions(2, 1, 32, 32, WidthDivisor: 64));
        using SpikeCounts counts = new(SharedDevice.Device, network);
        counts.Allocate();
        Edge first = network.Layers.Select(l => l.Spikes).First(s => s is not null)!;
        const int Each = (1 << 24) - 3;
        long expected = 0;
        for (int i = 0; i < 3; i++)
        {
            counts.Reserve(Each);
            SlttEngine.Device.HostCopy.ToDevice<float>(SharedDevice.Device, counts.Of(first).Pointer, [Each]);
            expected += Each;
        }

        Assert.That(counts.Pixels(first)[0], Is.EqualTo(expected));
        Assert.That(counts.Pixels(first)[0], Is.EqualTo(expected), "and reading changes nothing");
    }

    private static TrainingEngine Engine(Network network, int steps, bool dynamic, NeuronOptions neuron, int[] batches)
    {
        InputFormat.Frames format = new(
            "f32", dynamic ? steps : 1, [.. Enumerable.Repeat(1f, network.Input.Channels)], new float[network.Input.Channels]);
        return new TrainingEngine(SharedDevice.Device, network, new EngineOptions
        {
            Steps = steps,
            Neuron = neuron,
            Optimizer = null,
            TrainInput = format,
            TestInput = format,
            StaticInput = !dynamic,
            TrainBatches = [],
            TestBatches = batches,
            CountSpikes = true,
        });
    }

    /// <summary>VGG-11 in evaluation by its definition, one sample after the other; each spike's operations counted one by one.</summary>
    private sealed class PlainVgg(ParameterStore store)
    {
        private static readonly (string Conv, string Norm, bool Pool)[] Layers =
        [
            ("layer1.0", "layer1.1", true), ("layer2.0", "layer2.1", true), ("layer3.0", "layer3.1", false), ("layer3.4", "layer3.5", true),
            ("layer4.0", "layer4.1", false), ("layer4.4", "layer4.5", true),
            ("layer5.0", "layer5.1", false), ("layer5.4", "layer5.5", true),
        ];

        public long[] Spikes { get; } = new long[8];

        public long[] Operations { get; } = new long[8];

        public double SmallestMargin { get; private set; } = double.MaxValue;

        public void Evaluate(float[] input, int batch)
        {
            for (int n = 0; n < batch; n++)
            {
                double[]?[] carried = new double[8][];
                for (int t = 0; t < Steps; t++)
                {
                    int size = Size;
                    int frame = 2 * size * size;
                    double[] x = [.. input.AsSpan(((t * batch) + n) * frame, frame).ToArray().Select(v => (double)v)];
                    for (int i = 0; i < 8; i++)
                    {
                        x = Fire(i, Convolve(i, x, size), ref carried[i]);
                        int next = Layers[i].Pool ? size / 2 : size;
                        Count(i, x, size, next);
                        x = Layers[i].Pool ? Pool(x, size) : x;
                        size = next;
                    }
                }
            }
        }

        private float[] Weight(string name) => store.GetWeight(store.Find(name)!);

        private double[] Convolve(int i, double[] x, int size)
        {
            float[] weight = Weight(Layers[i].Conv + ".weight");
            float[] bias = Weight(Layers[i].Conv + ".bias");
            float[] gamma = Weight(Layers[i].Norm + ".weight");
            float[] beta = Weight(Layers[i].Norm + ".bias");
            float[] mean = store.GetStatistic(store.FindStatistic(Layers[i].Norm + ".running_mean")!);
            float[] variance = store.GetStatistic(store.FindStatistic(Layers[i].Norm + ".running_var")!);
            int inputs = x.Length / (size * size);
            double[] y = new double[bias.Length * size * size];
            for (int o = 0; o < bias.Length; o++)
            {
                for (int p = 0; p < size * size; p++)
                {
                    double sum = bias[o];
                    foreach ((int q, int tap) in Neighbours(p, size))
                    {
                        for (int c = 0; c < inputs; c++)
                        {
                            sum += weight[(((o * inputs) + c) * 9) + tap] * x[(c * size * size) + q];
                        }
                    }

                    y[(o * size * size) + p] = ((sum - mean[o]) / Math.Sqrt(variance[o] + 1e-5) * gamma[o]) + beta[o];
                }
            }

            return y;
        }

        private double[] Fire(int i, double[] current, ref double[]? carried)
        {
            carried ??= new double[current.Length];
            for (int k = 0; k < current.Length; k++)
            {
                double u = (0.5 * carried[k]) + current[k];
                SmallestMargin = Math.Min(SmallestMargin, Math.Abs(u - 1));
                current[k] = u >= 1 ? 1 : 0;
                carried[k] = u - current[k];
                Spikes[i] += (long)current[k];
            }

            return current;
        }

        /// <summary>Follows each spike, through the pool if there is one, to every weight that it meets.</summary>
        private void Count(int i, double[] spikes, int size, int next)
        {
            int outputs = i == 7 ? Classes : Weight(Layers[i + 1].Conv + ".bias").Length;
            for (int k = 0; k < spikes.Length; k++)
            {
                (int y, int x) = (k % (size * size) / size, k % (size * size) % size);
                (y, x) = next == size ? (y, x) : (y / 2, x / 2);
                if (spikes[k] == 0 || y >= next || x >= next)
                {
                    continue;
                }

                // The last map is 1×1, and the adaptive pool copies it to each of the classifier's 7×7 places.
                int places = i == 7 ? 49 : Neighbours((y * next) + x, next).Count();
                Operations[i] += places * outputs;
            }
        }

        private static double[] Pool(double[] x, int size)
        {
            int half = size / 2;
            double[] pooled = new double[x.Length / (size * size) * half * half];
            for (int k = 0; k < pooled.Length; k++)
            {
                int corner = (k / (half * half) * size * size) + (2 * (k % (half * half) / half) * size) + (2 * (k % half));
                pooled[k] = (x[corner] + x[corner + 1] + x[corner + size] + x[corner + size + 1]) / 4;
            }

            return pooled;
        }

        /// <summary>
        /// The pixels under a 3×3 kernel around a pixel, with the kernel's taps; the kernel is symmetric, so also those that use the
        /// pixel.
        /// </summary>
        private static IEnumerable<(int Pixel, int Tap)> Neighbours(int pixel, int size)
        {
            for (int tap = 0; tap < 9; tap++)
            {
                (int y, int x) = ((pixel / size) + (tap / 3) - 1, (pixel % size) + (tap % 3) - 1);
                if (y >= 0 && y < size && x >= 0 && x < size)
                {
                    yield return ((y * size) + x, tap);
                }
            }
        }
    }
}
