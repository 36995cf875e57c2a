using SlttEngine.Cli.Options;
using SlttEngine.Training;

namespace SlttEngine.Cli;

/// <summary>Shows a run of the command line.</summary>
internal interface IRunView : ITrainingObserver
{
    /// <summary>Says what is run, for the lines of <see cref="ITrainingObserver.RunStarted"/>.</summary>
    /// <param name="runOptions">The run's options.</param>
    /// <param name="reason">Why this device, in one line.</param>
    void Describe(TrainOptions runOptions, string reason);

    /// <summary>Shows a step before the run that takes a while.</summary>
    /// <param name="message">One line, which replaces the one before; may come from any thread.</param>
    void Preparing(string message);
}
