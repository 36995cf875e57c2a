using System.Collections.Immutable;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Order;
using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Running;

namespace SlttEngine.Bench;

/// <summary>Runs and shows the cases in the order of their table.</summary>
internal sealed class CaseOrder : DefaultOrderer
{
    private readonly Dictionary<object, int> places;

    /// <summary>Orders the session's cases.</summary>
    public CaseOrder(BenchSession session) => places = session.KernelCases.Cast<object>().Concat(session.TrainingCases)
        .Select((found, place) => (found, place)).ToDictionary(p => p.found, p => p.place);

    /// <inheritdoc/>
    public override IEnumerable<BenchmarkCase> GetExecutionOrder(
        ImmutableArray<BenchmarkCase> benchmarksCase, IEnumerable<BenchmarkLogicalGroupRule>? order = null) =>
        benchmarksCase.OrderBy(Place);

    /// <inheritdoc/>
    public override IEnumerable<BenchmarkCase> GetSummaryOrder(ImmutableArray<BenchmarkCase> benchmarksCases, Summary summary) =>
        benchmarksCases.OrderBy(Place);

    private int Place(BenchmarkCase benchmarkCase) => places[benchmarkCase.Parameters.Items[0].Value];
}
