using SlttEngine.Device;
using SlttEngine.Graph;

namespace SlttEngine.Training;

/// <summary>What a run does when a parameter, a statistic or an optimiser state becomes NaN or infinite.</summary>
public enum NanAction
{
    /// <summary>It ends with an error; the last good checkpoint stays.</summary>
    Stop,

    /// <summary>It warns one time and trains on.</summary>
    Warn,
}

/// <summary>Stops a run whose numbers are no longer finite, or warns one time.</summary>
internal sealed class FiniteCheck : IDisposable
{
    private readonly TrainingOptions options;
    private readonly ITrainingObserver observer;
    private readonly NonFiniteSearch search;
    private string? lastGood;
    private bool diverged;
    private bool warned;

    /// <summary>Makes ready to look at a run's state.</summary>
    /// <param name="store">The parameters, with their memory.</param>
    /// <param name="options">The run's options.</param>
    /// <param name="observer">Is warned.</param>
    public FiniteCheck(ParameterStore store, TrainingOptions options, ITrainingObserver observer)
    {
        (this.options, this.observer) = (options, observer);
        search = new NonFiniteSearch(store, options.UsedOptimizer.StateNames);
    }

    private string Remedy => options.Type == ComputeType.Float16 ? "a lower -lr or --amp-dtype bf16 may help" : "a lower -lr may help";

    /// <summary>Looks at what a checkpoint gave the run.</summary>
    /// <param name="path">The checkpoint.</param>
    /// <exception cref="SlttException">It holds NaN or infinity, and the run is to stop on them.</exception>
    public void CheckLoaded(string path)
    {
        lastGood = path;
        if (search.Find() is not [_, ..] found)
        {
            return;
        }

        string message = $"{path}: {Describe(found)}: this checkpoint is of a run that had diverged";
        if (options.OnNan == NanAction.Stop)
        {
            throw new SlttException(
                ErrorKind.Data, message, "give an older checkpoint of the run; --on-nan warn begins with this one all the same");
        }

        diverged = true;
        observer.Warning(message);
    }

    /// <summary>Looks at the run's state.</summary>
    /// <param name="epoch">The epoch, from 0.</param>
    /// <param name="iteration">Iterations of it that are done.</param>
    /// <param name="iterations">Iterations of an epoch.</param>
    /// <returns>True if all numbers are finite.</returns>
    /// <exception cref="SlttException">They are not, and the run is to stop then.</exception>
    public bool Check(int epoch, int iteration, int iterations)
    {
        // What was NaN or infinite one time stays so: no second warning, and no second look.
        if (diverged || search.Find() is not [_, ..] found)
        {
            return !diverged;
        }

        string message = $"epoch {epoch}, iteration {iteration} of {iterations}: {Describe(found)}: the network has diverged";
        if (options.OnNan == NanAction.Stop)
        {
            (string kept, string from) = lastGood is null ? ("no checkpoint was saved before", string.Empty)
                : ($"{lastGood} is the last good checkpoint", ", from the start or with -pre_train of that checkpoint");
            throw new SlttException(ErrorKind.Usage, $"{message}; {kept}", $"{Remedy}{from}; --on-nan warn trains on");
        }

        diverged = true;
        observer.Warning($"{message}; it trains on (--on-nan warn), and {TrainingRun.BestCheckpoint} stays as it is");
        return false;
    }

    /// <summary>Remembers a checkpoint that was written.</summary>
    /// <param name="path">The file.</param>
    /// <param name="isFinite">Whether its numbers are finite.</param>
    public void Saved(string path, bool isFinite) => lastGood = isFinite ? path : lastGood;

    /// <summary>
    /// Warns of an epoch that taught nothing although all that is kept is finite. Only one time a run: the user may be away, and the log
    /// would fill.
    /// </summary>
    /// <param name="epoch">The epoch, from 0.</param>
    /// <param name="loss">Its mean training loss.</param>
    /// <param name="updates">Its updates.</param>
    /// <param name="skipped">Those of them that were skipped.</param>
    public void EpochFinished(int epoch, double loss, long updates, long skipped)
    {
        // float16's loss may overflow now and then: the loss scale skips that update.
        string? warning = updates > 0 && skipped == updates
            ? $"all {updates} updates were skipped, as gradients were not finite; if this goes on, {Remedy}"
            : skipped == 0 && !double.IsFinite(loss) ? $"the loss is not finite, though all parameters are; {Remedy}"
            : null;
        if (warning is not null && !warned && !diverged)
        {
            warned = true;
            observer.Warning($"epoch {epoch}: {warning}");
        }
    }

    /// <inheritdoc/>
    public void Dispose() => search.Dispose();

    private static string Kind(float value) => float.IsNaN(value) ? "NaN" : "infinity";

    private string Describe(IReadOnlyList<NonFiniteTensor> found)
    {
        string more = found.Count > 1 ? $" and in {found.Count - 1} more of {search.Tensors} tensors" : string.Empty;
        return $"{Kind(found[0].Value)} in {found[0].Name}{more}";
    }
}
