using SlttEngine.Device;
using SlttEngine.Graph;

namespace SlttEngine.Layers;

/// <summary>Parameters of a scaled weight-standardised convolution: w = gain · (w − mean) / √(var · fan_in + 1e−4).</summary>
/// <param name="Convolution">Weight, bias and sizes.</param>
/// <param name="Gain">gain (O, 1, 1, 1).</param>
/// <param name="SkipGain">skipinit_gain of the block that this convolution ends, or null.</param>
/// <param name="Alpha">α, which skipinit_gain is multiplied by.</param>
public sealed record ScaledWsModule(ConvolutionModule Convolution, Parameter Gain, Parameter? SkipGain, float Alpha)
{
    /// <summary>Declares the convolution's own parameters: weight, bias 0, gain 1.</summary>
    /// <param name="network">The network.</param>
    /// <param name="name">PyTorch's module name.</param>
    /// <param name="input">Input channels.</param>
    /// <param name="output">Output channels.</param>
    /// <param name="kernel">Kernel size.</param>
    /// <param name="stride">Stride.</param>
    /// <param name="padding">Padding.</param>
    /// <param name="skipGain">skipinit_gain if it scales this convolution's output.</param>
    /// <param name="alpha">α.</param>
    public static ScaledWsModule Declare(
        Network network,
        string name,
        int input,
        int output,
        int kernel,
        int stride,
        int padding,
        Parameter? skipGain = null,
        float alpha = 1)
    {
        ConvolutionModule convolution = ConvolutionModule.Declare(
            network, name, input, output, kernel, stride, padding, new Initializer.Constant(0));
        return new(convolution, network.Declare(name + ".gain", [output, 1, 1, 1], new Initializer.Constant(1)), skipGain, alpha);
    }
}

/// <summary>Convolution with standardised weights, computed once an iteration; its readers add the bias.</summary>
/// <remarks>
/// skipinit_gain · α is folded into the weights and the bias: the block's output is identity + conv(x) alone, and since all
/// steps share the weights, the gradients of weight, gain, bias and skipinit_gain follow once an iteration from the summed
/// gradient D of the folded weights: ∂L/∂skip = α (⟨D, ŵ⟩ + ⟨d, b⟩). So the convolution's output need not be kept.
/// </remarks>
public sealed class ScaledWsConvolution : Layer
{
    private const float Epsilon = 1e-4f;

    private readonly ScaledWsModule module;
    private readonly Edge input;

    /// <summary>Creates the layer.</summary>
    /// <param name="module">Its parameters.</param>
    /// <param name="input">What it reads.</param>
    /// <exception cref="SlttException">The parameters are for other channels, or the kernel is larger than the map.</exception>
    public ScaledWsConvolution(ScaledWsModule module, Edge input)
        : base(module.Convolution.Name)
    {
        (this.module, this.input) = (module, input);
        ConvolutionModule c = module.Convolution;
        c.CheckInput(input);
        Output = new Edge(c.Name, c.OutputSize(input.Height), c.OutputSize(input.Width), c.Out, input.DependsOnInputOnly);
    }

    private Parameter Weight => module.Convolution.Weight;

    private Parameter BiasParameter => module.Convolution.Bias!;

    private int FanIn => Weight.Count / module.Convolution.Out;

    /// <inheritdoc/>
    public override IReadOnlyList<Edge> Inputs => [input];

    /// <inheritdoc/>
    public override long MultiplyAdds => module.Convolution.MultiplyAdds(input.Height, input.Width);

    /// <inheritdoc/>
    public override long[] FanOut(ReadOnlySpan<long> further) => module.Convolution.FanOut(input.Height, input.Width);

    /// <inheritdoc/>
    internal override void Describe(InferenceGraph graph)
    {
        ConvolutionModule c = module.Convolution;
        float factor = module.SkipGain is { } skip ? module.Alpha * graph.Weight(skip)[0] : 1f;
        graph.Set(
            Output,
            new InferenceNode.Convolution(c.Name, InferenceGraph.ShapeOf(Output), graph.Value(input), (c.Kernel, c.Stride, c.Padding))
            {
                Weight = Standardised(graph.Weight(Weight), graph.Weight(module.Gain), factor),
                Bias = [.. graph.Weight(BiasParameter).Select(b => factor * b)],
                Standardisation = new WeightStandardisation(module.SkipGain?.Name, module.Alpha, Epsilon),
            });
    }

    /// <summary>The weights as the kernel makes them: its sums in double, the rest in float.</summary>
    private float[] Standardised(float[] weight, float[] gain, float factor)
    {
        float[] result = new float[weight.Length];
        for (int o = 0; o < gain.Length; o++)
        {
            ReadOnlySpan<float> filter = weight.AsSpan(o * FanIn, FanIn);
            double sum = 0, squares = 0;
            foreach (float w in filter)
            {
                sum += w;
            }

            double mean = sum / FanIn;
            foreach (float w in filter)
            {
                squares += (w - mean) * (w - mean);
            }

            float rstd = (float)(1 / Math.Sqrt((squares / (FanIn - 1) * FanIn) + Epsilon));
            for (int i = 0; i < FanIn; i++)
            {
                result[(o * FanIn) + i] = factor * (gain[o] * ((filter[i] - (float)mean) * rstd));
            }
        }

        return result;
    }

    /// <inheritdoc/>
    public override Action Emit<T>(ProgramBuilder<T> b)
    {
        ConvolutionModule c = module.Convolution;
        DeviceBuffer<T> weight = b.Keep<T>(Name + " standardised weight", BufferKind.Saved, Weight.Count);
        DeviceBuffer<float> bias = b.Keep<float>(Name + " scaled bias", BufferKind.Saved, c.Out);
        DeviceBuffer<float> rstd = b.Keep<float>(Name + " rstd", BufferKind.Saved, c.Out);
        b.Add(Section.Begin, new Op(
            Name + " standardise",
            [],
            [weight, bias, rstd],
            t => b.Device.Kernels.WeightStandardize(
                LaunchShape.Filters(c.Out, FanIn),
                weight.At(t),
                rstd.At(t),
                bias.At(t),
                b.Store.Weight(Weight),
                b.Store.Weight(module.Gain),
                b.Store.Weight(BiasParameter),
                b.Store.WeightOrNull(module.SkipGain),
                module.Alpha,
                Epsilon,
                c.Out,
                FanIn))
        { ParameterBytes = 4L * Weight.Count });

        PixelProduct<T>? product = PixelProduct<T>.IsFor(b, c) ? new(b, c, input, Output) : null;
        ConvolutionCalls<T>? calls = product is null ? new(b, c, input, Output) : null;
        Filter<T> filter = Filter<T>.Of(weight);
        DeviceBuffer<T> output = b.NewActivation(Output);
        DeviceBuffer<T> x = b.Activation(input);
        b.Add(b.ForwardOf(Output), product?.Forward(x, filter, output) ?? calls!.Forward(x, filter, output));
        b.SetPendingBias(Output, bias);
        return () =>
        {
            DeviceBuffer<T> gradOutput = b.DrainGradient(Output);
            GradientOps.AddBiasGradient(b, b.BackwardOf(Output), Name, gradOutput, BiasParameter, b.Rows(Output));
            b.AddGradient(Output, gradOutput);
            if (product is not null)
            {
                product.EmitBackward(Weight, filter);
            }
            else
            {
                Convolution.EmitBackward(b, calls!, input, Output, Weight, filter);
            }

            EmitWeightBackward(b);
        };
    }

    /// <summary>After all steps' gradients are added up: from the folded weights' gradient to the parameters' own.</summary>
    private void EmitWeightBackward<T>(ProgramBuilder<T> b)
        where T : unmanaged
    {
        int outputs = module.Convolution.Out;
        DeviceBuffer<float> partial = b.Scratch<float>(Name + " skipinit_gain partial sums", outputs, Section.End);
        b.Add(Section.End, new Op(
            Name + " standardise backward",
            [],
            [partial],
            t => b.Device.Kernels.WeightStandardizeBackward(
                LaunchShape.Filters(outputs, FanIn),
                b.Store.Gradient(Weight),
                b.Store.Gradient(module.Gain),
                b.Store.Gradient(BiasParameter),
                module.SkipGain is null ? default : partial.At(t),
                b.Store.Gradient(Weight),
                b.Store.Gradient(BiasParameter),
                b.Store.Weight(Weight),
                b.Store.Weight(module.Gain),
                b.Store.Weight(BiasParameter),
                b.Store.WeightOrNull(module.SkipGain),
                module.Alpha,
                Epsilon,
                outputs,
                FanIn))
        { ParameterBytes = 12L * Weight.Count });
        if (module.SkipGain is { } parameter)
        {
            b.Add(Section.End, new Op(
                Name + " skipinit_gain gradient",
                [partial],
                [],
                t => b.Device.Kernels.SumToScalar(LaunchShape.Single, b.Store.Gradient(parameter), partial.At(t), outputs)));
        }
    }
}
