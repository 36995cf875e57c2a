using ManagedCuda.BasicTypes;
using ManagedCuda.CudaDNN;
using SlttEngine.Planning;

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
    private readonly long multiplyAdds;

    public ConvolutionCalls(ProgramBuilder builder, string name, Value input, Value output, ConvolutionModule module)
    {
        this.builder = builder;
        this.name = name;
        x = builder.Own(new TensorDescriptor());
        y = builder.Own(new TensorDescriptor());
        w = builder.Own(new FilterDescriptor());
        convolution = builder.Own(new ConvolutionDescriptor());
        (int n, cudnnDataType type) = (builder.Shape.Batch, Device.ComputeTypes.Dnn(builder.Shape.Type));
        x.SetTensor4dDescriptor(cudnnTensorFormat.NHWC, type, n, input.Channels, input.Height, input.Width);
        y.SetTensor4dDescriptor(cudnnTensorFormat.NHWC, type, n, output.Channels, output.Height, output.Width);
        w.SetFilter4dDescriptor(type, cudnnTensorFormat.NHWC, module.Out, module.In, module.Kernel, module.Kernel);
        convolution.SetConvolution2dDescriptor(
            module.Padding, module.Padding, module.Stride, module.Stride, 1, 1, cudnnConvolutionMode.CrossCorrelation, cudnnDataType.Float);
        multiplyAdds = n * output.Elements * module.Kernel * module.Kernel * module.In;
        if (builder.Shape.Type != Device.ComputeType.Float32)
        {
            convolution.MathType = cudnnMathType.TensorOP;
        }
    }

    private CudaDNNContext Dnn => builder.Device.Dnn;

    /// <summary>output = w * input.</summary>
    public Op Forward(Tensor input, Func<CUdeviceptr> weight, Tensor output)
    {
        cudnnConvolutionFwdAlgo algo = ConvolutionAlgorithms.Forward(Dnn, x, w, convolution, y);
        ulong bytes = Dnn.GetConvolutionForwardWorkspaceSize(x, w, convolution, y, algo);
        Tensor workspace = Workspace("forward", bytes);
        return new Op(
            name + " forward",
            [input],
            [output, workspace],
            t => Dnn.ConvolutionForward(1f, x, input.At(t), w, weight(), convolution, algo, workspace.At(t), bytes, 0f, y, output.At(t)))
        { MultiplyAdds = multiplyAdds };
    }

    /// <summary>gradInput = wᵀ * gradOutput.</summary>
    public Op BackwardData(Tensor gradOutput, Func<CUdeviceptr> weight, Tensor gradInput)
    {
        cudnnConvolutionBwdDataAlgo algo = ConvolutionAlgorithms.BackwardData(Dnn, w, y, convolution, x);
        ulong bytes = Dnn.GetConvolutionBackwardDataWorkspaceSize(w, y, convolution, x, algo);
        Tensor workspace = Workspace("backward data", bytes);
        return new Op(
            name + " backward data",
            [gradOutput],
            [gradInput, workspace],
            t => Dnn.ConvolutionBackwardData(1f, w, weight(), y, gradOutput.At(t), convolution, algo, workspace.At(t), bytes, 0f, x, gradInput.At(t)))
        { MultiplyAdds = multiplyAdds };
    }

    /// <summary>gradWeight = beta · gradWeight + gradOutput * input.</summary>
    public Op BackwardFilter(Tensor input, Tensor gradOutput, Func<CUdeviceptr> gradWeight, float beta, params Tensor[] writes)
    {
        cudnnConvolutionBwdFilterAlgo algo = ConvolutionAlgorithms.BackwardFilter(Dnn, x, y, convolution, w);
        ulong bytes = Dnn.GetConvolutionBackwardFilterWorkspaceSize(x, y, convolution, w, algo);
        Tensor workspace = Workspace("backward filter", bytes);
        return new Op(
            name + " backward filter",
            [input, gradOutput],
            [workspace, .. writes],
            t => Dnn.ConvolutionBackwardFilter(1f, x, input.At(t), y, gradOutput.At(t), convolution, algo, workspace.At(t), bytes, beta, w, gradWeight()))
        { MultiplyAdds = multiplyAdds };
    }

    private Tensor Workspace(string pass, ulong bytes) => ProgramBuilder.Scratch($"{name} {pass} workspace", (long)bytes, BufferKind.Workspace);
}
