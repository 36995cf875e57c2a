namespace SlttEngine.Training;

/// <summary>Names the layers whose neurons never fired in an epoch's test pass, or always; each one time a run.</summary>
/// <param name="engine">Its evaluations note which layers fire.</param>
/// <param name="observer">Is warned.</param>
internal sealed class FiringCheck(TrainingEngine engine, ITrainingObserver observer)
{
    private readonly HashSet<string> named = [];

    /// <summary>To be called before a test pass.</summary>
    public void Begin() => engine.FiringFlags!.Clear();

    /// <summary>To be called after a whole test pass.</summary>
    /// <param name="epoch">The epoch, from 0.</param>
    public void End(int epoch)
    {
        if (!engine.HasRunningStatistics)
        {
            return;
        }

        IReadOnlyList<(string Layer, bool Fired, bool Silent)> layers = engine.FiringFlags!.Read();
        Warn(
            epoch, layers.Where(l => l.Silent && !l.Fired), "did not fire once",
            "what a silent layer reads is lost; a lower -lr or a larger -tau may help");
        Warn(
            epoch, layers.Where(l => l.Fired && !l.Silent), "fired in every neuron and step",
            "what such a layer reads is lost; a lower -lr or a smaller -tau may help");
    }

    private void Warn(int epoch, IEnumerable<(string Layer, bool Fired, bool Silent)> layers, string what, string remedy)
    {
        string[] fresh = [.. layers.Select(l => l.Layer).Where(named.Add)];
        if (fresh.Length > 0)
        {
            observer.Warning($"{string.Join(", ", fresh)} {what} in epoch {epoch}'s test pass: {remedy}");
        }
    }
}
