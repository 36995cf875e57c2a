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
/// Chooses cuDNN's algorithm for a convolution pass: of the deterministic ones that make do with the least of three workspaces, the
/// fastest.
/// </summary>
/// <remarks>
/// The fastest is measured once on memory of its own, before the run's memory is planned, and remembered
/// (<see cref="MeasuredChoices{T}"/>), because cuDNN's guesses are at times far off. Where a library offers one algorithm alone, as the CPU
/// device does, nothing is measured. Two algorithms add up in different orders: where nothing can be remembered, two runs may differ in the
/// last bits.
/// <para>
/// The three: <see cref="UsualWorkspace"/>; where each deterministic algorithm needs more, as with a large batch, what
/// <see cref="LargestWorkspace"/> allows; and where each needs more than that too, the one that needs the least. The plan counts all of it.
/// A faster algorithm is no reason for a large workspace, on a large card either: it would decide the memory of a run.
/// </para>
/// </remarks>
/// <param name="device">The device.</param>
/// <param name="cache">What was measured before, with this <paramref name="memory"/>.</param>
/// <param name="memory">The device's memory, bytes.</param>
internal sealed class ConvolutionAlgorithms(ComputeDevice device, MeasuredChoices<RememberedAlgorithm> cache, long memory)
{
    /// <summary>The workspace of a convolution, bytes, where a deterministic algorithm makes do with it.</summary>
    public const long UsualWorkspace = 256L << 20;

    private readonly long largestWorkspace = LargestWorkspace(memory);

    /// <summary>The workspace among whose algorithms the fastest is taken where none makes do with the usual one.</summary>
    /// <param name="memory">The device's memory, bytes.</param>
    public static long LargestWorkspace(long memory) => Math.Max(UsualWorkspace, memory / 64);

    /// <summary>What choices are remembered under: they depend on device, cuDNN and the largest workspace.</summary>
    /// <param name="device">The device's name.</param>
    /// <param name="version">cuDNN's.</param>
    /// <param name="memory">The device's memory, bytes.</param>
    public static string CacheKey(string device, Version version, long memory)
    {
        long largest = LargestWorkspace(memory);
        return $"{device}, cuDNN {version}" + (largest == UsualWorkspace ? string.Empty : $", workspaces of {largest >> 20} MiB");
    }

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
        long workspace;
        try
        {
            (offers, workspace) = Usable(guess(), call);
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

        if ((measures ? Fastest(call, measure, bytes, workspace) : null) is { } fastest)
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
        string call,
        Func<CUdeviceptr, CUdeviceptr, CUdeviceptr, CUdeviceptr, long, IEnumerable<AlgorithmOffer>> measure,
        (long A, long B, long C) bytes,
        long workspaceBytes)
    {
        try
        {
            using CudaDeviceVariable<byte> a = new(bytes.A);
            using CudaDeviceVariable<byte> b = new(bytes.B);
            using CudaDeviceVariable<byte> c = new(bytes.C);
            using CudaDeviceVariable<byte> workspace = new(workspaceBytes);
            foreach (CudaDeviceVariable<byte> array in new[] { a, b, c })
            {
                array.MemsetAsync((byte)0, device.Stream.Stream);
            }

            device.Synchronize();
            List<AlgorithmOffer> measured = Usable(
                measure(a.DevicePointer, b.DevicePointer, c.DevicePointer, workspace.DevicePointer, workspaceBytes), call).Offers;
            return measured.Count > 0 ? measured.MinBy(o => o.Milliseconds) : null;
        }
        catch (Exception e) when (e is CudaException or CudaDNNException)
        {
            return null; // No memory to measure in: the guess has to do, and is not remembered.
        }
    }

    /// <summary>The deterministic offers within the least of the three workspaces that one of them makes do with, and it.</summary>
    /// <exception cref="SlttException">There are some, but the device's memory is too small for any.</exception>
    private (List<AlgorithmOffer> Offers, long Workspace) Usable(IEnumerable<AlgorithmOffer> offers, string call)
    {
        List<AlgorithmOffer> deterministic = [.. offers.Where(o => o.Works && o.Deterministic)];
        if (deterministic.Count == 0)
        {
            return ([], UsualWorkspace);
        }

        AlgorithmOffer least = deterministic.MinBy(o => o.Workspace);
        if (least.Workspace > (ulong)memory)
        {
            throw new SlttException(
                ErrorKind.Device,
                $"no deterministic algorithm of {call} fits the device: the least workspace is {least.Workspace >> 20} MiB, "
                    + $"more than its {memory >> 20} MiB of memory",
                "take a smaller batch (-b)");
        }

        if (least.Workspace > (ulong)largestWorkspace)
        {
            return ([least], (long)least.Workspace);
        }

        long workspace = least.Workspace <= UsualWorkspace ? UsualWorkspace : largestWorkspace;
        List<AlgorithmOffer> usable = deterministic.FindAll(o => o.Workspace <= (ulong)workspace);
        return (usable.Exists(o => o.AsAsked) ? usable.FindAll(o => o.AsAsked) : usable, workspace);
    }
}
