using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Engines;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Loggers;
using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using Perfolizer.Horology;

namespace SlttEngine.Bench;

/// <summary>How BenchmarkDotNet measures: in this process (the device is opened once, no SDK is needed), few iterations.</summary>
internal static class BenchConfig
{
    /// <summary>For kernels: 100 ms an iteration; half of that on a GPU, which is steadier, so that all of them take a minute.</summary>
    /// <param name="options">The options.</param>
    /// <param name="scratchFolder">For BenchmarkDotNet's own files.</param>
    public static IConfig Kernels(BenchOptions options, string scratchFolder) => Base(
        options,
        scratchFolder,
        TimeUnit.Microsecond,
        Job.Default.WithIterationTime(TimeInterval.FromMilliseconds(BenchSession.Current.Device.IsCpu ? 100 : 50)).WithWarmupCount(1)
            .WithIterationCount(7).WithUnrollFactor(1),
        new CaseColumn<KernelCase>(
            "GB/s", "Bytes that the kernel must move, a second", (c, s) => c.Bytes == 0 ? "-" : $"{c.Bytes / s / 1e9:F1}"),
        new CaseColumn<KernelCase>(
            "of copy", "GB/s beside the device's copy rate", (c, s) => c.Bytes == 0 ? "-"
                : $"{100 * BenchSession.Current.OfCopy(c, c.Bytes / s):F0} %"));

    /// <summary>For training: single iterations.</summary>
    /// <param name="options">The options.</param>
    /// <param name="scratchFolder">For BenchmarkDotNet's own files.</param>
    public static IConfig Training(BenchOptions options, string scratchFolder) => Base(
        options,
        scratchFolder,
        TimeUnit.Millisecond,
        Job.Default.WithStrategy(RunStrategy.Monitoring).WithWarmupCount(2).WithIterationCount(5).WithInvocationCount(1).WithUnrollFactor(
            1),
        new CaseColumn<TrainingCase>("samples/s", "Samples trained on, a second", (c, s) => $"{c.Options.BatchSize / s:F1}"),
        new CaseColumn<TrainingCase>(
            "device MB", "Peak device memory: all that the run planned and allocated",
            (c, _) => $"{BenchSession.Current.DeviceBytes[c] / 1e6:F2}"));

    private static ManualConfig Base(BenchOptions options, string scratchFolder, TimeUnit unit, Job job, params IColumn[] columns)
    {
        if (options.Smoke)
        {
            job = Job.Default.WithStrategy(RunStrategy.Monitoring).WithWarmupCount(0).WithIterationCount(1).WithInvocationCount(1)
                .WithUnrollFactor(1);
        }

        ManualConfig config = ManualConfig.CreateEmpty()
            .AddJob(job.WithLaunchCount(1).WithToolchain(InProcessEmitToolchain.Instance))
            .AddLogger(NullLogger.Instance)
            .AddColumn(StatisticColumn.Median, StatisticColumn.StdDev)
            .AddColumnProvider(DefaultColumnProviders.Params)
            .AddColumn(columns)
            .WithArtifactsPath(scratchFolder)
            .WithSummaryStyle(SummaryStyle.Default.WithMaxParameterColumnWidth(100).WithTimeUnit(unit))
            .WithOrderer(new CaseOrder(BenchSession.Current))
            .WithOptions(ConfigOptions.JoinSummary);
        return options.Smoke ? config.WithOptions(ConfigOptions.DisableOptimizationsValidator) : config;
    }
}
