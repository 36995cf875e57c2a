using ManagedCuda.BasicTypes;
using ManagedCuda.CudaDNN;
using SlttEngine.Device;
using SlttEngine.Graph;

namespace SlttEngine.Layers;

/// <summary>Batch norm by cuDNN, as a layer of its own: the reference for <see cref="BatchNormLif"/>.</summary>
/// <remarks>Here the biases are added to the convolutions' outputs, as PyTorch adds them; their gradients stay exactly zero.</remarks>
public sealed class CudnnBatchNorm : Layer
{
    private const cudnnBatchNormMode Mode = cudnnBatchNormMode.BatchNormSpatial;

    private readonly BatchNormModule norm;
    private readonly ConvolutionSum input;

    /// <summary>Creates the layer.</summary>
    /// <param name="norm">Its parameters.</param>
    /// <param name="input">What it reads.</param>
    public CudnnBatchNorm(BatchNormModule norm, ConvolutionSum input)
        : base(norm.Name)
    {
        (this.norm, this.input) = (norm, input);
        input.Main.SavedForBackward = true;
        Output = new Edge(norm.Name, input.Main.Height, input.Main.Width, input.Main.Channels, input.Main.DependsOnInputOnly);
    }

    /// <inheritdoc/>
    public override IReadOnlyList<Edge> Inputs => input.Residual is null ? [input.Main] : [input.Main, input.Residual];

    /// <inheritdoc/>
    public override Action Emit(ProgramBuilder b)
    {
        CudaDNNContext dnn = b.Device.Dnn;
        int channels = Output.Channels;
        bool once = b.IsStatic(Output);
        TensorDescriptor map = b.Own(new TensorDescriptor());
        TensorDescriptor perChannel = b.Own(new TensorDescriptor());
        map.SetTensor4dDescriptor(cudnnTensorFormat.NHWC, b.Shape.Type.Dnn(), b.Shape.Batch, channels, Output.Height, Output.Width);
        dnn.DeriveBNTensorDescriptor(perChannel, map, Mode);
        CUdeviceptr weight = b.Store.Weight(norm.Weight);
        CUdeviceptr bias = b.Store.Weight(norm.Bias);
        CUdeviceptr runningMean = b.Store.Statistic(norm.RunningMean);
        CUdeviceptr runningVar = b.Store.Statistic(norm.RunningVar);

        AddUp(b);
        Section section = b.ForwardOf(Output);
        DeviceBuffer x = b.Forward(input.Main);
        DeviceBuffer y = b.NewOutput(Output);
        if (!b.Shape.Training)
        {
            b.Add(section, new Op(
                Name + " by running statistics",
                [x],
                [y],
                t => dnn.BatchNormalizationForwardInference(
                    Mode, 1f, 0f, map, x.At(t), map, y.At(t), perChannel, weight, bias, runningMean, runningVar, BatchNormModule.Epsilon)));
            return () => { };
        }

        // A static input is normalised once, but the running statistics move as in every step.
        int repeats = once ? b.Shape.Steps : 1;
        double factor = 1 - Math.Pow(1 - (double)BatchNormModule.Momentum, repeats);
        DeviceBuffer mean = b.Keep(Name + " mean", BufferKind.Saved, 4L * channels, once ? 1 : b.Copies);
        DeviceBuffer invstd = b.Keep(Name + " invstd", BufferKind.Saved, 4L * channels, once ? 1 : b.Copies);
        b.Add(section, new Op(
            Name + " forward",
            [x],
            [y, mean, invstd],
            t => dnn.BatchNormalizationForwardTraining(
                Mode, 1f, 0f, map, x.At(t), map, y.At(t), perChannel, weight, bias, factor, runningMean, runningVar, BatchNormModule.Epsilon, mean.At(t), invstd.At(t))));
        b.Add(section, new Op(
            Name + " count", [], [], t => b.Device.Launch("count_batches", LaunchShape.OneThread, b.Store.Statistic(norm.NumBatchesTracked), repeats)));
        return () =>
        {
            DeviceBuffer gradOutput = b.TakeGradient(Output);
            DeviceBuffer gradInput = ProgramBuilder.Scratch(input.Main.Name + " gradient", b.BytesOf(Output));
            b.Add(b.BackwardOf(Output), new Op(
                Name + " backward",
                [x, gradOutput, mean, invstd],
                [gradInput],
                t => dnn.BatchNormalizationBackward(
                    Mode, 1f, 0f, 1f, 1f, map, x.At(t), map, gradOutput.At(t), map, gradInput.At(t), perChannel, weight, b.Store.Gradient(norm.Weight), b.Store.Gradient(norm.Bias), BatchNormModule.Epsilon, mean.At(t), invstd.At(t))));
            foreach (Edge value in Inputs)
            {
                b.AddGradient(value, gradInput);
            }
        };
    }

    /// <summary>x ← x + residual, with the biases of the convolutions that made them.</summary>
    private void AddUp(ProgramBuilder b)
    {
        long rows = (long)b.Shape.Batch * Output.Height * Output.Width;
        DeviceBuffer x = b.Forward(input.Main);
        CUdeviceptr mainBias = input.MainBias is { } m ? b.Store.Weight(m) : default;
        CUdeviceptr residualBias = input.ResidualBias is { } r ? b.Store.Weight(r) : default;
        LaunchShape shape = SpikeOps.Elements(b, rows * Output.Channels);
        if (input.Residual is { } residual)
        {
            DeviceBuffer added = b.Forward(residual);
            b.Add(b.ForwardOf(Output), new Op(
                Name + " residual",
                [x, added],
                [x],
                t => b.Device.Launch("residual_add_" + b.Suffix, shape, x.At(t), x.At(t), added.At(t), mainBias, residualBias, rows, Output.Channels)));
        }
        else if (input.MainBias is not null)
        {
            b.Add(b.ForwardOf(Output), new Op(
                Name + " bias", [x], [x], t => b.Device.Launch("bias_add_" + b.Suffix, shape, x.At(t), x.At(t), mainBias, rows, Output.Channels)));
        }
    }
}
