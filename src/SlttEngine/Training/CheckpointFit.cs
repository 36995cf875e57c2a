using SlttEngine.IO;

namespace SlttEngine.Training;

/// <summary>Compares a checkpoint that a run begins with to that run: what differs is said, and what can't be is refused.</summary>
internal static class CheckpointFit
{
    /// <summary>Says where the run differs; refuses to resume with other classes.</summary>
    /// <param name="checkpoint">What the run begins with.</param>
    /// <param name="given">The run's options as they were given.</param>
    /// <param name="run">The run.</param>
    /// <param name="observer">Receives a line for each difference.</param>
    /// <exception cref="SlttException">The classes' names differ in a run that is resumed.</exception>
    internal static void Compare(CheckpointFile checkpoint, TrainingOptions given, RunDescription run, ITrainingObserver observer)
    {
        if (given.Resume is null)
        {
            // A new run may well have other options; other classes are worth a line.
            if (!given.ResetHead && RunDescription.Read(checkpoint)?.OtherClass(run) is { } other)
            {
                observer.Warning($"{checkpoint.Path}: it was trained on other classes than the data have: {other}");
            }

            return;
        }

        run.CompareWith(checkpoint, evaluation: false, observer.Warning);
        if (given.Optimizer is { } optimizer && SavedOptimizer.ReadOptimizer(checkpoint) is { } saved && saved != optimizer)
        {
            observer.Warning($"{optimizer} holds, not the checkpoint's {saved} ({checkpoint.Path})");
        }

        if (given.LearningRate is { } own && !SavedOptimizer.HasBuiltInSchedule(checkpoint))
        {
            observer.Note($"{own.Name} holds: the lr_scheduler of {checkpoint.Path} is none of the built-in ones");
        }
        else if (given.LearningRate is { } rate && SavedOptimizer.ReadLearningRate(checkpoint) is { } savedRate && savedRate != rate)
        {
            observer.Warning($"{rate} holds, not the checkpoint's {savedRate} ({checkpoint.Path})");
        }
    }

    /// <summary>Refuses a place within an epoch that the data set has not, or that other samples led to.</summary>
    /// <param name="checkpoint">What is resumed.</param>
    /// <param name="position">Its place.</param>
    /// <param name="batches">Batches of an epoch.</param>
    /// <param name="samples">Training samples.</param>
    /// <exception cref="SlttException">The place can't be.</exception>
    internal static void RequirePlace(CheckpointFile checkpoint, RunPosition position, int batches, int samples)
    {
        if (position.Batches < 0 || position.Batches > batches)
        {
            throw SavedOptimizer.Refused(
                checkpoint, $"{position.Batches} batches of epoch {position.Epoch} are done, but an epoch of these data has {batches}");
        }

        if (position.Batches > 0 && RunDescription.Read(checkpoint)?.TrainSamples is { } before && before != samples)
        {
            throw SavedOptimizer.Refused(
                checkpoint, $"saved inside epoch {position.Epoch} of {before} training samples: it can't go on with {samples}");
        }
    }
}
