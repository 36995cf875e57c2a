using SlttEngine.Device;
using SlttEngine.Graph;

namespace SlttEngine.Training;

/// <summary>An operation of a profile: all its launches of an iteration, or a sum over several operations.</summary>
/// <param name="Name">The operation's name, or what the sum is over.</param>
/// <param name="Kind">Kind of work; null for a sum over layers.</param>
/// <param name="Layer">The layer; empty for what belongs to none, null for a sum over kinds.</param>
/// <param name="Seconds">Seconds an iteration.</param>
/// <param name="Launches">Kernels, clears and copies an iteration; calls where kernels are not seen.</param>
/// <param name="Bytes">Bytes that must move in an iteration.</param>
/// <param name="MultiplyAdds">Multiplications, each with its addition, of an iteration's matrix products and convolutions computed in
/// full.</param>
/// <param name="FloorSeconds">The least time on a device of these rates: for each operation the larger of computing and moving.</param>
internal sealed record ProfiledWork(
    string Name, string? Kind, string? Layer, double Seconds, int Launches, long Bytes, long MultiplyAdds, double FloorSeconds)
{
    /// <summary>Bytes a second.</summary>
    public double BytesPerSecond => Bytes / Seconds;

    /// <summary>Floating-point operations a second, two for a multiplication with its addition.</summary>
    public double Flops => 2 * MultiplyAdds / Seconds;

    /// <summary>The floor's share of the time.</summary>
    public double FloorShare => FloorSeconds / Seconds;
}

/// <summary>A kernel of a profile.</summary>
/// <param name="Name">Its symbol, or memset, memcpy.</param>
/// <param name="Seconds">Seconds an iteration.</param>
/// <param name="Launches">Launches an iteration.</param>
internal sealed record ProfiledKernel(string Name, double Seconds, int Launches);

/// <summary>Where the time of a training iteration goes.</summary>
/// <param name="Device">The device's name.</param>
/// <param name="MeasuredBy">How the operations were timed.</param>
/// <param name="Iterations">Iterations timed; times are their medians.</param>
/// <param name="Flops">What the device reaches in a large matrix product, floating-point operations a second.</param>
/// <param name="CopyBytesPerSecond">What it reaches in a large copy, read and written counted both.</param>
/// <param name="SecondsPerIteration">An iteration without measuring, as sltt bench has it.</param>
/// <param name="MeasuredSeconds">An iteration with measuring.</param>
/// <param name="OperationSeconds">The sum over the operations.</param>
/// <param name="GapSeconds">Of the measured iteration: when no operation ran.</param>
/// <param name="UnmatchedSeconds">What ran on the device and belongs to no operation, such as uploads.</param>
/// <param name="FloorSeconds">Sum of the operations' floors.</param>
/// <param name="Kinds">Sums by kind of work, the longest first.</param>
/// <param name="Layers">Sums by layer, in the network's order.</param>
/// <param name="Operations">The operations, the longest first.</param>
/// <param name="Kernels">By kernel, the longest first; empty where kernels are not seen.</param>
internal sealed record IterationProfile(
    string Device,
    string MeasuredBy,
    int Iterations,
    double Flops,
    double CopyBytesPerSecond,
    double SecondsPerIteration,
    double MeasuredSeconds,
    double OperationSeconds,
    double GapSeconds,
    double UnmatchedSeconds,
    double FloorSeconds,
    IReadOnlyList<ProfiledWork> Kinds,
    IReadOnlyList<ProfiledWork> Layers,
    IReadOnlyList<ProfiledWork> Operations,
    IReadOnlyList<ProfiledKernel> Kernels)
{
    /// <summary>Name of the layer of what belongs to none.</summary>
    public const string NoLayer = "(whole network)";

    /// <summary>Sums iterations up. All have the same operations.</summary>
    /// <param name="device">The device's name.</param>
    /// <param name="timer">How they were timed.</param>
    /// <param name="network">The network.</param>
    /// <param name="rates">The device's best.</param>
    /// <param name="plain">Seconds of an iteration without measuring.</param>
    /// <param name="timed">The iterations.</param>
    public static IterationProfile Of(
        string device, string timer, Network network, DeviceRates rates, double plain, IReadOnlyList<TimedIteration> timed)
    {
        List<ProfiledWork> calls = [];
        for (int i = 0; i < timed[0].Ops.Count; i++)
        {
            TimedOp first = timed[0].Ops[i];
            double seconds = Median(timed.Select(t => t.Ops[i].Seconds));
            long bytes = Bytes(first);
            long multiplyAdds = first.Steps.Count * first.Op.MultiplyAdds;
            double floor = Math.Max(2 * multiplyAdds / rates.Flops, bytes / rates.Bandwidth);
            string layer = first.Op.Layer.Length == 0 ? NoLayer : first.Op.Layer;
            calls.Add(new(
                first.Op.Name, OpKinds.Of(first.Op, network), layer, seconds, first.Launches, bytes, multiplyAdds, floor));
        }

        List<string> order = [.. network.Layers.Select(l => l.Name), NoLayer];
        return new IterationProfile(
            device,
            timer,
            timed.Count,
            rates.Flops,
            rates.Bandwidth,
            plain,
            Median(timed.Select(t => t.Seconds)),
            calls.Sum(c => c.Seconds),
            Median(timed.Select(t => t.Gaps)),
            Median(timed.Select(t => t.Activities.Where(a => a.Op < 0).Sum(a => a.Activity.Seconds))),
            calls.Sum(c => c.FloorSeconds),
            [.. Sums(calls, c => c.Kind!, (name, sum) => sum with { Name = name, Layer = null }).OrderByDescending(w => w.Seconds)],
            [.. Sums(calls, c => c.Layer!, (name, sum) => sum with { Name = name, Kind = null }).OrderBy(w => order.IndexOf(w.Name))],
            [.. Sums(calls, c => c.Name, (_, sum) => sum).OrderByDescending(w => w.Seconds)],
            KernelsOf(timed));
    }

    /// <summary>The middle one, or the mean of the two in the middle.</summary>
    /// <param name="values">The values; at least one.</param>
    public static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        int middle = sorted.Length / 2;
        return sorted.Length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }

    /// <summary>Bytes that an operation moves in its steps: before step 0 there is no potential, so none is read.</summary>
    private static long Bytes(TimedOp timed)
    {
        IEnumerable<DeviceBuffer> potentials = timed.Op.Reads.Where(
            b => b.Kind == BufferKind.State && !b.Zeroed && timed.Op.Writes.Contains(b));
        return timed.Op.BytesFor(timed.Steps.Count) - (timed.Steps.First > 0 ? 0 : potentials.Sum(b => b.Bytes));
    }

    private static IEnumerable<ProfiledWork> Sums(
        List<ProfiledWork> calls, Func<ProfiledWork, string> key, Func<string, ProfiledWork, ProfiledWork> name) =>
        calls.GroupBy(key).Select(g => name(g.Key, g.Aggregate((a, b) => a with
        {
            Seconds = a.Seconds + b.Seconds,
            Launches = a.Launches + b.Launches,
            Bytes = a.Bytes + b.Bytes,
            MultiplyAdds = a.MultiplyAdds + b.MultiplyAdds,
            FloorSeconds = a.FloorSeconds + b.FloorSeconds,
        })));

    private static List<ProfiledKernel> KernelsOf(IReadOnlyList<TimedIteration> timed)
    {
        Dictionary<string, (double Seconds, int Launches)>[] iterations = [.. timed.Select(t => t.Activities.GroupBy(a => a.Activity.Name)
            .ToDictionary(g => g.Key, g => (g.Sum(a => a.Activity.Seconds), g.Count())))];
        return [.. iterations[0].Keys
            .Select(name => new ProfiledKernel(
                name, Median(iterations.Select(i => i.GetValueOrDefault(name).Seconds)), iterations[0][name].Launches))
            .OrderByDescending(k => k.Seconds)];
    }
}
