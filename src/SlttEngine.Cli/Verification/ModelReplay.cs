using System.Runtime.InteropServices;
using SlttEngine.Device;
using SlttEngine.Graph;
using SlttEngine.Layers;
using SlttEngine.Models;
using SlttEngine.Training;

namespace SlttEngine.Cli.Verification;

/// <summary>Replays a model's recorded training iterations and evaluation.</summary>
internal static class ModelReplay
{
    public static VerificationReport Run(ComputeDevice device, RecordedFile recorded, ReplayOptions options)
    {
        bool dynamic = recorded.Flag("dynamic");
        int[] shape = recorded.Shape("input");
        int[] frame = shape[^4..];
        (int batch, int channels, int height, int width, int steps) = (frame[0], frame[1], frame[2], frame[3], recorded.Integer("T"));
        Network network = ModelCatalog.Build(
            recorded.Text("model"),
            new ModelOptions(
                recorded.Integer("classes"), channels, height, width, (float)recorded.Number("drop_rate"),
                recorded.Integer("width_divisor"), options.BatchNorm));
        int stepsAtOnce = options.StepsAtOnce == 0 ? steps : Math.Min(options.StepsAtOnce, steps);
        GroupCollector groups = new();
        CompareNames(recorded, network, groups);

        float[] ones = [.. Enumerable.Repeat(1f, channels)];
        InputFormat.Frames format = new("f32", dynamic ? steps : 1, ones, new float[channels]);
        Method method = RecordedNames.Method(recorded);
        using TrainingEngine engine = new(device, network, new EngineOptions
        {
            Method = method,
            Steps = steps,
            StepsAtOnce = stepsAtOnce,
            EvaluationStepsAtOnce = stepsAtOnce,
            Neuron = new NeuronOptions(recorded.Number("tau"), RecordedNames.Surrogate(recorded), (float)recorded.Number("v_threshold")),
            Loss = RecordedNames.Loss(recorded),
            Optimizer = RecordedNames.Optimizer(recorded),
            TrainInput = format,
            TestInput = format,
            StaticInput = !dynamic,
            FastMath = options.FastMath,
            SplitTf32 = options.SplitTf32,
            Recompute = options.Recompute,
            TrainBatches = [batch],
            TestBatches = [batch],
        });

        float[] input = recorded.Floats("input");
        int[] labels = [.. recorded.Integers("labels").Select(l => (int)l)];
        Load(engine.Store, recorded, "init.");
        double[] rates = recorded.Json<double[]>("learning_rates");
        int[][] chosen = recorded.Json<int[][]>("chosen_steps");
        for (int i = 0; i < recorded.Integer("iterations"); i++)
        {
            if (method is RecordedSlttK slttk)
            {
                slttk.Chosen = chosen[i];
            }

            Iteration(engine, recorded, groups, $"iter{i}", input, labels, rates[i]);
        }

        CompareFinal(engine.Store, recorded, groups);
        Load(engine.Store, recorded, "final.");
        engine.Evaluate(MemoryMarshal.AsBytes<float>(input), labels);
        groups.Near(
            "eval.total_fr", "eval.total_fr", engine.Program(training: false, batch).ReadTotal(), recorded.Floats("eval.total_fr"),
            Tolerances.Outputs);
        groups.Near("eval.loss", "eval.loss", [MeanLoss(engine)], recorded.Floats("eval.loss"), Tolerances.Outputs);
        int together = engine.Program(training: true, batch).Shape.StepsAtOnce;
        return new VerificationReport(
            recorded.Path,
            $"{network.Model} / {recorded.Integer("width_divisor")}, {recorded.Text("method")}, T = {steps}, batch {batch}, "
                + $"{recorded.Text("optimizer")}, {recorded.Text("surrogate")}"
                + (together > 1 ? $", {together} steps side by side" : string.Empty),
            groups.Results, groups.Checksums);
    }

    private static void Iteration(
        TrainingEngine engine, RecordedFile recorded, GroupCollector groups, string prefix, float[] input, int[] labels, double rate)
    {
        NetworkProgram program = engine.Program(training: true, labels.Length);
        engine.TrainIteration(MemoryMarshal.AsBytes<float>(input), labels, rate, t =>
        {
            string name = $"{prefix}.out_t{t}";
            groups.Near(prefix + ".out", name, program.ReadLogits(t), recorded.Floats(name), Tolerances.Outputs);
        });
        groups.Near(
            prefix + ".total_fr", prefix + ".total_fr", program.ReadTotal(), recorded.Floats(prefix + ".total_fr"), Tolerances.Outputs);
        groups.Near(prefix + ".loss", prefix + ".loss", [MeanLoss(engine)], recorded.Floats(prefix + ".loss"), Tolerances.Outputs);

        double largest = engine.Network.Parameters.Max(p => Norm(recorded.Floats($"{prefix}.grad.{p.Name}")));
        foreach (Parameter parameter in engine.Network.Parameters)
        {
            string name = $"{prefix}.grad.{parameter.Name}";
            groups.Near(
                prefix + ".grad",
                name,
                engine.Store.GetGradient(parameter),
                recorded.Floats(name),
                IsNormaliserFree(engine.Network) ? Tolerances.NormaliserFree : Tolerances.Gradients,
                largest * Tolerances.GradientFloor);
        }
    }

    private static void CompareNames(RecordedFile recorded, Network network, GroupCollector groups)
    {
        IReadOnlyList<(string Name, int[] Shape)> expected = recorded.StateDict();
        Dictionary<string, int[]> shapes = network.Parameters.ToDictionary(p => p.Name, p => p.Shape);
        foreach (StatisticsBuffer buffer in network.Statistics)
        {
            shapes.Add(buffer.Name, buffer.IsCounter ? [] : [buffer.Count]);
        }

        bool same = expected.Select(e => e.Name).SequenceEqual(network.StateNames)
            && expected.All(e => shapes[e.Name].SequenceEqual(e.Shape));
        groups.Equal("state_dict names, shapes, order", "state_dict", [same ? 1L : 0L], [1L]);
    }

    private static void CompareFinal(ParameterStore store, RecordedFile recorded, GroupCollector groups)
    {
        HashSet<string> skipped = [.. recorded.Json<string[]>("not_reproducible")];
        HashSet<string> noise = [.. recorded.Json<string[]>("noise_parameters")];
        double tolerance = IsNormaliserFree(store.Network) ? Tolerances.NormaliserFree : Tolerances.Final;
        foreach (Parameter parameter in store.Network.Parameters.Where(p => !skipped.Contains("final." + p.Name)))
        {
            // If the true gradient is zero, rounding alone moved the parameter. A parameter that began at zero is then rounding alone.
            float[] expected = recorded.Floats("final." + parameter.Name);
            double floor = noise.Contains(parameter.Name) ? Tolerances.Final * Math.Sqrt(parameter.Count) * 1e-2 : 0;
            groups.Near("final parameters", "final." + parameter.Name, store.GetWeight(parameter), expected, tolerance, floor);
        }

        foreach (StatisticsBuffer buffer in store.Network.Statistics.Where(s => !skipped.Contains("final." + s.Name)))
        {
            if (buffer.IsCounter)
            {
                groups.Equal(
                    "final num_batches_tracked", "final."
                    + buffer.Name, [store.GetCounter(buffer)], recorded.Integers("final." + buffer.Name));
            }
            else
            {
                groups.Near(
                    "final statistics", "final."
                    + buffer.Name, store.GetStatistic(buffer), recorded.Floats("final." + buffer.Name), tolerance);
            }
        }
    }

    private static void Load(ParameterStore store, RecordedFile recorded, string prefix)
    {
        foreach (Parameter parameter in store.Network.Parameters)
        {
            store.SetWeight(parameter, recorded.Floats(prefix + parameter.Name));
        }

        foreach (StatisticsBuffer buffer in store.Network.Statistics)
        {
            if (buffer.IsCounter)
            {
                store.SetCounter(buffer, recorded.Integers(prefix + buffer.Name)[0]);
            }
            else
            {
                store.SetStatistic(buffer, recorded.Floats(prefix + buffer.Name));
            }
        }
    }

    private static float MeanLoss(TrainingEngine engine)
    {
        BatchMetrics metrics = engine.WaitForMetrics();
        return (float)(metrics.Loss / metrics.Samples);
    }

    private static bool IsNormaliserFree(Network network) => network.Statistics.Count == 0;

    private static double Norm(float[] values) => Math.Sqrt(values.Sum(v => (double)v * v));
}
