using ManagedCuda.BasicTypes;
using ManagedCuda.CudaDNN;
using SlttEngine.Device;
using SlttEngine.Graph;

namespace SlttEngine.Layers;

/// <summary>cuDNN's three passes of one convolution, with descriptors, algorithms and workspaces fixed for a program.</summary>
/// <typeparam name="T">Compute type.</typeparam>
internal sealed class ConvolutionCalls<T>
    where T : unmanaged
{
    private readonly ProgramBuilder<T> builder;
    private readonly ConvolutionModule module;
    private readonly string sizes;
    private readonly TensorDescriptor x;
    private readonly TensorDescriptor y;
    private readonly FilterDescriptor w;
    private readonly ConvolutionDescriptor convolution;
    private readonly cudnnMathType asked;
    private readonly long multiplyAdds;
    private readonly (long X, long W, long Y) bytes;

    /// <summary>Describes the convolution to cuDNN.</summary>
    /// <param name="builder">The program.</param>
    /// <param name="module">Sizes.</param>
    /// <param name="input">What it reads.</param>
    /// <param name="output">What it makes.</param>
    public ConvolutionCalls(ProgramBuilder<T> builder, ConvolutionModule module, Edge input, Edge output)
    {
        (this.builder, this.module) = (builder, module);
        x = builder.KeepAlive(new TensorDescriptor());
        y = builder.KeepAlive(new TensorDescriptor());
        w = builder.KeepAlive(new FilterDescriptor());
        (int n, cudnnDataType type) = (builder.Shape.Batch, builder.Shape.Type.Dnn());
        x.SetTensor4dDescriptor(cudnnTensorFormat.NHWC, type, n, input.Channels, input.Height, input.Width);
        y.SetTensor4dDescriptor(cudnnTensorFormat.NHWC, type, n, output.Channels, output.Height, output.Width);
        w.SetFilter4dDescriptor(type, cudnnTensorFormat.NHWC, module.Out, module.In, module.Kernel, module.Kernel);
        int size = builder.Shape.Type.Size();
        bytes = (n * input.Elements * size, builder.WorkingBytes(module.Weight), n * output.Elements * size);
        sizes = $"{input.Height}, {input.Width}, {input.Channels}) by ({module.Out}, {module.Kernel}, {module.Kernel}, {module.In})"
            + $" stride {module.Stride} padding {module.Padding}{(builder.Shape.FastMath ? " fast" : string.Empty)}";
        multiplyAdds = n * output.Elements * module.Kernel * module.Kernel * module.In;

        // The default lets a GPU round float to TF32, which flips spikes.
        asked = builder.Shape.Type != ComputeType.Float32 ? cudnnMathType.TensorOP
            : builder.Shape.FastMath ? cudnnMathType.Default : cudnnMathType.FMA;
        convolution = Descriptor(asked);
    }

    private CudaDNNContext Dnn => builder.Device.Dnn;

    /// <summary>output = w * input.</summary>
    /// <param name="input">Activation.</param>
    /// <param name="filter">The filter.</param>
    /// <param name="output">Activation.</param>
    public Op Forward(DeviceBuffer<T> input, Filter<T> filter, DeviceBuffer<T> output)
    {
        int count = Dnn.GetConvolutionForwardAlgorithmMaxCount();
        Pass pass = Choose(
            "forward",
            ConvolutionChoices.Pass.Forward,
            () => Allowed(Dnn.GetConvolutionForwardAlgorithm_v7(x, w, convolution, y, count)).Select(p => AlgorithmOffer.Of(p, asked)),
            (a, b, c, space, size) => Allowed(Dnn.FindConvolutionForwardAlgorithmEx(x, a, w, b, convolution, y, c, count, space, size))
                .Select(p => AlgorithmOffer.Of(p, asked)),
            (algorithm, descriptor) => Dnn.GetConvolutionForwardWorkspaceSize(x, w, descriptor, y, (cudnnConvolutionFwdAlgo)algorithm));
        return ToOp(pass, [input, .. filter.Buffers], [output], filter.ParameterBytes, t => Dnn.ConvolutionForward(
            1f,
            x,
            input.Address(t),
            w,
            filter.Address(),
            pass.Descriptor,
            (cudnnConvolutionFwdAlgo)pass.Algorithm,
            pass.Workspace.Address(t),
            pass.Bytes,
            0f,
            y,
            output.Address(t)));
    }

    /// <summary>gradInput = wᵀ * gradOutput.</summary>
    /// <param name="gradOutput">Gradient of the output.</param>
    /// <param name="filter">The filter.</param>
    /// <param name="gradInput">Gradient of the input.</param>
    public Op BackwardData(DeviceBuffer<T> gradOutput, Filter<T> filter, DeviceBuffer<T> gradInput)
    {
        int count = Dnn.GetConvolutionBackwardDataAlgorithmMaxCount();
        Pass pass = Choose(
            "backward data",
            ConvolutionChoices.Pass.BackwardData,
            () => Dnn.GetConvolutionBackwardDataAlgorithm_v7(w, y, convolution, x, count).Select(p => AlgorithmOffer.Of(p, asked)),
            (a, b, c, space, size) => Dnn.FindConvolutionBackwardDataAlgorithmEx(w, b, y, c, convolution, x, a, count, space, size)
                .Select(p => AlgorithmOffer.Of(p, asked)),
            (algorithm, descriptor) => Dnn.GetConvolutionBackwardDataWorkspaceSize(
                w, y, descriptor, x, (cudnnConvolutionBwdDataAlgo)algorithm));
        return ToOp(pass, [gradOutput, .. filter.Buffers], [gradInput], filter.ParameterBytes, t => Dnn.ConvolutionBackwardData(
            1f,
            w,
            filter.Address(),
            y,
            gradOutput.Address(t),
            pass.Descriptor,
            (cudnnConvolutionBwdDataAlgo)pass.Algorithm,
            pass.Workspace.Address(t),
            pass.Bytes,
            0f,
            x,
            gradInput.Address(t)));
    }

    /// <summary>gradient = beta · gradient + gradOutput * input, for the filter.</summary>
    /// <param name="input">Activation.</param>
    /// <param name="gradOutput">Gradient of the output.</param>
    /// <param name="gradient">Gradient of the filter.</param>
    /// <param name="beta">1: it is added up; 0: it is overwritten.</param>
    public Op BackwardFilter(DeviceBuffer<T> input, DeviceBuffer<T> gradOutput, Filter<T> gradient, float beta)
    {
        int count = Dnn.GetConvolutionBackwardFilterAlgorithmMaxCount();
        Pass pass = Choose(
            "backward filter",
            ConvolutionChoices.Pass.BackwardFilter,
            () => Dnn.GetConvolutionBackwardFilterAlgorithm_v7(x, y, convolution, w, count).Select(p => AlgorithmOffer.Of(p, asked)),
            (a, b, c, space, size) => Dnn.FindConvolutionBackwardFilterAlgorithmEx(x, a, y, c, convolution, w, b, count, space, size)
                .Select(p => AlgorithmOffer.Of(p, asked)),
            (algorithm, descriptor) => Dnn.GetConvolutionBackwardFilterWorkspaceSize(
                x, y, descriptor, w, (cudnnConvolutionBwdFilterAlgo)algorithm));
        long moved = gradient.ParameterBytes * (beta == 0 ? 1 : 2);
        return ToOp(pass, [input, gradOutput], gradient.Buffers, moved, t => Dnn.ConvolutionBackwardFilter(
            1f,
            x,
            input.Address(t),
            y,
            gradOutput.Address(t),
            pass.Descriptor,
            (cudnnConvolutionBwdFilterAlgo)pass.Algorithm,
            pass.Workspace.Address(t),
            pass.Bytes,
            beta,
            w,
            gradient.Address()));
    }

    // Transforms round more than sums of products do. In float32, where a threshold could turn that into a spike, forward uses them only
    // with
    // --fast-math.
    private IEnumerable<cudnnConvolutionFwdAlgoPerf> Allowed(IEnumerable<cudnnConvolutionFwdAlgoPerf> offers) =>
        asked != cudnnMathType.FMA
            ? offers
            : offers.Where(p => p.algo is cudnnConvolutionFwdAlgo.ImplicitGEMM or cudnnConvolutionFwdAlgo.ImplicitPrecompGEMM
                or cudnnConvolutionFwdAlgo.GEMM or cudnnConvolutionFwdAlgo.Direct);

    /// <summary>Chooses a pass's algorithm; the functions are the pass's own in cuDNN.</summary>
    private Pass Choose(
        string name,
        ConvolutionChoices.Pass number,
        Func<IEnumerable<AlgorithmOffer>> guess,
        Func<CUdeviceptr, CUdeviceptr, CUdeviceptr, CUdeviceptr, long, IEnumerable<AlgorithmOffer>> measure,
        Func<int, ConvolutionDescriptor, ulong> workspaceBytes)
    {
        string suffix = builder.Shape.Type.Suffix();
        bool measures = builder.MeasuresAlgorithms;
        builder.Device.ConvolutionChoices?.Resolve($"{name} {suffix} ({sizes}", number, x, w, convolution, y, measures);
        string call = $"{name} {suffix} ({builder.Shape.Batch}, {sizes}";
        (int algorithm, cudnnMathType math) = builder.Device.Convolutions.Choose(call, guess, measure, bytes, measures);
        ConvolutionDescriptor descriptor = math == asked ? convolution : Descriptor(math);
        ulong needed = workspaceBytes(algorithm, descriptor);
        return new Pass(name, algorithm, descriptor, builder.Workspace($"{module.Name} {name}", (long)needed), needed);
    }

    private Op ToOp(Pass pass, DeviceBuffer[] reads, DeviceBuffer[] writes, long parameterBytes, Action<int> launch) =>
        new($"{module.Name} {pass.Name}", reads, [.. writes, pass.Workspace], launch)
        {
            MultiplyAdds = multiplyAdds,
            ParameterBytes = parameterBytes,
        };

    // cuDNN may do one pass in another math than the one asked for, as where channels are no multiple of 8. It rejects the algorithm unless
    // the descriptor says that math.
    private ConvolutionDescriptor Descriptor(cudnnMathType math)
    {
        ConvolutionDescriptor descriptor = builder.KeepAlive(new ConvolutionDescriptor());
        descriptor.SetConvolution2dDescriptor(
            module.Padding, module.Padding, module.Stride, module.Stride, 1, 1, cudnnConvolutionMode.CrossCorrelation, cudnnDataType.Float);
        descriptor.MathType = math;
        return descriptor;
    }

    /// <summary>What was chosen for a pass.</summary>
    private sealed record Pass(string Name, int Algorithm, ConvolutionDescriptor Descriptor, DeviceBuffer<byte> Workspace, ulong Bytes);
}

/// <summary>A filter, or its gradient: a parameter's part of the store, or a buffer of the program.</summary>
/// <typeparam name="T">Compute type.</typeparam>
/// <param name="Address">Asks for its address; at a launch.</param>
/// <param name="Buffers">The buffer, if it is one.</param>
/// <param name="ParameterBytes">Its bytes, if it is the store's.</param>
internal sealed record Filter<T>(Func<CUdeviceptr> Address, DeviceBuffer[] Buffers, long ParameterBytes)
    where T : unmanaged
{
    /// <summary>A buffer of the program.</summary>
    /// <param name="buffer">The buffer.</param>
    public static Filter<T> Of(DeviceBuffer<T> buffer) => new(() => buffer.Address(0), [buffer], 0);

    /// <summary>A part of the store.</summary>
    /// <param name="b">The program.</param>
    /// <param name="parameter">Whose.</param>
    /// <param name="address">Asks for its address.</param>
    public static Filter<T> Of(ProgramBuilder<T> b, Parameter parameter, Func<DevicePtr<T>> address) =>
        new(() => address().Pointer, [], b.WorkingBytes(parameter));
}
