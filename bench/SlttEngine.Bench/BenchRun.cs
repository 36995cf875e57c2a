using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Exporters;
using BenchmarkDotNet.Loggers;
using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Running;
using SlttEngine.Device;

namespace SlttEngine.Bench;

/// <summary>Opens the device, runs what is asked for, shows and writes the results.</summary>
internal sealed class BenchRun(BenchOptions options, TextWriter output)
{
    /// <summary>Runs; false if a benchmark failed.</summary>
    public bool Run()
    {
        if (options.Out is not null)
        {
            BenchResults.MakeFolder(options.Out);
        }

        using ComputeDevice device = ComputeDevice.Open(options.Device, out string reason);
        output.WriteLine($"device: {device.Name} ({reason})");
        using CopyRate copy = new(device, options.Smoke);
        if (options.Smoke)
        {
            output.WriteLine("smoke sizes: in caches, once; the figures say that it runs, not how fast");
        }

        BenchSession session = new(
            device,
            copy,
            options.Kernels ? [.. KernelCases.For(device, options.Types ?? Enum.GetValues<ComputeType>(), options.Smoke).Where(Wanted)]
                : [],
            options.Training ? TrainingCases.For(device, options, output) : [])
        {
            Footprint = options.Smoke ? 0 : 2 * CacheSize.Of(device),
        };
        BenchSession.Current = session;
        if (session.KernelCases.Count + session.TrainingCases.Count == 0)
        {
            throw new SlttException(ErrorKind.Usage, $"no benchmark's name contains '{options.Filter}'");
        }

        List<Summary> summaries = [];
        string scratch = Directory.CreateTempSubdirectory("sltt-bench-").FullName;
        try
        {
            if (session.KernelCases.Count > 0)
            {
                summaries.Add(Run<KernelBenchmarks>(session.KernelCases.Count, BenchConfig.Kernels(options, scratch)));
            }

            if (session.TrainingCases.Count > 0)
            {
                summaries.Add(Run<TrainingBenchmarks>(session.TrainingCases.Count, BenchConfig.Training(options, scratch)));
            }
        }
        finally
        {
            Directory.Delete(scratch, recursive: true);
        }

        if (options.Out is not null)
        {
            new BenchResults(options, session, summaries).Write(options.Out);
            output.WriteLine($"results in {options.Out}");
        }

        return summaries.TrueForAll(s => s.Reports.All(r => r.Success));
    }

    private bool Wanted(KernelCase kernel) => kernel.Name.Contains(options.Filter, StringComparison.OrdinalIgnoreCase);

    private Summary Run<T>(int cases, IConfig config)
    {
        output.WriteLine($"{typeof(T).Name}: {cases} cases");
        Summary summary = BenchmarkRunner.Run<T>(config);
        AccumulationLogger table = new();
        MarkdownExporter.Console.ExportToLog(summary, table);
        output.WriteLine(table.GetLog());
        foreach (
            string error in summary.ValidationErrors.Where(e => e.IsCritical).Select(e => e.Message).Concat(
            BenchSession.Current.Failures.Distinct()))
        {
            output.WriteLine("failed: " + error.ReplaceLineEndings(" "));
        }

        BenchSession.Current.Failures.Clear();

        return summary;
    }
}
