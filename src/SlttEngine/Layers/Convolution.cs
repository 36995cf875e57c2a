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
    /// <exception cref="SlttException">The parameters are for other channels, or the kernel is larger than the map.</exception>
    public Convolution(ConvolutionModule module, Edge input)
        : base(module.Name)
    {
        (this.module, this.input) = (module, input);
        module.CheckInput(input);
        Output = new Edge(
            module.Name, module.OutputSize(input.Height), module.OutputSize(input.Width), module.Out, input.DependsOnInputOnly)
        {
            Origin = Origin.Convolution,
        };
    }

    /// <inheritdoc/>
    public override IReadOnlyList<Edge> Inputs => [input];

    /// <inheritdoc/>
    public override long MultiplyAdds => module.MultiplyAdds(input.Height, input.Width);

    /// <inheritdoc/>
    public override long[] FanOut(ReadOnlySpan<long> further) => module.FanOut(input.Height, input.Width);

    /// <summary>True for a hidden linear layer: a 1×1 convolution over all numbers as channels.</summary>
    internal bool IsLinear => module.Weight.Shape.Length == 2;

    /// <inheritdoc/>
    internal override void Describe(InferenceGraph graph)
    {
        float[] weight = graph.Weight(module.Weight);
        graph.Set(
            Output,
            IsLinear
                ? new InferenceNode.Linear(Name, module.Out, graph.Value(input)) { Weight = weight }
                : new InferenceNode.Convolution(
                    Name, InferenceGraph.ShapeOf(Output), graph.Value(input), (module.Kernel, module.Stride, module.Padding))
                { Weight = weight });
    }

    /// <inheritdoc/>
    public override Action Emit<T>(ProgramBuilder<T> b)
    {
        if (b is ProgramBuilder<float> single && b.Shape.SplitTf32 && input.IsExactInTf32)
        {
            return new SplitConvolution(single, module, input, Output).Emit();
        }

        Filter<T> filter = Filter<T>.Of(b, module.Weight, () => b.WorkingWeight(module.Weight));
        if (PixelProduct<T>.IsFor(b, module))
        {
            PixelProduct<T> product = new(b, module, input, Output);
            EmitForward(b, (x, y) => product.Forward(x, filter, y));
            return () => product.EmitBackward(module.Weight, filter);
        }

        ConvolutionCalls<T> calls = new(b, module, input, Output);
        EmitForward(b, (x, y) => calls.Forward(x, filter, y));
        return () => EmitBackward(b, calls, input, Output, module.Weight, filter);
    }

    private void EmitForward<T>(ProgramBuilder<T> b, Func<DeviceBuffer<T>, DeviceBuffer<T>, Op> convolve)
        where T : unmanaged
    {
        b.Add(b.ForwardOf(Output), convolve(b.Activation(input), b.NewActivation(Output)));
        if (b.IsRecomputed(Output))
        {
            b.SetRecompute(Output, () =>
            {
                DeviceBuffer<T> recomputed = b.Scratch<T>(Output.Name + " recomputed", b.Count(Output));
                b.Add(Section.Backward, convolve(b.ActivationForBackward(input), recomputed));
                return recomputed;
            });
        }
    }

    /// <summary>Emits both backward passes: the filter's gradient is added up, the input's handed on.</summary>
    /// <typeparam name="T">Compute type.</typeparam>
    /// <param name="b">The program.</param>
    /// <param name="calls">cuDNN's calls.</param>
    /// <param name="input">What the convolution reads.</param>
    /// <param name="output">What it makes.</param>
    /// <param name="parameter">Whose gradient the filter's is.</param>
    /// <param name="filter">The filter that forward used.</param>
    internal static void EmitBackward<T>(
        ProgramBuilder<T> b, ConvolutionCalls<T> calls, Edge input, Edge output, Parameter parameter, Filter<T> filter)
        where T : unmanaged
    {
        Section section = b.BackwardOf(output);
        DeviceBuffer<T> gradOutput = b.DrainGradient(output);
        DeviceBuffer<T> x = b.ActivationForBackward(input);
        if (b.Shape.Type == ComputeType.Float32)
        {
            b.Add(section, calls.BackwardFilter(
                x, gradOutput, Filter<T>.Of(b, parameter, () => new DevicePtr<T>(b.Store.Gradient(parameter).Pointer)), beta: 1f));
        }
        else
        {
            DeviceBuffer<T> step = b.Scratch<T>(output.Name + " weight gradient", parameter.Count, Section.End);
            b.Add(section, calls.BackwardFilter(x, gradOutput, Filter<T>.Of(step), beta: 0f));
            b.Add(section, Op.ForSteps(
                step.Name + " accumulate",
                [step],
                [],
                _ => b.Device.Kernels.AccumulateGradients<T>(
                    b.Elementwise(parameter.Count), b.Store.Gradient(parameter), step.At(0), b.RunState, parameter.Count))
            with
            { ParameterBytes = 8L * parameter.Count, CarriedBytes = step.Bytes });
        }

        if (input != b.Network.Input)
        {
            DeviceBuffer<T> gradInput = b.Scratch<T>(input.Name + " gradient from " + output.Name, b.Count(input), section);
            b.Add(section, calls.BackwardData(gradOutput, filter, gradInput));
            b.AddGradient(input, gradInput);
        }
    }
}
