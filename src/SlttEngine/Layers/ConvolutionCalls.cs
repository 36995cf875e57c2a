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
    private readonly FilterDescriptor w;
    private readonly ConvolutionDescriptor convolution;
    private readonly cudnnMathType asked;
    private readonly bool transforms;
    private readonly long multiplyAdds;
    private readonly IReadOnlyList<Images> images;

    /// <summary>Describes the convolution to cuDNN.</summary>
    /// <param name="builder">The program.</param>
    /// <param name="module">Sizes.</param>
    /// <param name="input">What it reads.</param>
    /// <param name="output">What it makes.</param>
    /// <param name="exactProducts">True: TF32 holds both factors of each product exactly.</param>
    public ConvolutionCalls(
        ProgramBuilder<T> builder, ConvolutionModule module, Edge input, Edge output, bool exactProducts = false)
    {
        (this.builder, this.module) = (builder, module);
        images = [.. (builder.IsStatic(output) ? [1] : builder.StepCounts).Select(steps => new Images(builder, steps, input, output))];
        w = builder.KeepAlive(new FilterDescriptor());
        w.SetFilter4dDescriptor(builder.Shape.Type.Dnn(), cudnnTensorFormat.NHWC, module.Out, module.In, module.Kernel, module.Kernel);
        sizes = $"{input.Height}, {input.Width}, {input.Channels}) by ({module.Out}, {module.Kernel}, {module.Kernel}, {module.In})"
            + $" stride {module.Stride} padding {module.Padding}{(builder.Shape.FastMath ? " fast" : string.Empty)}"
            + (exactProducts ? " exact products" : string.Empty);
        multiplyAdds = builder.Shape.Batch * output.Elements * module.Kernel * module.Kernel * module.In;

        // The default lets a GPU round float to TF32, which flips spikes, but for factors that TF32 holds. It lets the CPU device
        // transform.
        bool roundsNothing = exactProducts && !builder.Device.IsCpu;
        asked = builder.Shape.Type != ComputeType.Float32 ? cudnnMathType.TensorOP
            : builder.Shape.FastMath || roundsNothing ? cudnnMathType.Default : cudnnMathType.FMA;
        transforms = builder.Shape.Type != ComputeType.Float32 || (builder.Shape.FastMath && !exactProducts);
        convolution = Descriptor(asked);
    }

    private CudaDNNContext Dnn => builder.Device.Dnn;

    /// <summary>output = w * input.</summary>
    /// <param name="input">Activation.</param>
    /// <param name="filter">The filter.</param>
    /// <param name="output">Activation.</param>
    /// <param name="adds">True: output += w * input.</param>
    public Op Forward(DeviceBuffer<T> input, Filter<T> filter, DeviceBuffer<T> output, bool adds = false)
    {
        int count = Dnn.GetConvolutionForwardAlgorithmMaxCount();
        Pass pass = Choose(
            "forward",
            ConvolutionChoices.Pass.Forward,
            i => Allowed(Dnn.GetConvolutionForwardAlgorithm_v7(i.X, w, convolution, i.Y, count)).Select(p => AlgorithmOffer.Of(p, asked)),
            (i, a, b, c, space, size) =>
                Allowed(Dnn.FindConvolutionForwardAlgorithmEx(i.X, a, w, b, convolution, i.Y, c, count, space, size))
                    .Select(p => AlgorithmOffer.Of(p, asked)),
            (i, algorithm, descriptor) =>
                Dnn.GetConvolutionForwardWorkspaceSize(i.X, w, descriptor, i.Y, (cudnnConvolutionFwdAlgo)algorithm));
        DeviceBuffer[] reads = adds ? [input, .. filter.Buffers, output] : [input, .. filter.Buffers];
        return ToOp(pass, reads, [output], filter.ParameterBytes, (choice, t) => Dnn.ConvolutionForward(
            1f,
            choice.Images.X,
            input.Address(t),
            w,
            filter.Address(),
            choice.Descriptor,
            (cudnnConvolutionFwdAlgo)choice.Algorithm,
            pass.Workspace.Address(t),
            choice.WorkspaceBytes,
            adds ? 1f : 0f,
            choice.Images.Y,
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
            i => Dnn.GetConvolutionBackwardDataAlgorithm_v7(w, i.Y, convolution, i.X, count).Select(p => AlgorithmOffer.Of(p, asked)),
            (i, a, b, c, space, size) =>
                Dnn.FindConvolutionBackwardDataAlgorithmEx(w, b, i.Y, c, convolution, i.X, a, count, space, size)
                    .Select(p => AlgorithmOffer.Of(p, asked)),
            (i, algorithm, descriptor) => Dnn.GetConvolutionBackwardDataWorkspaceSize(
                w, i.Y, descriptor, i.X, (cudnnConvolutionBwdDataAlgo)algorithm));
        return ToOp(pass, [gradOutput, .. filter.Buffers], [gradInput], filter.ParameterBytes, (choice, t) => Dnn.ConvolutionBackwardData(
            1f,
            w,
            filter.Address(),
            choice.Images.Y,
            gradOutput.Address(t),
            choice.Descriptor,
            (cudnnConvolutionBwdDataAlgo)choice.Algorithm,
            pass.Workspace.Address(t),
            choice.WorkspaceBytes,
            0f,
            choice.Images.X,
            gradInput.Address(t)));
    }

    /// <summary>gradient = beta · gradient + gradOutput * input, for the filter, summed over all images.</summary>
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
            i => Dnn.GetConvolutionBackwardFilterAlgorithm_v7(i.X, i.Y, convolution, w, count).Select(p => AlgorithmOffer.Of(p, asked)),
            (i, a, b, c, space, size) =>
                Dnn.FindConvolutionBackwardFilterAlgorithmEx(i.X, a, i.Y, c, convolution, w, b, count, space, size)
                    .Select(p => AlgorithmOffer.Of(p, asked)),
            (i, algorithm, descriptor) => Dnn.GetConvolutionBackwardFilterWorkspaceSize(
                i.X, i.Y, descriptor, w, (cudnnConvolutionBwdFilterAlgo)algorithm));
        long moved = gradient.ParameterBytes * (beta == 0 ? 1 : 2);
        return ToOp(pass, [input, gradOutput], gradient.Buffers, moved, (choice, t) => Dnn.ConvolutionBackwardFilter(
            1f,
            choice.Images.X,
            input.Address(t),
            choice.Images.Y,
            gradOutput.Address(t),
            choice.Descriptor,
            (cudnnConvolutionBwdFilterAlgo)choice.Algorithm,
            pass.Workspace.Address(t),
            choice.WorkspaceBytes,
            beta,
            w,
            gradient.Address()))
        with
        { CarriedBytes = gradient.Buffers.Sum(g => g.Bytes) };
    }

    // Transforms round more than sums of products do. In float32, where a threshold could turn that into a spike, forward uses them only
    // with --fast-math.
    private IEnumerable<cudnnConvolutionFwdAlgoPerf> Allowed(IEnumerable<cudnnConvolutionFwdAlgoPerf> offers) =>
        transforms
            ? offers
            : offers.Where(p => p.algo is cudnnConvolutionFwdAlgo.ImplicitGEMM or cudnnConvolutionFwdAlgo.ImplicitPrecompGEMM
                or cudnnConvolutionFwdAlgo.GEMM or cudnnConvolutionFwdAlgo.Direct);

    /// <summary>Chooses a pass's algorithm for each number of images; the functions are the pass's own in cuDNN.</summary>
    private Pass Choose(
        string name,
        ConvolutionChoices.Pass number,
        Func<Images, IEnumerable<AlgorithmOffer>> guess,
        Func<Images, CUdeviceptr, CUdeviceptr, CUdeviceptr, CUdeviceptr, long, IEnumerable<AlgorithmOffer>> measure,
        Func<Images, int, ConvolutionDescriptor, ulong> workspaceBytes)
    {
        string suffix = builder.Shape.Type.Suffix();
        bool measures = builder.MeasuresAlgorithms;
        builder.Device.ConvolutionChoices?.Resolve(
            $"{name} {suffix} ({sizes}", number, images[0].X, w, convolution, images[0].Y, measures);
        Dictionary<int, Choice> choices = [];
        foreach (Images i in images)
        {
            (int algorithm, cudnnMathType math) = builder.Device.Convolutions.Choose(
                $"{name} {suffix} ({i.Count}, {sizes}",
                () => guess(i),
                (a, b, c, space, size) => measure(i, a, b, c, space, size),
                (i.BytesOfX, builder.WorkingBytes(module.Weight), i.BytesOfY),
                measures);
            ConvolutionDescriptor descriptor = math == asked ? convolution : Descriptor(math);
            choices.Add(i.Steps, new Choice(i, algorithm, descriptor, workspaceBytes(i, algorithm, descriptor)));
        }

        ulong needed = choices.Values.Max(c => c.WorkspaceBytes);
        return new Pass(name, choices, builder.Workspace($"{module.Name} {name}", (long)needed));
    }

    private Op ToOp(Pass pass, DeviceBuffer[] reads, DeviceBuffer[] writes, long parameterBytes, Action<Choice, int> launch) =>
        Op.ForSteps(
            $"{module.Name} {pass.Name}", reads, [.. writes, pass.Workspace], s => launch(pass.Choices[s.Count], s.First)) with
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

    /// <summary>The activations of steps side by side, as cuDNN sees them: one batch of images.</summary>
    private sealed record Images
    {
        public Images(ProgramBuilder<T> builder, int steps, Edge input, Edge output)
        {
            (Steps, Count) = (steps, steps * builder.Shape.Batch);
            int size = builder.Shape.Type.Size();
            (BytesOfX, BytesOfY) = (Count * input.Elements * size, Count * output.Elements * size);
            (X, Y) = (Tensor(input), Tensor(output));

            TensorDescriptor Tensor(Edge edge)
            {
                TensorDescriptor tensor = builder.KeepAlive(new TensorDescriptor());
                tensor.SetTensor4dDescriptor(
                    cudnnTensorFormat.NHWC, builder.Shape.Type.Dnn(), Count, edge.Channels, edge.Height, edge.Width);
                return tensor;
            }
        }

        public int Steps { get; }

        public int Count { get; }

        public TensorDescriptor X { get; }

        public TensorDescriptor Y { get; }

        public long BytesOfX { get; }

        public long BytesOfY { get; }
    }

    /// <summary>What was chosen for a pass over so many images.</summary>
    private sealed record Choice(Images Images, int Algorithm, ConvolutionDescriptor Descriptor, ulong WorkspaceBytes);

    /// <summary>A pass: what was chosen for each number of steps side by side, and the workspace that all of it fits into.</summary>
    private sealed record Pass(string Name, IReadOnlyDictionary<int, Choice> Choices, DeviceBuffer<byte> Workspace);
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
