using SlttEngine.Graph;

namespace SlttEngine.Training;

/// <summary>Neighbouring time steps for which the same is done, side by side.</summary>
/// <param name="Kind">What is done.</param>
/// <param name="Steps">The steps.</param>
internal readonly record struct StepPass(StepKind Kind, StepRange Steps)
{
    /// <summary>
    /// The passes of an iteration, with neighbouring steps of one kind together: at most C of them, within C steps that begin at a
    /// multiple of C.
    /// </summary>
    /// <param name="passes">The passes, step by step.</param>
    /// <param name="stepsAtOnce">C.</param>
    public static List<StepPass> SideBySide(IEnumerable<(StepKind Kind, int T)> passes, int stepsAtOnce)
    {
        List<StepPass> together = [];
        foreach ((StepKind kind, int t) in passes)
        {
            if (together is [.., { } last] && last.Kind == kind && last.Steps.First / stepsAtOnce == t / stepsAtOnce)
            {
                (int first, int count) = last.Steps;
                if (t == first + count || t == first - 1)
                {
                    together[^1] = last with { Steps = new StepRange(Math.Min(first, t), count + 1) };
                    continue;
                }
            }

            together.Add(new StepPass(kind, StepRange.One(t)));
        }

        return together;
    }
}
