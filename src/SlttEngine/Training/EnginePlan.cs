using SlttEngine.Device;
using SlttEngine.Graph;

namespace SlttEngine.Training;

/// <summary>
/// A network and its programs, planned to the byte and without memory: what a run is sized by, and what an engine then allocates.
/// </summary>
public sealed class EnginePlan : IDisposable
{
    private readonly Dictionary<(ProgramKind Kind, int Batch, int StepsAtOnce, bool Measured), NetworkProgram> programs = [];
    private int evaluationStepsAtOnce;

    /// <summary>Lays the parameters out.</summary>
    /// <param name="device">The device, for its libraries' workspace sizes.</param>
    /// <param name="network">The network.</param>
    /// <param name="options">What it is planned for; batch sizes and the address of images are not asked yet.</param>
    /// <exception cref="SlttException">The network's layers, or the types of training and evaluation, do not fit together.</exception>
    public EnginePlan(ComputeDevice device, Network network, EngineOptions options)
    {
        network.Validate();
        (Device, Options, evaluationStepsAtOnce) = (device, options, options.EvaluationStepsAtOnce);
        ComputeType working = EvaluationTypes.WorkingType(options.Type, options.EvaluationType);
        Store = new ParameterStore(device, network, options.Type, options.Optimizer?.StateNames.Count ?? -1, working);
        SpikeCounts = options.CountSpikes ? new SpikeCounts(device, network) : null;
        FiringFlags = options.WatchFiring ? new FiringFlags(device, network) : null;
    }

    /// <summary>The device.</summary>
    public ComputeDevice Device { get; }

    /// <summary>The parameters, laid out.</summary>
    public ParameterStore Store { get; }

    /// <summary>What it is planned for.</summary>
    public EngineOptions Options { get; }

    /// <summary>Where spikes are counted; null: they aren't.</summary>
    internal SpikeCounts? SpikeCounts { get; }

    /// <summary>Where evaluations note whether layers fire; null: they don't.</summary>
    internal FiringFlags? FiringFlags { get; }

    /// <summary>Programs that were planned.</summary>
    internal IEnumerable<NetworkProgram> Programs => programs.Values;

    /// <summary>
    /// Samples in evaluation's batches: as in training, or the largest part of that whose evaluation takes no more memory than training
    /// does. Without this, evaluation in float32 would decide the memory of a run in mixed precision.
    /// </summary>
    /// <remarks>All steps go through the network side by side, if that means more images at once.</remarks>
    /// <param name="batch">Samples in training's batches.</param>
    public int EvaluationBatch(int batch) => Evaluation(batch, measures: true).Shape.Batch;

    /// <summary>The program of a batch, planned at its first use.</summary>
    /// <param name="batch">Samples.</param>
    /// <param name="training">False: an evaluation.</param>
    /// <param name="measures">False: with cuDNN's guess of the fastest algorithms, whose workspaces may be others.</param>
    /// <exception cref="SlttException">The batch is larger than cuDNN's tensors may be.</exception>
    internal NetworkProgram Program(int batch, bool training, bool measures = true) =>
        Program(batch, training ? ProgramKind.Training : ProgramKind.Evaluation, measures);

    /// <summary>Evaluation's program for the batch that <see cref="EvaluationBatch"/> names.</summary>
    /// <param name="batch">Samples in training's batches.</param>
    /// <param name="measures">As in <see cref="Program(int, bool, bool)"/>: what cuDNN guesses may take other workspaces, and so give
    /// another batch.</param>
    internal NetworkProgram Evaluation(int batch, bool measures)
    {
        NetworkProgram AsLargeAsFits(int largest, int stepsAtOnce, bool measured) => LargestWithin(
            Program(batch, training: true, measured).Arena.Bytes,
            largest,
            size => [Program(size, ProgramKind.Evaluation, stepsAtOnce, measured)])[0];

        // By cuDNN's guesses first: measuring its algorithms takes long, and most batches are only tried.
        NetworkProgram evaluation = AsLargeAsFits(batch, 1, measured: false);
        if (SpikeCounts is null && AsLargeAsFits(batch, Options.Steps, measured: false) is { } together
            && together.Shape.Images >= evaluation.Shape.Images)
        {
            evaluation = together;
        }

        evaluationStepsAtOnce = evaluation.Shape.StepsAtOnce;
        return measures ? AsLargeAsFits(evaluation.Shape.Batch, evaluationStepsAtOnce, measured: true) : evaluation;
    }

    /// <summary>
    /// The programs of <see cref="TrainingEngine.EvaluateTrainingSamples"/>, by running and by batch statistics: of the largest batch that
    /// takes no more memory than training and evaluation do. None for a network without batch norm.
    /// </summary>
    /// <param name="batch">Samples in training's batches.</param>
    /// <param name="measures">As in <see cref="Program(int, bool, bool)"/>.</param>
    internal IReadOnlyList<NetworkProgram> TrainingSamples(int batch, bool measures)
    {
        if (Store.Network.Statistics.Count == 0)
        {
            return [];
        }

        NetworkProgram evaluation = Evaluation(batch, measures);
        return LargestWithin(
            Math.Max(evaluation.Arena.Bytes, Program(batch, training: true, measures).Arena.Bytes),
            Math.Min(evaluation.Shape.Batch, StatisticsGap.MaxSamples),
            size =>
            [
                Program(size, ProgramKind.TrainingSamplesByRunningStatistics, measures),
                Program(size, ProgramKind.TrainingSamplesByBatchStatistics, measures),
            ]);
    }

    /// <summary>A program, planned at its first use.</summary>
    /// <param name="batch">Samples.</param>
    /// <param name="kind">What it does with them.</param>
    /// <param name="measures">False: with cuDNN's guess of the fastest algorithms, whose workspaces may be others.</param>
    internal NetworkProgram Program(int batch, ProgramKind kind, bool measures = true) => Program(
        batch,
        kind,
        kind == ProgramKind.Training ? Options.StepsAtOnce : kind == ProgramKind.Evaluation ? evaluationStepsAtOnce : 1,
        measures);

    private NetworkProgram Program(int batch, ProgramKind kind, int stepsAtOnce, bool measures)
    {
        if (programs.TryGetValue((kind, batch, stepsAtOnce, measures), out NetworkProgram? program))
        {
            return program;
        }

        bool isEvaluation = kind == ProgramKind.Evaluation;
        program = NetworkProgram.Plan(
            Store, kind, batch, stepsAtOnce, Options, isEvaluation ? SpikeCounts : null, isEvaluation ? FiringFlags : null, measures);
        programs.Add((kind, batch, stepsAtOnce, measures), program);
        return program;
    }

    /// <summary>Drops the programs that were planned to find others.</summary>
    /// <param name="train">Batch sizes of training that stay.</param>
    /// <param name="test">Batch sizes of evaluation that stay.</param>
    /// <param name="gap">The batch size of evaluations of training samples that stays; 0: none.</param>
    internal void KeepOnly(IReadOnlyCollection<int> train, IReadOnlyCollection<int> test, int gap)
    {
        foreach ((ProgramKind Kind, int Batch, int StepsAtOnce, bool Measured) key in programs.Keys.ToList())
        {
            bool isKept = key.Kind switch
            {
                ProgramKind.Training => train.Contains(key.Batch),
                ProgramKind.Evaluation => test.Contains(key.Batch) && key.StepsAtOnce == evaluationStepsAtOnce,
                _ => gap == key.Batch,
            };
            if (!key.Measured || !isKept)
            {
                programs.Remove(key, out NetworkProgram? program);
                program!.Dispose();
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (NetworkProgram program in programs.Values)
        {
            program.Dispose();
        }

        SpikeCounts?.Dispose();
        FiringFlags?.Dispose();
        Store.Dispose();
    }

    /// <summary>Programs of the batch, or of the largest part of it with which none takes more memory.</summary>
    private static IReadOnlyList<NetworkProgram> LargestWithin(long bytes, int batch, Func<int, IReadOnlyList<NetworkProgram>> plan)
    {
        for (int parts = 1; ;)
        {
            IReadOnlyList<NetworkProgram> planned = plan((batch + parts - 1) / parts);
            double excess = (double)planned.Max(p => p.Arena.Bytes) / bytes;
            if (excess <= 1 || planned[0].Shape.Batch == 1)
            {
                return planned;
            }

            parts = Math.Max(parts + 1, (int)(parts * excess));
        }
    }
}
