using System.Runtime.InteropServices;
using SlttEngine.Data;
using SlttEngine.Data.Sets;

namespace SlttEngine.Cli.Verification;

/// <summary>Decodes a recording of an event camera and compares every number. The device is not used.</summary>
internal static class EventReplay
{
    public static VerificationReport Run(RecordedFile recorded)
    {
        string recording = Path.Combine(Path.GetDirectoryName(recorded.Path) ?? string.Empty, recorded.Text("file"));
        int steps = recorded.Integer("T");
        GroupCollector groups = new();
        if (recorded.HasTensor("t"))
        {
            CompareCifar10Dvs(recorded, groups, recording, steps);
            return new VerificationReport(recorded.Path, $"DVS-CIFAR10 recording, T = {steps}", groups.Results, groups.Checksums);
        }

        CompareGestures(recorded, groups, recording, steps);
        return new VerificationReport(recorded.Path, $"DVS-Gesture recording, T = {steps}", groups.Results, groups.Checksums);
    }

    private static void CompareCifar10Dvs(RecordedFile recorded, GroupCollector groups, string recording, int steps)
    {
        EventList events = Aedat2.Read(recording);
        groups.Equal("events", "t", events.T, recorded.Integers("t"));
        groups.Equal("events", "x", Long(events.X), recorded.Integers("x"));
        groups.Equal("events", "y", Long(events.Y), recorded.Integers("y"));
        groups.Equal("events", "p", [.. events.P.ToArray().Select(p => (long)p)], recorded.Integers("p"));
        ushort[] counts = EventFrames.Integrate(events, steps, recording);
        groups.Equal("frames", "frames", Long(counts), Counts(recorded, "frames"));
        if (recorded.HasTensor("official_48x48"))
        {
            byte[] small = new byte[steps * 2 * 48 * 48];
            new EventTransformer(EventTransform.Official48).Apply(counts, small);
            groups.Equal("official_48x48", "official_48x48", [.. small.Select(b => b / 255f)], recorded.Floats("official_48x48"));
        }

        if (recorded.HasTensor("label"))
        {
            groups.Equal("label", "label", [(long)Cifar10Dvs.LabelOf(recording)], recorded.Integers("label"));
        }
    }

    private static void CompareGestures(RecordedFile recorded, GroupCollector groups, string recording, int steps)
    {
        long sample = 0;
        foreach ((int label, EventList events) in DvsGesture.ReadSamples(recording))
        {
            string name = $"sample{sample}";
            if (!recorded.HasTensor(name + ".frames"))
            {
                break;
            }

            groups.Equal("labels", name + ".label", [(long)label], recorded.Integers(name + ".label"));
            groups.Equal(
                "frames", name + ".frames", Long(EventFrames.Integrate(events, steps, recording)), Counts(recorded, name + ".frames"));
            if (recorded.HasTensor(name + ".events"))
            {
                groups.Equal("events", name + ".events", [(long)events.Count], recorded.Integers(name + ".events"));
            }

            sample++;
        }

        groups.Equal("samples", "samples", [sample], [recorded.Names.Count(n => n.EndsWith(".frames", StringComparison.Ordinal))]);
    }

    private static long[] Long(ReadOnlySpan<ushort> values)
    {
        long[] result = new long[values.Length];
        for (int i = 0; i < values.Length; i++)
        {
            result[i] = values[i];
        }

        return result;
    }

    private static long[] Counts(RecordedFile recorded, string name) => Long(MemoryMarshal.Cast<byte, ushort>(recorded.Bytes(name)));
}
