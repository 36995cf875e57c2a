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
    /// <exception cref="SlttException">Shapes or channels do not fit.</exception>
    public CudnnBatchNorm(BatchNormModule norm, ConvolutionSum input)
        : base(norm.Name)
    {
        (this.norm, this.input) = (norm, input);
        input.Check(Name, norm);
        input.Main.SavedForBackward = true;
        Output = new Edge(norm.Name, input.Main.Height, input.Main.Width, input.Main.Channels, input.Main.DependsOnInputOnly);
    }

    /// <inheritdoc/>
    public override IReadOnlyList<Edge> Inputs => input.Edges;

    /// <inheritdoc/>
    internal override void Describe(InferenceGraph graph) => graph.Set(Output, input.Describe(graph, norm));

    /// <inheritdoc/>
    public override Action Emit<T>(ProgramBuilder<T> b)
    {
        TensorDescriptor map = b.KeepAlive(new TensorDescriptor());
        TensorDescriptor perChannel = b.KeepAlive(new TensorDescriptor());
        map.SetTensor4dDescriptor(
            cudnnTensorFormat.NHWC, b.Shape.Type.Dnn(), b.Shape.Batch, Output.Channels, Output.Height, Output.Width);
        b.Device.Dnn.DeriveBNTensorDescriptor(perChannel, map, Mode);
        AddUp(b);
        if (b.Shape.Training || b.Shape.BatchStatistics)
        {
            return EmitTraining(b, map, perChannel);
        }

        DeviceBuffer<T> x = b.Activation(input.Main);
        DeviceBuffer<T> y = b.NewActivation(Output);
        b.Add(b.ForwardOf(Output), new Op(
            Name + " by running statistics",
            [x],
            [y],
            t => b.Device.Dnn.BatchNormalizationForwardInference(
                Mode,
                1f,
                0f,
                map,
                x.Address(t),
                map,
                y.Address(t),
                perChannel,
                b.Store.Weight(norm.Weight).Pointer,
                b.Store.Weight(norm.Bias).Pointer,
                b.Store.Statistic(norm.RunningMean).Pointer,
                b.Store.Statistic(norm.RunningVar).Pointer,
                BatchNormModule.Epsilon)));
        return () => { };
    }

    private Action EmitTraining<T>(ProgramBuilder<T> b, TensorDescriptor map, TensorDescriptor perChannel)
        where T : unmanaged
    {
        Section section = b.ForwardOf(Output);
        DeviceBuffer<T> x = b.Activation(input.Main);
        DeviceBuffer<T> y = b.NewActivation(Output);

        // A static input is normalised once, but the running statistics move as in every step. An evaluation leaves them as they are.
        bool updates = b.Shape.Training;
        bool isStatic = b.IsStatic(Output);
        int repeats = isStatic ? b.Shape.Steps : 1;
        double factor = 1 - Math.Pow(1 - (double)BatchNormModule.Momentum, repeats);
        DeviceBuffer<float> mean = b.Keep<float>(Name + " mean", BufferKind.Saved, Output.Channels, isStatic ? 1 : b.Copies);
        DeviceBuffer<float> invstd = b.Keep<float>(Name + " invstd", BufferKind.Saved, Output.Channels, isStatic ? 1 : b.Copies);
        b.Add(section, new Op(
            Name + " forward",
            [x],
            [y, mean, invstd],
            t => b.Device.Dnn.BatchNormalizationForwardTraining(
                Mode,
                1f,
                0f,
                map,
                x.Address(t),
                map,
                y.Address(t),
                perChannel,
                b.Store.Weight(norm.Weight).Pointer,
                b.Store.Weight(norm.Bias).Pointer,
                factor,
                updates ? b.Store.Statistic(norm.RunningMean).Pointer : default,
                updates ? b.Store.Statistic(norm.RunningVar).Pointer : default,
                BatchNormModule.Epsilon,
                mean.Address(t),
                invstd.Address(t))));
        if (updates)
        {
            b.Add(section, new Op(
                Name + " count", [], [], t => b.Device.Kernels.CountBatches(
                    LaunchShape.OneThread, b.Store.Counter(norm.NumBatchesTracked), repeats)));
        }

        return () =>
        {
            DeviceBuffer<T> gradOutput = b.DrainGradient(Output);
            Section backward = b.BackwardOf(Output);
            DeviceBuffer<T> gradInput = b.Scratch<T>(input.Main.Name + " gradient", b.Count(Output), backward);
            b.Add(backward, new Op(
                Name + " backward",
                [x, gradOutput, mean, invstd],
                [gradInput],
                t => b.Device.Dnn.BatchNormalizationBackward(
                    Mode,
                    1f,
                    0f,
                    1f,
                    1f,
                    map,
                    x.Address(t),
                    map,
                    gradOutput.Address(t),
                    map,
                    gradInput.Address(t),
                    perChannel,
                    b.Store.Weight(norm.Weight).Pointer,
                    b.Store.Gradient(norm.Weight).Pointer,
                    b.Store.Gradient(norm.Bias).Pointer,
                    BatchNormModule.Epsilon,
                    mean.Address(t),
                    invstd.Address(t))));
            foreach (Edge edge in Inputs)
            {
                b.AddGradient(edge, gradInput);
            }
        };
    }

    /// <summary>x ← x + residual, with the biases of the convolutions that made them.</summary>
    private void AddUp<T>(ProgramBuilder<T> b)
        where T : unmanaged
    {
        long rows = b.Rows(Output);
        DeviceBuffer<T> x = b.Activation(input.Main);
        LaunchShape shape = b.Elementwise(b.Count(Output));
        if (input.Residual is { } residual)
        {
            DeviceBuffer<T> added = b.Activation(residual);
            b.Add(b.ForwardOf(Output), new Op(
                Name + " residual",
                [x, added],
                [x],
                t => b.Device.Kernels.ResidualAdd(
                    shape,
                    x.At(t),
                    x.At(t),
                    added.At(t),
                    b.Store.WeightOrNull(input.MainBias),
                    b.Store.WeightOrNull(input.ResidualBias),
                    rows,
                    Output.Channels)));
        }
        else if (input.MainBias is { } bias)
        {
            b.Add(b.ForwardOf(Output), new Op(
                Name + " bias",
                [x],
                [x],
                t => b.Device.Kernels.BiasAdd(shape, x.At(t), x.At(t), b.Store.Weight(bias), rows, Output.Channels)));
        }
    }
}
