using ManagedCuda.BasicTypes;
using ManagedCuda.CudaDNN;
using SlttEngine.Device;
using Pass = SlttEngine.Tests.Dnn.ConvolutionTests.Pass;

namespace SlttEngine.Tests.Dnn;

/// <summary>One pass of one convolution with its memory.</summary>
internal sealed class ConvolutionRun : IDisposable
{
    private readonly ComputeDevice device;
    private readonly ComputeType type;
    private readonly Pass pass;
    private readonly TensorDescriptor xDesc, yDesc;
    private readonly FilterDescriptor filterDesc;
    private readonly ConvolutionDescriptor convolution = new();
    private GuardedBuffer x, y, filter;
    private readonly GuardedBuffer workspace;

    public ConvolutionRun(ComputeDevice device, ConvolutionTests.Shape shape, ComputeType type, Pass pass, float[]? values = null,
        float[]? weights = null, bool fastMath = false)
    {
        this.device = device;
        this.type = type;
        this.pass = pass;
        X = values ?? Numbers.Random(shape.N * shape.C * shape.H * shape.W, type, 1);
        Filter = weights ?? Numbers.Random(shape.K * shape.C * shape.Size * shape.Size, type, 2);
        Y = Numbers.Random(shape.N * shape.K * shape.P * shape.Q, type, 3);
        Before = Numbers.Random(Result.Length, type, 4);
        xDesc = DnnFixture.Tensor(type, shape.N, shape.C, shape.H, shape.W);
        yDesc = DnnFixture.Tensor(type, shape.N, shape.K, shape.P, shape.Q);
        filterDesc = DnnFixture.Filter(type, shape.K, shape.C, shape.Size, shape.Size);
        convolution.SetConvolution2dDescriptor(shape.Pad, shape.Pad, shape.Stride, shape.Stride, shape.Dilation, shape.Dilation,
            cudnnConvolutionMode.CrossCorrelation, cudnnDataType.Float);
        convolution.MathType = fastMath ? cudnnMathType.Default : cudnnMathType.FMA;
        (x, y, filter) = (new(X, type), new(Y, type), new(Filter, type));
        WorkspaceBytes = pass switch
        {
            Pass.Forward => device.Dnn.GetConvolutionForwardWorkspaceSize(xDesc, filterDesc, convolution, yDesc,
                cudnnConvolutionFwdAlgo.ImplicitPrecompGEMM),
            Pass.BackwardData => device.Dnn.GetConvolutionBackwardDataWorkspaceSize(filterDesc, yDesc, convolution, xDesc,
                cudnnConvolutionBwdDataAlgo.Algo1),
            _ => device.Dnn.GetConvolutionBackwardFilterWorkspaceSize(xDesc, yDesc, convolution, filterDesc,
                cudnnConvolutionBwdFilterAlgo.Algo1),
        };
        workspace = GuardedBuffer.Workspace(WorkspaceBytes);
    }

    public float[] X { get; }

    public float[] Filter { get; }

    public float[] Y { get; }

    /// <summary>What the result's memory holds before a call whose beta is not 0.</summary>
    public float[] Before { get; }

    public SizeT WorkspaceBytes { get; }

    private float[] Result => pass switch { Pass.Forward => Y, Pass.BackwardData => X, _ => Filter };

    /// <summary>The bytes of the result.</summary>
    public byte[] Execute(float alpha, float beta)
    {
        GuardedBuffer result = ResetResult(beta);
        Enqueue(alpha, beta, WorkspaceBytes);
        device.Synchronize();
        result.CheckGuards("the result");
        workspace.CheckGuards("the workspace");
        return result.ReadBytes();
    }

    public byte[] ExecuteFromGraph()
    {
        GuardedBuffer result = ResetResult(0);
        using CapturedGraph graph = CapturedGraph.Capture(device, () => Enqueue(1, 0, WorkspaceBytes));
        device.Synchronize();
        Assert.That(result.ReadBytes(), Is.All.EqualTo((byte)0xff), "captured calls must not run");
        graph.Launch();
        graph.Launch();
        device.Synchronize();
        return result.ReadBytes();
    }

    public void Enqueue(float alpha, float beta, SizeT workspaceBytes)
    {
        switch (pass)
        {
            case Pass.Forward:
                device.Dnn.ConvolutionForward(alpha, xDesc, x.Pointer, filterDesc, filter.Pointer, convolution,
                    cudnnConvolutionFwdAlgo.ImplicitPrecompGEMM, workspace.Pointer, workspaceBytes, beta, yDesc, y.Pointer);
                break;
            case Pass.BackwardData:
                device.Dnn.ConvolutionBackwardData(alpha, filterDesc, filter.Pointer, yDesc, y.Pointer, convolution,
                    cudnnConvolutionBwdDataAlgo.Algo1, workspace.Pointer, workspaceBytes, beta, xDesc, x.Pointer);
                break;
            default:
                device.Dnn.ConvolutionBackwardFilter(alpha, xDesc, x.Pointer, yDesc, y.Pointer, convolution,
                    cudnnConvolutionBwdFilterAlgo.Algo1, workspace.Pointer, workspaceBytes, beta, filterDesc, filter.Pointer);
                break;
        }
    }

    public (cudnnStatus Status, cudnnDeterminism Determinism, SizeT Memory, float Time) FirstAlgorithm(bool search)
    {
        switch (pass)
        {
            case Pass.Forward:
                cudnnConvolutionFwdAlgoPerf forward = search
                    ? device.Dnn.FindConvolutionForwardAlgorithmEx(xDesc, x.Pointer, filterDesc, filter.Pointer, convolution, yDesc,
                        y.Pointer, 4, workspace.Pointer, WorkspaceBytes)[0]
                    : device.Dnn.GetConvolutionForwardAlgorithm_v7(xDesc, filterDesc, convolution, yDesc,
                        device.Dnn.GetConvolutionForwardAlgorithmMaxCount())[0];
                return (forward.status, forward.determinism, forward.memory, forward.time);
            case Pass.BackwardData:
                cudnnConvolutionBwdDataAlgoPerf data = search
                    ? device.Dnn.FindConvolutionBackwardDataAlgorithmEx(filterDesc, filter.Pointer, yDesc, y.Pointer, convolution, xDesc,
                        x.Pointer, 4, workspace.Pointer, WorkspaceBytes)[0]
                    : device.Dnn.GetConvolutionBackwardDataAlgorithm_v7(filterDesc, yDesc, convolution, xDesc,
                        device.Dnn.GetConvolutionBackwardDataAlgorithmMaxCount())[0];
                return (data.status, data.determinism, data.memory, data.time);
            default:
                cudnnConvolutionBwdFilterAlgoPerf gradient = search
                    ? device.Dnn.FindConvolutionBackwardFilterAlgorithmEx(xDesc, x.Pointer, yDesc, y.Pointer, convolution, filterDesc,
                        filter.Pointer, 4, workspace.Pointer, WorkspaceBytes)[0]
                    : device.Dnn.GetConvolutionBackwardFilterAlgorithm_v7(xDesc, yDesc, convolution, filterDesc,
                        device.Dnn.GetConvolutionBackwardFilterAlgorithmMaxCount())[0];
                return (gradient.status, gradient.determinism, gradient.memory, gradient.time);
        }
    }

    public void Dispose()
    {
        x.Dispose();
        y.Dispose();
        filter.Dispose();
        workspace.Dispose();
        xDesc.Dispose();
        yDesc.Dispose();
        filterDesc.Dispose();
        convolution.Dispose();
    }

    /// <summary>The result's memory, filled with poison where it must not be read.</summary>
    private GuardedBuffer ResetResult(float beta)
    {
        ref GuardedBuffer result = ref pass == Pass.Forward ? ref y : ref pass == Pass.BackwardData ? ref x : ref filter;
        result.Dispose();
        result = beta == 0 ? new(Before.Length, type) : new(Before, type);
        return result;
    }
}
