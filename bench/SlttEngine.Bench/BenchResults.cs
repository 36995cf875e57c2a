using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Running;

namespace SlttEngine.Bench;

/// <summary>The results of a run as files: results.json, results.md, and a plot of time and memory against T.</summary>
internal sealed class BenchResults(BenchOptions options, BenchSession session, IReadOnlyList<Summary> summaries)
{
    private static readonly JsonSerializerOptions Json =
        new() { WriteIndented = true, PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    private sealed record KernelResult(string Kernel, double Seconds, long Bytes, double GigabytesPerSecond, double OfCopy);

    private sealed record TrainingResult(
        string Workload, string Method, int T, int Batch, double Seconds, double SamplesPerSecond, long DeviceBytes);

    private sealed record Results(
        string Date, string Machine, int Cores, string Device, double CopyGigabytesPerSecond, string Command,
        IReadOnlyList<KernelResult> Kernels, IReadOnlyList<TrainingResult> Training);

    /// <summary>Makes the folder: before anything is measured, so that no results are lost for the want of it.</summary>
    /// <exception cref="SlttException">It can't be made.</exception>
    public static void MakeFolder(string folder) => Guard(folder, () => Directory.CreateDirectory(folder));

    /// <summary>Writes the files.</summary>
    /// <exception cref="SlttException">The folder can't be written.</exception>
    public void Write(string folder)
    {
        Results results = Collect();
        Guard(folder, () =>
        {
            File.WriteAllText(Path.Combine(folder, "results.json"), JsonSerializer.Serialize(results, Json) + "\n");
            File.WriteAllText(Path.Combine(folder, "results.md"), Table(results));
            foreach (IGrouping<string, TrainingResult> workload in results.Training.GroupBy(r => r.Workload))
            {
                string name = string.Concat(workload.Key.Select(c => char.IsLetterOrDigit(c) ? c : '_'));
                File.WriteAllText(Path.Combine(folder, name + ".svg"), Plot(workload.Key, results.Device, [.. workload]));
            }
        });
    }

    private static void Guard(string folder, Action write)
    {
        try
        {
            write();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SlttException(ErrorKind.Data, $"can't write the results to {folder}: {e.Message.ReplaceLineEndings(" ")}", null, e);
        }
    }

    private Results Collect()
    {
        List<KernelResult> kernels = [];
        List<TrainingResult> training = [];
        foreach (Summary summary in summaries)
        {
            foreach (BenchmarkCase measured in summary.BenchmarksCases)
            {
                double seconds = CaseColumn<object>.Seconds(summary, measured);
                switch (measured.Parameters.Items[0].Value)
                {
                    case KernelCase kernel when !double.IsNaN(seconds):
                        double rate = kernel.Bytes / seconds;
                        kernels.Add(
                            new KernelResult(
                            kernel.Name, seconds, kernel.Bytes, rate / 1e9, kernel.Bytes == 0 ? 0 : session.OfCopy(kernel, rate)));
                        break;
                    case TrainingCase run when !double.IsNaN(seconds):
                        training.Add(new TrainingResult(
                            run.Workload, run.Method, run.Options.T, run.Options.BatchSize, seconds, run.Options.BatchSize / seconds,
                            session.DeviceBytes[run]));
                        break;
                }
            }
        }

        double[] copies = [.. session.CopyRates.Values.SelectMany(r => r).Order()];
        return new Results(
            DateTime.UtcNow.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
            $"{Processor()}, {RuntimeInformation.OSArchitecture}",
            Environment.ProcessorCount,
            session.Device.Name,
            copies.Length == 0 ? 0 : copies[copies.Length / 2] / 1e9,
            options.Command,
            kernels,
            training);
    }

    private static string Processor()
    {
        const string Info = "/proc/cpuinfo";
        string? line = File.Exists(Info) ? File.ReadLines(Info).FirstOrDefault(l => l.StartsWith("model name", StringComparison.Ordinal))
            : null;
        return line is null ? "unknown processor" : line[(line.IndexOf(':') + 1)..].Trim();
    }

    private static string Table(Results results)
    {
        StringWriter text = new(CultureInfo.InvariantCulture) { NewLine = "\n" };
        text.WriteLine($"# {results.Device}, {results.Date}");
        text.WriteLine();
        text.WriteLine($"{results.Machine}, {results.Cores} cores. `{results.Command}`");
        if (results.Kernels.Count > 0)
        {
            text.WriteLine();
            text.WriteLine(
                $"Copies memory at {results.CopyGigabytesPerSecond:F1} GB/s (median; each kernel is compared with the copies around it).");
            text.WriteLine();
            text.WriteLine("| kernel | time, µs | moved, MB | GB/s | of copy |");
            text.WriteLine("|---|---:|---:|---:|---:|");
            foreach (KernelResult k in results.Kernels)
            {
                string moved = k.Bytes == 0 ? "| | |" : $"{k.Bytes / 1e6:F1} | {k.GigabytesPerSecond:F1} | {100 * k.OfCopy:F0} % |";
                text.WriteLine($"| {k.Kernel} | {k.Seconds * 1e6:F1} | {moved}");
            }
        }

        foreach (IGrouping<string, TrainingResult> workload in results.Training.GroupBy(r => r.Workload))
        {
            text.WriteLine();
            text.WriteLine($"## {workload.Key}");
            text.WriteLine();
            text.WriteLine("| method | T | iteration, ms | samples/s | device memory, MB |");
            text.WriteLine("|---|---:|---:|---:|---:|");
            foreach (TrainingResult r in workload)
            {
                text.WriteLine($"| {r.Method} | {r.T} | {r.Seconds * 1e3:F1} | {r.SamplesPerSecond:F1} | {r.DeviceBytes / 1e6:F2} |");
            }
        }

        return text.ToString();
    }

    private static string Plot(string workload, string device, IReadOnlyList<TrainingResult> results)
    {
        List<SvgPlot.Series> Of(Func<TrainingResult, double> value) =>
            [.. results.GroupBy(r => r.Method).Select(
                m => new SvgPlot.Series(m.Key, [.. m.OrderBy(r => r.T).Select(r => ((double)r.T, value(r)))]))];
        return SvgPlot.Render(
            $"{workload} on {device}",
            "time steps T",
            [("device memory, MB", Of(r => r.DeviceBytes / 1e6)), ("time of an iteration, s", Of(r => r.Seconds))]);
    }
}
