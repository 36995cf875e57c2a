using ManagedCuda.BasicTypes;
using SlttEngine.Device;
using SlttEngine.Graph;

namespace SlttEngine.Layers;

/// <summary>Convolution of an activation (N, H, W, C); its bias, if any, belongs to the batch norm behind it.</summary>
/// <remarks>
/// A bias in front of batch norm moves only the running mean: <see cref="BatchNormLif"/> accounts for it there, so it is never
/// added to an activation, and its gradient is exactly zero.
/// </remarks>
public sealed class Convolution : Layer
{
    private readonly ConvolutionModule module;
    private readonly Edge input;

    /// <summary>Creates the layer.</summary>
    /// <param name="module">Its parameters.</param>
    /// <param name="input">What it reads.</param>
    public Convolution(ConvolutionModule module, Edge input)
        : base(module.Name)
    {
        this.module = module;
        this.input = input;
        Output = new Edge(module.Name, module.OutputSize(input.Height), module.OutputSize(input.Width), module.Out, input.DependsOnInputOnly);
    }

    /// <inheritdoc/>
    public override IReadOnlyList<Edge> Inputs => [input];

    /// <inheritdoc/>
    public override long MultiplyAdds => module.MultiplyAdds(input.Height, input.Width);

    /// <inheritdoc/>
    public override long[] FanOut(ReadOnlySpan<long> further) => module.FanOut(input.Height, input.Width);

    /// <inheritdoc/>
    public override Action Emit(ProgramBuilder b)
    {
        ConvolutionCalls calls = new(b, Name, input, Output, module);
        CUdeviceptr weight = b.WorkingWeight(module.Weight);
        b.Add(b.ForwardOf(Output), calls.Forward(b.Forward(input), () => weight, b.NewOutput(Output)));
        return () => EmitBackward(b, calls, input, Output, module.Weight, () => weight);
    }

    /// <summary>Emits both backward passes: the filter's gradient is added up, the input's handed on.</summary>
    internal static void EmitBackward(ProgramBuilder b, ConvolutionCalls calls, Edge input, Edge output, Parameter parameter, Func<CUdeviceptr> weight)
    {
        Section section = b.BackwardOf(output);
        DeviceBuffer gradOutput = b.TakeGradient(output);
        DeviceBuffer x = b.ForBackward(input);
        CUdeviceptr gradient = b.Store.Gradient(parameter);
        if (b.Shape.Type == ComputeType.Float32)
        {
            b.Add(section, calls.BackwardFilter(x, gradOutput, () => gradient, 1f));
        }
        else if (section == Section.Backward)
        {
            // All layers' step gradients are added to the float gradients by one kernel at the end of the step.
            CUdeviceptr step = b.Store.StepGradient(parameter);
            b.Add(section, calls.BackwardFilter(x, gradOutput, () => step, 0f));
        }
        else
        {
            DeviceBuffer step = ProgramBuilder.Scratch(output.Name + " step gradient", (long)parameter.Count * b.Shape.Type.Size());
            b.Add(section, calls.BackwardFilter(x, gradOutput, () => step.At(0), 0f, step));
            b.Add(section, GradientOps.Accumulate(b, gradient, step, parameter.Count));
        }

        if (input != b.Store.Network.Input)
        {
            DeviceBuffer gradInput = ProgramBuilder.Scratch(input.Name + " gradient from " + output.Name, b.BytesOf(input));
            b.Add(section, calls.BackwardData(gradOutput, weight, gradInput));
            b.AddGradient(input, gradInput);
        }
    }
}
