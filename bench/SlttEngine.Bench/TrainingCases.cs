using SlttEngine.Cli.Options;
using SlttEngine.Device;
using SlttEngine.Training;

namespace SlttEngine.Bench;

/// <summary>Training iterations: methods over T, for each model on data of the shape it is for.</summary>
internal static class TrainingCases
{
    private sealed record Workload(string Model, string Dataset, int Batch, int Width);

    private static readonly Workload[] OnGpu =
    [
        new("spiking_resnet18", "cifar10", 128, 1),
        new("spiking_vgg11_bn", "dvsgesture", 16, 1),
        new("spiking_nfresnet34", "imagenet", 64, 1),
    ];

    private static readonly Workload[] OnCpu =
    [
        new("spiking_resnet18", "cifar10", 8, 4),
        new("spiking_vgg11_bn", "DVSCIFAR10", 8, 4),
        new("spiking_nfresnet34", "cifar10", 8, 4),
    ];

    private static readonly int[] Steps = [1, 2, 4, 6, 12, 24, 48];

    /// <summary>The cases that the device has memory for; says which it has not.</summary>
    public static IReadOnlyList<TrainingCase> For(ComputeDevice device, BenchOptions bench, TextWriter output)
    {
        Workload[] usual = device.IsCpu ? OnCpu : OnGpu;
        IEnumerable<Workload> workloads = bench.Models is null
            ? usual.Take(bench.Smoke ? 2 : usual.Length)
            : bench.Models.Select(m => usual.FirstOrDefault(w => w.Model == m) ?? usual[0] with { Model = m });
        List<TrainingCase> cases = [];
        foreach (Workload workload in workloads)
        {
            foreach (ComputeType type in bench.Types ?? [ComputeType.Float32])
            {
                foreach (string method in bench.Methods)
                {
                    foreach (int steps in bench.Steps ?? (bench.Smoke ? [1, 3] : Steps))
                    {
                        Add(device, bench, output, workload, type, method, steps, cases);
                    }
                }
            }
        }

        return cases;
    }

    private static void Add(
        ComputeDevice device, BenchOptions bench, TextWriter output, Workload workload, ComputeType type, string method, int steps,
        List<TrainingCase> cases)
    {
        const int BackwardSteps = 2;
        if (method == MethodTable.SlttK && steps <= BackwardSteps)
        {
            return; // the same as SLTT
        }

        TrainOptions options = new()
        {
            Model = workload.Model,
            Dataset = workload.Dataset,
            T = steps,
            Method = method,
            K = BackwardSteps,
            BatchSize = bench.Batch ?? (bench.Smoke ? 2 : workload.Batch),
            WidthDivisor = bench.Width ?? (bench.Smoke ? 16 : workload.Width),
            Amp = type != ComputeType.Float32,
            AmpType = type == ComputeType.Float32 ? ComputeType.Float16 : type,
        };
        TrainingCase candidate = new(options.Validate());
        if (!candidate.ToString().Contains(bench.Filter, StringComparison.OrdinalIgnoreCase))
        {
            return;
        }

        long needed = MemoryPlan.For(device, RunFactory.Training(candidate.Options), RunFactory.Format(candidate.Options)).Total;
        if (needed > (long)(ulong)device.Context.GetFreeDeviceMemorySize())
        {
            output.WriteLine($"left out, needs {needed / 1e9:F1} GB: {candidate}");
            return;
        }

        cases.Add(candidate);
    }
}
