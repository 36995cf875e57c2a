using SlttEngine.Device;
using SlttEngine.Training;

namespace SlttEngine.Bench;

/// <summary>One training iteration to time.</summary>
/// <param name="Options">The run's options.</param>
public sealed record TrainingCase(TrainOptions Options)
{
    /// <summary>Where the time goes up with T: the method's name as users know it.</summary>
    public string Method => Options.Method switch
    {
        TrainingMethod.SlttK => $"SLTT-{Options.K}",
        TrainingMethod.Bptt => "BPTT",
        _ => "SLTT",
    };

    /// <summary>Everything but method and T.</summary>
    public string Workload => $"{Options.Model} {Options.Dataset} b{Options.BatchSize}"
        + (Options.WidthDivisor == 1 ? "" : $" 1/{Options.WidthDivisor} width") + $" {Options.ComputeType.Suffix()}";

    /// <inheritdoc/>
    public override string ToString() => $"{Workload} {Method} T={Options.T}";
}
