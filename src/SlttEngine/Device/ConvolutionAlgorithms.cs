using ManagedCuda;
using ManagedCuda.BasicTypes;
using ManagedCuda.CudaDNN;

namespace SlttEngine.Device;

/// <summary>An algorithm that cuDNN offers for a call.</summary>
/// <param name="Algorithm">cuDNN's number of it.</param>
/// <param name="Works">It can do this call.</param>
/// <param name="Math">The math that it does the call in: what the descriptor must say where it is used.</param>
/// <param name="AsAsked">That is the math that was asked for, or the default, which leaves it open; cuDNN also tells of others.</param>
/// <param name="Deterministic">The same bits each time.</param>
/// <param name="Workspace">Workspace, bytes.</param>
/// <param name="Milliseconds">Its time, if it was measured.</param>
internal readonly record struct AlgorithmOffer(
    int Algorithm, bool Works, cudnnMathType Math, bool AsAsked, bool Deterministic, ulong Workspace, double Milliseconds)
{
    public static AlgorithmOffer Of(cudnnConvolutionFwdAlgoPerf p, cudnnMathType math) =>
        Of((int)p.algo, p.status, p.mathType, math, p.determinism, p.memory, p.time);

    public static AlgorithmOffer Of(cudnnConvolutionBwdDataAlgoPerf p, cudnnMathType math) =>
        Of((int)p.algo, p.status, p.mathType, math, p.determinism, p.memory, p.time);

    public static AlgorithmOffer Of(cudnnConvolutionBwdFilterAlgoPerf p, cudnnMathType math) =>
        Of((int)p.algo, p.status, p.mathType, math, p.determinism, p.memory, p.time);

    // Where float32 must stay float32, tensor cores would round it, and no other word than FMA on the descriptor keeps them off.
    private static AlgorithmOffer Of(
        int algorithm, cudnnStatus status, cudnnMathType math, cudnnMathType asked, cudnnDeterminism determinism, ulong workspace,
        double milliseconds)
    {
        bool rounds = asked == cudnnMathType.FMA && math is not (cudnnMathType.FMA or cudnnMathType.Default);
        return new(
            algorithm,
            status == cudnnStatus.Success && !rounds,
            asked == cudnnMathType.FMA ? asked : math,
            math == asked || (asked == cudnnMathType.Default && math != cudnnMathType.TensorOPAllowConversion),
            determinism == cudnnDeterminism.Deterministic,
            workspace,
            milliseconds);
    }
}

/// <summary>
/// Chooses cuDNN's algorithm for a convolution pass: of the deterministic ones within the workspace's limit, the fastest.
/// </summary>
/// <remarks>
/// The fastest is measured once on memory of its own, before the run's memory is planned, and remembered
/// (<see cref="MeasuredChoices{T}"/>), because cuDNN's guesses are at times far off. Where a library offers one algorithm alone, as the CPU
/// device does, nothing is measured. Two algorithms add up in different orders: where nothing can be remembered, two runs may differ in the
/// last bits.
/// </remarks>
internal sealed class ConvolutionAlgorithms(ComputeDevice device, MeasuredChoices<RememberedAlgorithm> cache)
{
    /// <summary>No convolution gets more workspace than this, bytes, unless each deterministic algorithm needs more.</summary>
    public const long WorkspaceLimit = 256L << 20;

    /// <summary>Chooses.</summary>
    /// <param name="call">Pass, shapes and type: what the time depends on.</param>
    /// <param name="guess">cuDNN's own order, the best first.</param>
    /// <param name="measure">Measures all of them: with the three arrays and a workspace of so many bytes.</param>
    /// <param name="bytes">Bytes of the three arrays that <paramref name="measure"/> takes.</param>
    /// <param name="measures">False: if none is remembered, cuDNN's own order will do.</param>
    /// <returns>The algorithm, and the math that the convolution's descriptor must say with it.</returns>
    /// <exception cref="SlttException">cuDNN has no algorithm for the call.</exception>
    public (int Algorithm, cudnnMathType Math) Choose(
        string call,
        Func<IEnumerable<AlgorithmOffer>> guess,
        Func<CUdeviceptr, CUdeviceptr, CUdeviceptr, CUdeviceptr, long, IEnumerable<AlgorithmOffer>> measure,
        (long A, long B, long C) bytes,
        bool measures = true)
    {
        List<AlgorithmOffer> offers;
        try
        {
            offers = Usable(guess());
        }
        catch (CudaDNNException e)
        {
            throw new SlttException(ErrorKind.Device, $"cuDNN refuses {call}: {e.Message}", "take a smaller batch (-b)", e);
        }

        if (offers.Count == 1)
        {
            return (offers[0].Algorithm, offers[0].Math);
        }

        if (cache.Find(call) is { } known)
        {
            return (known.Algorithm, (cudnnMathType)known.Math);
        }

        if ((measures ? Fastest(measure, bytes) : null) is { } fastest)
        {
            cache.Add(call, new RememberedAlgorithm(fastest.Algorithm, (int)fastest.Math, fastest.Milliseconds));
            return (fastest.Algorithm, fastest.Math);
        }

        return offers.Count > 0
            ? (offers[0].Algorithm, offers[0].Math)
            : throw new SlttException(
                ErrorKind.Device, $"cuDNN has no deterministic algorithm for {call}", "take a smaller batch (-b)");
    }

    private AlgorithmOffer? Fastest(
        Func<CUdeviceptr, CUdeviceptr, CUdeviceptr, CUdeviceptr, long, IEnumerable<AlgorithmOffer>> measure, (long A, long B, long C) bytes)
    {
        try
        {
            using CudaDeviceVariable<byte> a = new(bytes.A);
            using CudaDeviceVariable<byte> b = new(bytes.B);
            using CudaDeviceVariable<byte> c = new(bytes.C);
            using CudaDeviceVariable<byte> workspace = new(WorkspaceLimit);
            foreach (CudaDeviceVariable<byte> array in new[] { a, b, c })
            {
                array.MemsetAsync((byte)0, device.Stream.Stream);
            }

            device.Synchronize();
            List<AlgorithmOffer> measured = Usable(
                measure(a.DevicePointer, b.DevicePointer, c.DevicePointer, workspace.DevicePointer, WorkspaceLimit));
            return measured.Count > 0 ? measured.MinBy(o => o.Milliseconds) : null;
        }
        catch (Exception e) when (e is CudaException or CudaDNNException)
        {
            return null; // No memory to measure in: the guess has to do, and is not remembered.
        }
    }

    private static List<AlgorithmOffer> Usable(IEnumerable<AlgorithmOffer> offers)
    {
        List<AlgorithmOffer> deterministic = [.. offers.Where(o => o.Works && o.Deterministic)];
        List<AlgorithmOffer> usable = deterministic.FindAll(o => o.Workspace <= WorkspaceLimit);
        if (usable.Count == 0 && deterministic.Count > 0)
        {
            // A large batch may need more: better a larger workspace, which the plan counts, than no training.
            return [deterministic.MinBy(o => o.Workspace)];
        }

        return usable.Exists(o => o.AsAsked) ? usable.FindAll(o => o.AsAsked) : usable;
    }
}
