using System.IO.Hashing;
using System.Runtime.InteropServices;

namespace SlttEngine.Cli.Verification;

/// <summary>Result for one group of tensors of a recorded file.</summary>
/// <param name="Group">What was compared.</param>
/// <param name="Tensors">How many tensors.</param>
/// <param name="Worst">Largest ‖a−b‖/‖b‖, or largest number of differing elements where equality is asked for.</param>
/// <param name="Tolerance">What <paramref name="Worst"/> may be.</param>
/// <param name="WorstTensor">Name of the tensor with the largest error.</param>
/// <param name="Passed">True if every tensor is within its tolerance.</param>
public sealed record GroupResult(string Group, int Tensors, double Worst, double Tolerance, string WorstTensor, bool Passed);

/// <summary>Result for one recorded file.</summary>
/// <param name="File">Its path.</param>
/// <param name="Summary">What it records, in one line.</param>
/// <param name="Groups">The groups compared.</param>
/// <param name="Checksums">XXH128 of the bytes that the engine computed, tensor by tensor, in the order of the comparison.</param>
public sealed record VerificationReport(
    string File, string Summary, IReadOnlyList<GroupResult> Groups, IReadOnlyList<(string Tensor, string Hash)> Checksums)
{
    /// <summary>True if every group passed.</summary>
    public bool Passed => Groups.Count > 0 && Groups.All(g => g.Passed);
}

/// <summary>Collects comparisons group by group, in the order that groups first appear.</summary>
internal sealed class GroupCollector
{
    private readonly List<string> order = [];
    private readonly Dictionary<string, GroupResult> groups = [];

    private readonly List<(string Tensor, string Hash)> checksums = [];

    public IReadOnlyList<GroupResult> Results => [.. order.Select(g => groups[g])];

    public IReadOnlyList<(string Tensor, string Hash)> Checksums => checksums;

    /// <summary>Compares by ‖a−b‖/‖b‖; also passes if ‖a−b‖ is at most <paramref name="floor"/>.</summary>
    public void Near(
        string group, string tensor, ReadOnlySpan<float> actual, ReadOnlySpan<float> expected, double tolerance, double floor = 0)
    {
        AddChecksum(tensor, actual);
        (double difference, double norm) = (0, 0);
        if (actual.Length != expected.Length)
        {
            Add(group, tensor, double.PositiveInfinity, tolerance, passed: false);
            return;
        }

        for (int i = 0; i < actual.Length; i++)
        {
            double d = (double)actual[i] - expected[i];
            difference += d * d;
            norm += (double)expected[i] * expected[i];
        }

        (difference, norm) = (Math.Sqrt(difference), Math.Sqrt(norm));
        double error = difference == 0 ? 0 : difference / norm;
        if (difference > 0 && difference <= floor)
        {
            // The expected value is about zero, so the relative error means nothing. The error is measured against the floor instead.
            error = Math.Min(error, tolerance * difference / floor);
        }

        Add(group, tensor, error, tolerance, error <= tolerance);
    }

    /// <summary>Asks for equality, element by element; NaN equals nothing.</summary>
    public void Equal(string group, string tensor, ReadOnlySpan<float> actual, ReadOnlySpan<float> expected)
    {
        AddChecksum(tensor, actual);
        int different = Math.Abs(actual.Length - expected.Length);
        for (int i = 0; i < Math.Min(actual.Length, expected.Length); i++)
        {
            different += actual[i] == expected[i] ? 0 : 1;
        }

        Add(group, tensor, different, 0, different == 0);
    }

    /// <summary>Asks for equality of integers.</summary>
    public void Equal(string group, string tensor, ReadOnlySpan<long> actual, ReadOnlySpan<long> expected)
    {
        AddChecksum(tensor, actual);
        int different = Math.Abs(actual.Length - expected.Length);
        for (int i = 0; i < Math.Min(actual.Length, expected.Length); i++)
        {
            different += actual[i] == expected[i] ? 0 : 1;
        }

        Add(group, tensor, different, 0, different == 0);
    }

    private void AddChecksum<T>(string tensor, ReadOnlySpan<T> actual)
        where T : unmanaged =>
        checksums.Add((tensor, Convert.ToHexStringLower(XxHash128.Hash(MemoryMarshal.AsBytes(actual)))));

    private void Add(string group, string tensor, double error, double tolerance, bool passed)
    {
        if (!groups.TryGetValue(group, out GroupResult? result))
        {
            order.Add(group);
            groups.Add(group, new GroupResult(group, 1, error, tolerance, tensor, passed));
            return;
        }

        bool worse = !double.IsNaN(result.Worst) && !(error <= result.Worst);
        groups[group] = result with
        {
            Tensors = result.Tensors + 1,
            Worst = worse ? error : result.Worst,
            WorstTensor = worse ? tensor : result.WorstTensor,
            Passed = result.Passed && passed,
        };
    }
}
