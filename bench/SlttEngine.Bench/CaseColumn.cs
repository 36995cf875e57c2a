using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Running;

namespace SlttEngine.Bench;

/// <summary>A column computed from a case and its median time.</summary>
/// <param name="name">Its heading.</param>
/// <param name="legend">What it shows.</param>
/// <param name="value">From case and median seconds to text.</param>
internal sealed class CaseColumn<TCase>(string name, string legend, Func<TCase, double, string> value) : IColumn
    where TCase : class
{
    /// <inheritdoc/>
    public string Id => nameof(CaseColumn<TCase>) + "." + ColumnName;

    /// <inheritdoc/>
    public string ColumnName => name;

    /// <inheritdoc/>
    public bool AlwaysShow => true;

    /// <inheritdoc/>
    public ColumnCategory Category => ColumnCategory.Custom;

    /// <inheritdoc/>
    public int PriorityInCategory => 0;

    /// <inheritdoc/>
    public bool IsNumeric => true;

    /// <inheritdoc/>
    public UnitType UnitType => UnitType.Dimensionless;

    /// <inheritdoc/>
    public string Legend => legend;

    /// <summary>Median seconds of a case; NaN if it failed.</summary>
    public static double Seconds(Summary summary, BenchmarkCase benchmarkCase) =>
        (summary[benchmarkCase]?.ResultStatistics?.Median ?? double.NaN) / 1e9;

    /// <inheritdoc/>
    public string GetValue(Summary summary, BenchmarkCase benchmarkCase)
    {
        double seconds = Seconds(summary, benchmarkCase);
        return benchmarkCase.Parameters.Items.Select(p => p.Value).OfType<TCase>().FirstOrDefault() is { } found && !double.IsNaN(seconds)
            ? value(found, seconds) : "-";
    }

    /// <inheritdoc/>
    public string GetValue(Summary summary, BenchmarkCase benchmarkCase, SummaryStyle style) => GetValue(summary, benchmarkCase);

    /// <inheritdoc/>
    public bool IsAvailable(Summary summary) => true;

    /// <inheritdoc/>
    public bool IsDefault(Summary summary, BenchmarkCase benchmarkCase) => false;
}
