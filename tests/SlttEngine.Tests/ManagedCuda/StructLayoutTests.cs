using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using ManagedCuda.BasicTypes;
using ManagedCuda.CudaBlas;
using ManagedCuda.CudaDNN;

namespace SlttEngine.Tests.ManagedCudaApi;

/// <summary>Structures that C reads or writes have the layout of C's headers.</summary>
public sealed class StructLayoutTests
{
    private static readonly TestCaseData[] Sizes =
    [
        new(Unsafe.SizeOf<SizeT>(), 8, nameof(SizeT)),
        new(Unsafe.SizeOf<CUdeviceptr>(), 8, nameof(CUdeviceptr)),
        new(Unsafe.SizeOf<CUdevice>(), 4, nameof(CUdevice)),
        new(Unsafe.SizeOf<CUcontext>(), 8, nameof(CUcontext)),
        new(Unsafe.SizeOf<CUmodule>(), 8, nameof(CUmodule)),
        new(Unsafe.SizeOf<CUfunction>(), 8, nameof(CUfunction)),
        new(Unsafe.SizeOf<CUstream>(), 8, nameof(CUstream)),
        new(Unsafe.SizeOf<CUevent>(), 8, nameof(CUevent)),
        new(Unsafe.SizeOf<CUgraph>(), 8, nameof(CUgraph)),
        new(Unsafe.SizeOf<CUgraphExec>(), 8, nameof(CUgraphExec)),
        new(Unsafe.SizeOf<CudaBlasHandle>(), 8, nameof(CudaBlasHandle)),
        new(Unsafe.SizeOf<cudnnHandle>(), 8, nameof(cudnnHandle)),
        new(Unsafe.SizeOf<cudnnTensorDescriptor>(), 8, nameof(cudnnTensorDescriptor)),
        new(Unsafe.SizeOf<cudnnConvolutionFwdAlgoPerf>(), 48, nameof(cudnnConvolutionFwdAlgoPerf)),
        new(Unsafe.SizeOf<cudnnConvolutionBwdDataAlgoPerf>(), 48, nameof(cudnnConvolutionBwdDataAlgoPerf)),
        new(Unsafe.SizeOf<cudnnConvolutionBwdFilterAlgoPerf>(), 48, nameof(cudnnConvolutionBwdFilterAlgoPerf)),
    ];

    [TestCaseSource(nameof(Sizes))]
    public void SizeIsTheHeadersSize(int size, int expected, string type) => Assert.That(size, Is.EqualTo(expected), type);

    [TestCase(typeof(cudnnConvolutionFwdAlgoPerf))]
    [TestCase(typeof(cudnnConvolutionBwdDataAlgoPerf))]
    [TestCase(typeof(cudnnConvolutionBwdFilterAlgoPerf))]
    public void PerfFieldsAreWhereCudnnWritesThem(Type perf)
    {
        Dictionary<string, int> offsets = new()
        {
            ["algo"] = 0,
            ["status"] = 4,
            ["time"] = 8,
            ["memory"] = 16,
            ["determinism"] = 24,
            ["mathType"] = 28,
        };
        foreach ((string field, int offset) in offsets)
        {
            Assert.That((int)Marshal.OffsetOf(perf, field), Is.EqualTo(offset), field);
        }
    }
}
