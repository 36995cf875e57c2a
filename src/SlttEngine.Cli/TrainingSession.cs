using SlttEngine.Cli.Options;
using SlttEngine.Data;
using SlttEngine.Device;
using SlttEngine.Training;

namespace SlttEngine.Cli;

/// <summary>A training run of the command line: opens data and device, then trains.</summary>
internal sealed class TrainingSession : IDisposable
{
    private readonly IDataSet train;
    private readonly IDataSet test;
    private readonly ComputeDevice device;

    /// <summary>Opens data and device, builds the network and plans all memory.</summary>
    /// <param name="options">The options.</param>
    /// <param name="view">Shows the run.</param>
    /// <param name="arguments">What sltt was called with.</param>
    /// <exception cref="SlttException">An option, the data or the device can't be used.</exception>
    internal TrainingSession(TrainOptions options, IRunView view, IReadOnlyList<string> arguments)
    {
        options.Validate();
        (train, test) = options.Data.Open(options.DataDir, RunFactory.Data(options, view.Preparing));
        device = ComputeDevice.Open(options.Device, out string reason);
        view.Describe(options, reason);
        TrainingOptions training = RunFactory.Training(options) with { Command = Command(arguments) };
        TrainingRun = new TrainingRun(
            device, options.Resume is null ? training : training with { Optimizer = null, LearningRate = null }, train, test, view);
    }

    /// <summary>The run.</summary>
    internal TrainingRun TrainingRun { get; }

    /// <summary>Runs in the view, then frees everything.</summary>
    /// <param name="options">The options.</param>
    /// <param name="view">Shows the run.</param>
    /// <param name="context">Its arguments, and who asks the run to end.</param>
    internal static void Run(TrainOptions options, IRunView view, CliContext context)
    {
        using TrainingSession session = new(options, view, context.Arguments);
        session.TrainingRun.Run(context.Stop);
    }

    /// <summary>The command line as it could be pasted, but for the folders of absolute paths.</summary>
    /// <param name="arguments">What sltt was called with.</param>
    internal static string Command(IReadOnlyList<string> arguments) => string.Join(' ', arguments.Prepend("sltt").Select(argument =>
    {
        int value = argument.StartsWith('-') ? argument.IndexOf('=', StringComparison.Ordinal) + 1 : 0;
        string path = argument[value..];
        return ShellText.Quote(Path.IsPathFullyQualified(path)
            ? argument[..value] + Path.GetFileName(Path.TrimEndingDirectorySeparator(path)) : argument);
    }));

    /// <inheritdoc/>
    public void Dispose()
    {
        TrainingRun.Dispose();
        (train as IDisposable)?.Dispose();
        (test as IDisposable)?.Dispose();
        device.Dispose();
    }
}
