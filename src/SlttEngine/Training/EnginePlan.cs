using SlttEngine.Device;
using SlttEngine.Graph;

namespace SlttEngine.Training;

/// <summary>
/// A network and its programs, planned to the byte and without memory: what a run is sized by, and what an engine then allocates.
/// </summary>
public sealed class EnginePlan : IDisposable
{
    private readonly Dictionary<(bool Training, int Batch, bool Measured), NetworkProgram> programs = [];

    /// <summary>Lays the parameters out.</summary>
    /// <param name="device">The device, for its libraries' workspace sizes.</param>
    /// <param name="network">The network.</param>
    /// <param name="options">What it is planned for; batch sizes and the address of images are not asked yet.</param>
    /// <exception cref="SlttException">The network's layers do not fit together.</exception>
    public EnginePlan(ComputeDevice device, Network network, EngineOptions options)
    {
        network.Validate();
        (Device, Options) = (device, options);
        Store = new ParameterStore(device, network, options.Type, options.Optimizer?.StateNames.Count ?? -1);
        SpikeCounts = options.CountSpikes ? new SpikeCounts(device, network) : null;
    }

    /// <summary>The device.</summary>
    public ComputeDevice Device { get; }

    /// <summary>The parameters, laid out.</summary>
    public ParameterStore Store { get; }

    /// <summary>What it is planned for.</summary>
    public EngineOptions Options { get; }

    /// <summary>Where spikes are counted; null: they aren't.</summary>
    internal SpikeCounts? SpikeCounts { get; }

    /// <summary>Programs that were planned.</summary>
    internal IEnumerable<NetworkProgram> Programs => programs.Values;

    /// <summary>
    /// Samples in evaluation's batches: as in training, or the largest part of that whose evaluation takes no more memory than training
    /// does. Evaluation is in float32. Without this, it would decide the memory of a run in mixed precision.
    /// </summary>
    /// <param name="batch">Samples in training's batches.</param>
    public int EvaluationBatch(int batch) => Evaluation(batch, measures: true).Shape.Batch;

    /// <summary>The program of a batch, planned at its first use.</summary>
    /// <param name="batch">Samples.</param>
    /// <param name="training">False: an evaluation.</param>
    /// <param name="measures">False: with cuDNN's guess of the fastest algorithms, whose workspaces may be others.</param>
    /// <exception cref="SlttException">The batch is larger than cuDNN's tensors may be.</exception>
    internal NetworkProgram Program(int batch, bool training, bool measures = true)
    {
        if (programs.TryGetValue((training, batch, measures), out NetworkProgram? program))
        {
            return program;
        }

        ProgramShape shape = new(
            batch,
            Options.Steps,
            training ? Options.Type : ComputeType.Float32,
            training,
            training && Options.Method.ThroughTime,
            Options.StaticInput,
            Options.FastMath);
        program = NetworkProgram.Plan(Store, shape, Options, training ? null : SpikeCounts, measures);
        programs.Add((training, batch, measures), program);
        return program;
    }

    /// <summary>Evaluation's program for the batch that <see cref="EvaluationBatch"/> names.</summary>
    /// <param name="batch">Samples in training's batches.</param>
    /// <param name="measures">As in <see cref="Program"/>: what cuDNN guesses may take other workspaces, and so give another batch.</param>
    internal NetworkProgram Evaluation(int batch, bool measures)
    {
        NetworkProgram training = Program(batch, training: true, measures);
        for (int parts = 1; ;)
        {
            NetworkProgram program = Program((batch + parts - 1) / parts, training: false, measures);
            double excess = (double)program.Arena.Bytes / training.Arena.Bytes;
            if (excess <= 1 || program.Shape.Batch == 1)
            {
                return program;
            }

            parts = Math.Max(parts + 1, (int)(parts * excess));
        }
    }

    /// <summary>Drops the programs that were planned to find others.</summary>
    /// <param name="train">Batch sizes of training that stay.</param>
    /// <param name="test">Batch sizes of evaluation that stay.</param>
    internal void KeepOnly(IReadOnlyCollection<int> train, IReadOnlyCollection<int> test)
    {
        foreach ((bool Training, int Batch, bool Measured) key in programs.Keys.ToList())
        {
            if (!key.Measured || !(key.Training ? train : test).Contains(key.Batch))
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
        Store.Dispose();
    }
}
