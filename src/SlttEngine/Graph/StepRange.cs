namespace SlttEngine.Graph;

/// <summary>Neighbouring time steps that go through an operation side by side.</summary>
/// <param name="First">The first.</param>
/// <param name="Count">How many.</param>
public readonly record struct StepRange(int First, int Count)
{
    /// <summary>One step.</summary>
    /// <param name="t">Which.</param>
    public static StepRange One(int t) => new(t, 1);

    /// <summary>The steps, in order.</summary>
    public IEnumerable<int> Steps => Enumerable.Range(First, Count);
}
