using SlttEngine.Device;
using SlttEngine.Graph;

namespace SlttEngine.Layers;

/// <summary>
/// A float32 convolution of spikes for tensor cores: weights, and in backward the output's gradient, are split into two parts that TF32
/// holds. Products with spikes are then exact, and float32's accuracy is kept at the cost of a second convolution.
/// </summary>
/// <remarks>The input's gradient is a product of two real numbers, and stays in FMA.</remarks>
/// <param name="b">The program.</param>
/// <param name="module">Its parameters.</param>
/// <param name="input">Spikes, or averages of them.</param>
/// <param name="output">What it makes.</param>
internal sealed class SplitConvolution(ProgramBuilder<float> b, ConvolutionModule module, Edge input, Edge output)
{
    private readonly ConvolutionCalls<float> calls = new(b, module, input, output, exactProducts: true);
    private readonly Parameter weight = module.Weight;

    /// <summary>Emits the forward operations; returns what emits the backward ones.</summary>
    public Action Emit()
    {
        DeviceBuffer<float> high = b.Keep<float>(module.Name + " weight, high part", BufferKind.Saved, weight.Count);
        DeviceBuffer<float> low = b.Keep<float>(module.Name + " weight, low part", BufferKind.Saved, weight.Count);
        b.Add(Section.Begin, new Op(
            module.Name + " split weight",
            [],
            [high, low],
            _ => b.Device.Kernels.SplitTf32(b.Elementwise(weight.Count), high.At(0), low.At(0), b.Store.Weight(weight), weight.Count))
        { ParameterBytes = 4L * weight.Count });
        DeviceBuffer<float> y = b.NewActivation(output);
        EmitForward(b.ForwardOf(output), b.Activation(input), y);
        if (b.IsRecomputed(output))
        {
            b.SetRecompute(output, () =>
            {
                DeviceBuffer<float> recomputed = b.Scratch<float>(output.Name + " recomputed", b.Count(output));
                EmitForward(Section.Backward, b.ActivationForBackward(input), recomputed);
                return recomputed;
            });
        }

        return EmitBackward;

        void EmitForward(Section section, DeviceBuffer<float> x, DeviceBuffer<float> to)
        {
            b.Add(section, calls.Forward(x, Filter<float>.Of(low), to));
            b.Add(section, calls.Forward(x, Filter<float>.Of(high), to, adds: true));
        }
    }

    private void EmitBackward()
    {
        Section section = b.BackwardOf(output);
        DeviceBuffer<float> gradOutput = b.DrainGradient(output);
        DeviceBuffer<float> x = b.ActivationForBackward(input);
        long n = b.Count(output);
        DeviceBuffer<float> high = b.Scratch<float>(output.Name + " gradient, high part", n, section);
        DeviceBuffer<float> low = b.Scratch<float>(output.Name + " gradient, low part", n, section);
        b.Add(section, Op.ForSteps(
            module.Name + " split gradient",
            [gradOutput],
            [high, low],
            s => b.Device.Kernels.SplitTf32(
                b.Elementwise(s.Count * n), high.At(s.First), low.At(s.First), gradOutput.At(s.First), s.Count * n)));
        Filter<float> gradient = Filter<float>.Of(b, weight, () => b.Store.Gradient(weight));
        b.Add(section, calls.BackwardFilter(x, low, gradient, beta: 1f));
        b.Add(section, calls.BackwardFilter(x, high, gradient, beta: 1f));

        DeviceBuffer<float> gradInput = b.Scratch<float>(input.Name + " gradient from " + output.Name, b.Count(input), section);
        ConvolutionCalls<float> rounded = new(b, module, input, output);
        b.Add(section, rounded.BackwardData(gradOutput, Filter<float>.Of(b, weight, () => b.Store.Weight(weight)), gradInput));
        b.AddGradient(input, gradInput);
    }
}
