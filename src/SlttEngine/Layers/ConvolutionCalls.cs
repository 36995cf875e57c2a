using ManagedCuda.BasicTypes;
using ManagedCuda.CudaDNN;
using SlttEngine.Device;
using SlttEngine.Graph;

namespace SlttEngine.Layers;

/// <summary>cuDNN's three passes of one convolution, with descriptors, algorithms and workspaces fixed for a program.</summary>
internal sealed class ConvolutionCalls
{
    private readonly ProgramBuilder builder;
    private readonly string name;
    private readonly TensorDescriptor x;
    private readonly TensorDescriptor y;
    private readonly FilterDescriptor w;
    private readonly ConvolutionDescriptor convolution;
    private readonly ConvolutionModule module;
    private readonly cudnnMathType asked;
    private readonly long multiplyAdds;
    private readonly string sizes;
    private readonly string shapes;
    private readonly (long X, long W, long Y) bytes;

    public ConvolutionCalls(ProgramBuilder builder, string name, Edge input, Edge output, ConvolutionModule module)
    {
        this.builder = builder;
        this.name = name;
        this.module = module;
        x = builder.Own(new TensorDescriptor());
        y = builder.Own(new TensorDescriptor());
        w = builder.Own(new FilterDescriptor());
        (int n, cudnnDataType type) = (builder.Shape.Batch, Device.ComputeTypes.Dnn(builder.Shape.Type));
        x.SetTensor4dDescriptor(cudnnTensorFormat.NHWC, type, n, input.Channels, input.Height, input.Width);
        y.SetTensor4dDescriptor(cudnnTensorFormat.NHWC, type, n, output.Channels, output.Height, output.Width);
        w.SetFilter4dDescriptor(type, cudnnTensorFormat.NHWC, module.Out, module.In, module.Kernel, module.Kernel);
        int size = Device.ComputeTypes.Size(builder.Shape.Type);
        bytes = (n * input.Elements * size, (long)module.Weight.Count * size, n * output.Elements * size);
        sizes = $"{input.Height}, {input.Width}, {input.Channels}) by ({module.Out}, {module.Kernel}, {module.Kernel}, {module.In})"
            + $" stride {module.Stride} padding {module.Padding}{(builder.Shape.FastMath ? " fast" : string.Empty)}";
        shapes = $"{builder.Suffix} ({n}, {sizes}";
        multiplyAdds = n * output.Elements * module.Kernel * module.Kernel * module.In;

        // The default lets a GPU round float to TF32, which flips spikes.
        asked = builder.Shape.Type != Device.ComputeType.Float32 ? cudnnMathType.TensorOP
            : builder.Shape.FastMath ? cudnnMathType.Default : cudnnMathType.FMA;
        convolution = Descriptor(asked);
    }

    private CudaDNNContext Dnn => builder.Device.Dnn;

    /// <summary>output = w * input.</summary>
    public Op Forward(DeviceBuffer input, Func<CUdeviceptr> weight, DeviceBuffer output)
    {
        Settle(Device.ConvolutionChoices.Pass.Forward, "forward");
        int count = Dnn.GetConvolutionForwardAlgorithmMaxCount();
        (int number, ConvolutionDescriptor descriptor) = Choose(
            "forward",
            () => Allowed(Dnn.GetConvolutionForwardAlgorithm_v7(x, w, convolution, y, count)).Select(p => AlgorithmOffer.Of(p, asked)),
            (a, b, c, space, most) => Allowed(Dnn.FindConvolutionForwardAlgorithmEx(x, a, w, b, convolution, y, c, count, space, most)).Select(p => AlgorithmOffer.Of(p, asked)));
        cudnnConvolutionFwdAlgo algo = (cudnnConvolutionFwdAlgo)number;
        ulong needed = Dnn.GetConvolutionForwardWorkspaceSize(x, w, descriptor, y, algo);
        DeviceBuffer workspace = Workspace("forward", needed);
        return new Op(
            name + " forward",
            [input],
            [output, workspace],
            t => Dnn.ConvolutionForward(1f, x, input.At(t), w, weight(), descriptor, algo, workspace.At(t), needed, 0f, y, output.At(t)))
        { MultiplyAdds = multiplyAdds };
    }

    /// <summary>gradInput = wᵀ * gradOutput.</summary>
    public Op BackwardData(DeviceBuffer gradOutput, Func<CUdeviceptr> weight, DeviceBuffer gradInput)
    {
        Settle(Device.ConvolutionChoices.Pass.BackwardData, "backward data");
        int count = Dnn.GetConvolutionBackwardDataAlgorithmMaxCount();
        (int number, ConvolutionDescriptor descriptor) = Choose(
            "backward data",
            () => Dnn.GetConvolutionBackwardDataAlgorithm_v7(w, y, convolution, x, count).Select(p => AlgorithmOffer.Of(p, asked)),
            (a, b, c, space, most) => Dnn.FindConvolutionBackwardDataAlgorithmEx(w, b, y, c, convolution, x, a, count, space, most).Select(p => AlgorithmOffer.Of(p, asked)));
        cudnnConvolutionBwdDataAlgo algo = (cudnnConvolutionBwdDataAlgo)number;
        ulong needed = Dnn.GetConvolutionBackwardDataWorkspaceSize(w, y, descriptor, x, algo);
        DeviceBuffer workspace = Workspace("backward data", needed);
        return new Op(
            name + " backward data",
            [gradOutput],
            [gradInput, workspace],
            t => Dnn.ConvolutionBackwardData(1f, w, weight(), y, gradOutput.At(t), descriptor, algo, workspace.At(t), needed, 0f, x, gradInput.At(t)))
        { MultiplyAdds = multiplyAdds };
    }

    /// <summary>gradWeight = beta · gradWeight + gradOutput * input.</summary>
    public Op BackwardFilter(DeviceBuffer input, DeviceBuffer gradOutput, Func<CUdeviceptr> gradWeight, float beta, params DeviceBuffer[] writes)
    {
        Settle(Device.ConvolutionChoices.Pass.BackwardFilter, "backward filter");
        int count = Dnn.GetConvolutionBackwardFilterAlgorithmMaxCount();
        (int number, ConvolutionDescriptor descriptor) = Choose(
            "backward filter",
            () => Dnn.GetConvolutionBackwardFilterAlgorithm_v7(x, y, convolution, w, count).Select(p => AlgorithmOffer.Of(p, asked)),
            (a, b, c, space, most) => Dnn.FindConvolutionBackwardFilterAlgorithmEx(x, a, y, c, convolution, w, b, count, space, most).Select(p => AlgorithmOffer.Of(p, asked)));
        cudnnConvolutionBwdFilterAlgo algo = (cudnnConvolutionBwdFilterAlgo)number;
        ulong needed = Dnn.GetConvolutionBackwardFilterWorkspaceSize(x, y, descriptor, w, algo);
        DeviceBuffer workspace = Workspace("backward filter", needed);
        return new Op(
            name + " backward filter",
            [input, gradOutput],
            [workspace, .. writes],
            t => Dnn.ConvolutionBackwardFilter(1f, x, input.At(t), y, gradOutput.At(t), descriptor, algo, workspace.At(t), needed, beta, w, gradWeight()))
        { MultiplyAdds = multiplyAdds };
    }

    // Transforms round more than sums of products do: in float32, where a threshold could turn that into a spike, forward takes them only with --fast-math.
    private IEnumerable<cudnnConvolutionFwdAlgoPerf> Allowed(IEnumerable<cudnnConvolutionFwdAlgoPerf> offers) =>
        asked != cudnnMathType.FMA
            ? offers
            : offers.Where(p => p.algo is cudnnConvolutionFwdAlgo.ImplicitGEMM or cudnnConvolutionFwdAlgo.ImplicitPrecompGEMM or cudnnConvolutionFwdAlgo.GEMM or cudnnConvolutionFwdAlgo.Direct);

    private void Settle(Device.ConvolutionChoices.Pass pass, string passName) => builder.Device.ConvolutionChoices?.Settle(
        $"{passName} {builder.Suffix} ({sizes}", pass, x, w, convolution, y, builder.MeasuresAlgorithms);

    private (int Algorithm, ConvolutionDescriptor Descriptor) Choose(
        string pass,
        Func<IEnumerable<AlgorithmOffer>> guess,
        Func<CUdeviceptr, CUdeviceptr, CUdeviceptr, CUdeviceptr, long, IEnumerable<AlgorithmOffer>> measure)
    {
        (int algorithm, cudnnMathType math) = builder.Device.Convolutions.Choose($"{pass} {shapes}", guess, measure, bytes, builder.MeasuresAlgorithms);
        return (algorithm, math == asked ? convolution : Descriptor(math));
    }

    // cuDNN may do one pass in another math than the one asked for, as where channels are no multiple of 8, and refuses the algorithm under another's name.
    private ConvolutionDescriptor Descriptor(cudnnMathType math)
    {
        ConvolutionDescriptor descriptor = builder.Own(new ConvolutionDescriptor());
        descriptor.SetConvolution2dDescriptor(
            module.Padding, module.Padding, module.Stride, module.Stride, 1, 1, cudnnConvolutionMode.CrossCorrelation, cudnnDataType.Float);
        descriptor.MathType = math;
        return descriptor;
    }

    private DeviceBuffer Workspace(string pass, ulong bytes) => ProgramBuilder.Scratch($"{name} {pass} workspace", (long)bytes, BufferKind.Workspace);
}
