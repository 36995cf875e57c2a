using SlttEngine.Data;
using SlttEngine.Device;
using SlttEngine.Graph;

namespace SlttEngine.Training;

/// <summary>A run's network and programs, planned as the engine plans them but without memory.</summary>
internal sealed class PlannedRun : IDisposable
{
    private readonly ComputeDevice device;
    private readonly TrainingOptions options;
    private readonly SampleFormat format;
    private readonly List<NetworkProgram> programs = [];

    /// <summary>Lays the parameters out.</summary>
    /// <param name="device">The device, for its libraries' workspace sizes.</param>
    /// <param name="options">The run's options.</param>
    /// <param name="format">The samples.</param>
    /// <exception cref="SlttException">The options or the samples can't be trained on.</exception>
    public PlannedRun(ComputeDevice device, TrainingOptions options, SampleFormat format)
    {
        (this.device, this.options, this.format) = (device, options.Validate(), format);
        options.Require(format);
        Store = new ParameterStore(
            device, options.Network(format.Shape, format.Classes), options.Type, options.Optimizer.StateNames.Count, allocate: false);
    }

    /// <summary>The parameters, without memory.</summary>
    public ParameterStore Store { get; }

    /// <summary>Plans the iteration of a batch.</summary>
    /// <param name="batch">Samples.</param>
    /// <param name="training">False: an evaluation.</param>
    /// <param name="measure">False: use cuDNN's guess of the fastest algorithms; their workspaces may differ from those measured.</param>
    public NetworkProgram Program(int batch, bool training, bool measure = true)
    {
        ProgramShape program = new(
            batch,
            options.Steps,
            training ? options.Type : ComputeType.Float32,
            training,
            training && options.Method.ThroughTime,
            StaticInput: format.Shape.Steps == 1,
            options.FastMath);
        ProgramBuilder builder = new(device, Store, program, options.Neuron, default) { MeasuresAlgorithms = measure };
        programs.Add(new NetworkProgram(
            builder, format.Input(default, training), options.Loss, training ? options.Optimizer : null, default));
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
