using SlttEngine.Device;
using SlttEngine.Graph;

namespace SlttEngine.Training;

/// <summary>A run's network and programs, planned as the engine plans them but without memory.</summary>
internal sealed class PlannedRun : IDisposable
{
    private readonly ComputeDevice device;
    private readonly TrainOptions options;
    private readonly Data.FrameShape shape;
    private readonly Optimizer optimizer;
    private readonly List<NetworkProgram> programs = [];

    /// <summary>Lays the parameters out.</summary>
    /// <param name="device">The device, for its libraries' workspace sizes.</param>
    /// <param name="options">The run's options; the data set gives shape and classes.</param>
    public PlannedRun(ComputeDevice device, TrainOptions options)
    {
        (this.device, this.options) = (device, options);
        (shape, int classes) = RunData.Describe(options);
        optimizer = RunFactory.Optimizer(options);
        Store = new ParameterStore(
            device, RunFactory.Network(options, shape, classes), options.ComputeType, optimizer.StateNames.Count, allocate: false);
    }

    /// <summary>The parameters, without memory.</summary>
    public ParameterStore Store { get; }

    /// <summary>Plans the iteration of a batch.</summary>
    /// <param name="batch">Samples.</param>
    /// <param name="training">False: an evaluation.</param>
    /// <param name="measure">False: with cuDNN's guess of the fastest algorithms, whose workspaces may be others.</param>
    public NetworkProgram Program(int batch, bool training, bool measure = true)
    {
        ProgramShape program = new(
            batch,
            options.T,
            training ? options.ComputeType : ComputeType.Float32,
            training,
            training && RunFactory.Method(options).ThroughTime,
            StaticInput: shape.Steps == 1,
            options.FastMath);
        ProgramBuilder builder = new(device, Store, program, RunFactory.Neuron(options), default) { MeasuresAlgorithms = measure };
        programs.Add(new NetworkProgram(
            builder, RunData.Format(options, default, training), RunFactory.Loss(options), training ? optimizer : null, default));
        return programs[^1];
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (NetworkProgram program in programs)
        {
            program.Dispose();
        }

        Store.Dispose();
    }
}
