using System.Globalization;
using SlttEngine.Cli.Options;
using SlttEngine.Device;
using SlttEngine.Training;
using Spectre.Console;

namespace SlttEngine.Cli.Commands;

/// <summary>Plans a run without allocating: memory by kind and layer, the largest batch, the least time of an iteration.</summary>
internal sealed class PlanCommand : Command
{
    /// <summary>Layers with less than this share of the layers' memory are shown together.</summary>
    private const double SmallShare = 0.005;

    private readonly TrainOptionSet set = new(new TrainOptions());
    private bool json;

    internal PlanCommand() => Options =
    [
        .. set.Options,
        new CliOption("json", null, "the result as JSON, in bytes and seconds", _ => json = true),
    ];

    /// <inheritdoc/>
    internal override IReadOnlyList<CliOption> Options { get; }

    /// <inheritdoc/>
    internal override int Run(CliContext context, IReadOnlyList<string> positionals)
    {
        TrainOptions options = set.Read();
        using ComputeDevice device = ComputeDevice.Open(options.Device, out _);
        long limit = RunFactory.Training(options).MemoryLimitOn(device);
        DeviceRates rates = DeviceRates.Measure(device, options.ComputeType);
        List<Planned> plans = [];
        foreach (string method in MethodTable.Names)
        {
            context.Stop.ThrowIfCancellationRequested();
            TrainOptions variant = options with { Method = method, K = Math.Min(options.K, options.T) };
            RunPlan plan = RunFactory.Plan(device, variant);
            plans.Add(new Planned(method, plan, plan.Work.Seconds(rates), plan.LargestBatch(device, limit)));
        }

        Planned chosen = plans.Single(p => p.Method == options.Method);
        List<RunPlan> variants = [.. chosen.Plan.Variants(device)];
        if (json)
        {
            JsonOutput.Write(context, AsJson(device, options, rates, limit, plans, chosen, variants));
        }
        else
        {
            Show(context, device, options, rates, limit, plans, chosen);
            ShowVariants(context, options.Method, rates, limit, variants);
        }

        return 0;
    }

    private static void Show(
        CliContext context, ComputeDevice device, TrainOptions options, DeviceRates rates, long limit, List<Planned> plans, Planned chosen)
    {
        context.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"device: {device.Name}; computes {rates.Flops / 1e12:0.###} TFLOP/s in {options.ComputeType.Suffix()}, copies "
                + $"{rates.Bandwidth / 1e9:0.#} GB/s (measured now)"));
        context.WriteLine(
            $"{options.Model}, {options.Dataset}, T = {options.T}, batch {options.BatchSize}, K = {Math.Min(options.K, options.T)}; "
                + "planned, nothing of it is allocated");
        Table table = Rows(["MiB", .. plans.Select(p => p.Method)]);
        void Kind(string name, Func<RunPlan, long> bytes) => table.AddRow([name, .. plans.Select(p => MiB(bytes(p.Plan)))]);
        Kind("weights", p => p.Training.Weights);
        Kind("gradients", p => p.Training.Gradients);
        Kind("optimizer", p => p.Training.Optimizer);
        Kind("statistics", p => p.Training.Statistics);
        Kind("state", p => p.Training.State);
        Kind("saved", p => p.Training.Saved);
        Kind("batch", p => p.Training.Batch);
        Kind("scratch, shared", p => p.Training.Scratch);
        Kind("  of it cuDNN workspace, at most", p => p.Training.Workspace);
        Kind("training iteration", p => p.Training.Total);
        Kind("evaluation (same memory)", p => p.EvaluationArena);
        Kind("images on the device", p => p.Images);
        Kind("the whole run", p => p.Total);
        table.AddRow(
            [$"largest batch in {Units.Bytes(limit)}", .. plans.Select(p => p.LargestBatch.ToString(CultureInfo.InvariantCulture))]);
        table.AddRow(
            [(device.IsCpu ? "an iteration computed in full" : "floor of an iteration: computing"),
            .. plans.Select(p => Milliseconds(p.Seconds.Compute))]);
        table.AddRow(["  moving memory", .. plans.Select(p => Milliseconds(p.Seconds.Memory))]);
        table.AddRow(["  one after the other", .. plans.Select(p => Milliseconds(p.Seconds.Compute + p.Seconds.Memory))]);
        context.Console.Write(table);
        if (device.IsCpu)
        {
            context.WriteLine(
                "the CPU device computes only what fired, so an iteration may take less than computed in full: sltt bench times it");
        }

        context.WriteLine($"by layer, {chosen.Method}:");
        Table layers = Rows(["MiB", "weights", "gradients", "optimizer", "state", "saved", "workspace"]);
        long all = chosen.Plan.Training.Layers.Sum(l => l.Total);
        void Layer(LayerMemory l) => layers.AddRow(
            Markup.Escape(l.Name), MiB(l.Weights), MiB(l.Gradients), MiB(l.Optimizer), MiB(l.State), MiB(l.Saved), MiB(l.Workspace));
        LayerMemory small = new("(smaller ones)");
        foreach (LayerMemory l in chosen.Plan.Training.Layers)
        {
            if (l.Total >= all * SmallShare)
            {
                Layer(l);
            }
            else
            {
                small = new LayerMemory(
                    small.Name,
                    small.Weights + l.Weights,
                    small.Gradients + l.Gradients,
                    small.Optimizer + l.Optimizer,
                    small.Statistics + l.Statistics,
                    small.State + l.State,
                    small.Saved + l.Saved,
                    Math.Max(small.Workspace, l.Workspace));
            }
        }

        Layer(small);
        context.Console.Write(layers);
    }

    private static void ShowVariants(CliContext context, string method, DeviceRates rates, long limit, List<RunPlan> variants)
    {
        string largest = variants.Find(p => p.Total <= limit && !p.Options.Recompute)?.Options.StepsAtOnce
            .ToString(CultureInfo.InvariantCulture) ?? "none";
        context.WriteLine($"{method} with C time steps side by side (-steps_at_once C; largest in {Units.Bytes(limit)}: {largest}):");
        Table table = Rows(["C", "the whole run, MiB", "training, MiB", "evaluation, MiB", "computing", "moving memory", "launches"]);
        foreach (RunPlan plan in variants)
        {
            (double compute, double move) = plan.Work.Seconds(rates);
            table.AddRow(
                plan.Options.StepsAtOnce.ToString(CultureInfo.InvariantCulture) + (plan.Options.Recompute ? " -recompute" : string.Empty),
                MiB(plan.Total),
                MiB(plan.Training.Total),
                MiB(plan.EvaluationArena),
                Milliseconds(compute),
                Milliseconds(move),
                plan.Work.Launches.ToString("#,##0", CultureInfo.InvariantCulture));
        }

        context.Console.Write(table);
    }

    private static object AsJson(
        ComputeDevice device,
        TrainOptions options,
        DeviceRates rates,
        long limit,
        List<Planned> plans,
        Planned chosen,
        List<RunPlan> variants) => new
        {
            Options = options.ToArgsText(),
            Device = device.Name,
            rates.Flops,
            CopyBytesPerSecond = rates.Bandwidth,
            MemoryLimit = limit,
            chosen.Method,
            chosen.Plan.Training.Layers,
            Plans = plans.ToDictionary(p => p.Method, p => new
            {
                p.Plan.Training.Weights,
                p.Plan.Training.Gradients,
                p.Plan.Training.Optimizer,
                p.Plan.Training.Statistics,
                p.Plan.Training.State,
                p.Plan.Training.Saved,
                p.Plan.Training.Batch,
                p.Plan.Training.Scratch,
                p.Plan.Training.Workspace,
                TrainingBytes = p.Plan.Training.Total,
                EvaluationBytes = p.Plan.EvaluationArena,
                ImageBytes = p.Plan.Images,
                TotalBytes = p.Plan.Total,
                p.LargestBatch,
                p.Plan.Work.MultiplyAdds,
                MovedBytes = p.Plan.Work.Bytes,
                ComputeInFullSeconds = p.Seconds.Compute,
                MoveMemorySeconds = p.Seconds.Memory,
            }),
            Variants = variants.Select(p => new
            {
                p.Options.StepsAtOnce,
                p.Options.Recompute,
                TotalBytes = p.Total,
                TrainingBytes = p.Training.Total,
                EvaluationBytes = p.EvaluationArena,
                ComputeInFullSeconds = p.Work.Seconds(rates).Compute,
                MoveMemorySeconds = p.Work.Seconds(rates).Memory,
                p.Work.Launches,
            }),
        };

    private static Table Rows(IEnumerable<string> columns)
    {
        Table table = new Table().Border(TableBorder.Rounded);
        foreach (string column in columns)
        {
            TableColumn added = new(column);
            table.AddColumn(table.Columns.Count == 0 ? added : added.RightAligned());
        }

        return table;
    }

    private static string MiB(long bytes) => (bytes / (double)(1 << 20)).ToString("#,##0.00", CultureInfo.InvariantCulture);

    private static string Milliseconds(double seconds) => (1e3 * seconds).ToString("0.00", CultureInfo.InvariantCulture) + " ms";

    private sealed record Planned(string Method, RunPlan Plan, (double Compute, double Memory) Seconds, int LargestBatch);
}
