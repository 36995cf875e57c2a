using SlttEngine.Cli.Options;
using SlttEngine.Device;

namespace SlttEngine.Bench;

/// <summary>One training iteration to time.</summary>
/// <param name="Options">The run's options.</param>
public sealed record TrainingCase(TrainOptions Options)
{
    /// <summary>Where the time goes up with T: the method's name as users know it.</summary>
    public string Method => MethodTable.Find(Options.Method).Title(Options);

    /// <summary>Everything but method and T.</summary>
    public string Workload => $"{Options.Model} {Options.Dataset} b{Options.BatchSize}"
        + (Options.WidthDivisor == 1 ? "" : $" 1/{Options.WidthDivisor} width") + $" {Options.ComputeType.Suffix()}";

    /// <inheritdoc/>
    public override string ToString() => $"{Workload} {Method} T={Options.T}";
}
