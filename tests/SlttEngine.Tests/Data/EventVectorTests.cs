using System.IO.Compression;
using System.Runtime.InteropServices;
using SlttEngine.Data;
using SlttEngine.Data.Sets;
using SlttEngine.IO;
using SlttEngine.Tests.IO;

namespace SlttEngine.Tests.Data;

/// <summary>The recorded event vectors, every number exactly: decoding, cuts, frames, the official 48×48 transform.</summary>
public sealed class EventVectorTests
{
    private static readonly string Root = TestFiles.AllGolden() ?? TestFiles.Shipped("");

    private static string[] Vectors =>
        [.. Directory.GetFiles(Path.Combine(Root, "events"), "*.safetensors*").Select(Path.GetFileName).Order(StringComparer.Ordinal)!];

    [TestCaseSource(nameof(Vectors))]
    public void A_recording_gives_the_recorded_numbers(string vector)
    {
        using TemporaryFolder folder = new TemporaryFolder();
        using SafeTensorsFile expected = Open(Path.Combine(Root, "events", vector), folder);
        string recording = Path.Combine(Root, "events", expected.Metadata["file"]);
        int steps = int.Parse(expected.Metadata["T"], System.Globalization.CultureInfo.InvariantCulture);
        if (expected.Contains("t"))
        {
            CheckCifar10Dvs(expected, recording, steps);
        }
        else
        {
            CheckGesture(expected, recording, steps);
        }
    }

    [Test]
    public void The_parts_of_dvs_gesture_are_as_recorded()
    {
        using TemporaryFolder cache = new TemporaryFolder();
        foreach (bool train in (bool[])[true, false])
        {
            DataSetOptions options = new DataSetOptions { Steps = 20, CacheFolder = cache.FullName, AllowIncomplete = true };
            using EventFrameSet set = (EventFrameSet)new DvsGesture().Open(Path.Combine(Root, "events", "dvsgesture"), train, options);
            Assert.That(set.CacheProblem, Is.Null);
            Assert.That(set.Shape, Is.EqualTo(new FrameShape(20, 2, 128, 128)));
            int index = 0;
            foreach (string vector in Vectors.Where(v => v.StartsWith("dvsgesture", StringComparison.Ordinal)))
            {
                using TemporaryFolder folder = new TemporaryFolder();
                using SafeTensorsFile expected = Open(Path.Combine(Root, "events", vector), folder);
                for (int i = 0; (expected.Metadata["split"] == "train") == train && expected.Contains($"sample{i}.frames"); i++, index++)
                {
                    byte[] frames = new byte[set.Shape.Length * set.Element.Size()];
                    set.Read(index, 0, frames);
                    Assert.That(frames.AsSpan().SequenceEqual(expected.ReadBytes($"sample{i}.frames")), $"{vector} {i}");
                    Assert.That(set.Label(index), Is.EqualTo(DvsGesture.ClassOf((int)expected.ReadInt64($"sample{i}.label")[0])));
                }
            }

            Assert.That(set.Count, Is.EqualTo(index));
        }
    }

    [Test]
    public void The_parts_of_dvs_cifar10_are_as_recorded()
    {
        using TemporaryFolder cache = new TemporaryFolder();
        string folder = Path.Combine(Root, "events", "CIFAR10DVS");
        DataSetOptions options = new DataSetOptions { Steps = 10, CacheFolder = cache.FullName, AllowIncomplete = true };
        using EventFrameSet train = (EventFrameSet)new Cifar10Dvs().Open(folder, train: true, options);
        using EventFrameSet test = (EventFrameSet)new Cifar10Dvs().Open(folder, train: false, options);
        using EventFrameSet plain = (EventFrameSet)new Cifar10Dvs().Open(folder, train: false, options with { PlainResize = true });
        Assert.That((test.Element, plain.Element), Is.EqualTo((SampleElement.UInt8, SampleElement.UInt16)));
        Assert.That(Directory.GetFiles(cache.FullName), Has.Length.EqualTo(3), "each transform has its own cache");
        Assert.That(Enumerable.Range(0, train.Count).Select(train.Label), Is.EqualTo(new[] { 0, 6 }));
        Assert.That(Enumerable.Range(0, test.Count).Select(test.Label), Is.EqualTo(new[] { 9 }));
        Assert.That(test.Shape, Is.EqualTo(new FrameShape(10, 2, 48, 48)));
        using TemporaryFolder unpacked = new TemporaryFolder();
        using SafeTensorsFile truck = Open(
            Directory.GetFiles(Path.Combine(Root, "events"), "cifar10dvs_truck_900.safetensors*")[0], unpacked);
        byte[] frames = new byte[test.Shape.Length];
        test.Read(0, 0, frames);
        Assert.That(frames.Select(b => b / 255f), Is.EqualTo(truck.ReadFloat32("official_48x48")));
    }

    private static void CheckCifar10Dvs(SafeTensorsFile expected, string recording, int steps)
    {
        EventList events = Aedat2.Read(recording);
        Assert.That(events.T.SequenceEqual(expected.ReadInt64("t")), "t");
        Assert.That(events.X.ToArray().Select(v => (long)v).SequenceEqual(expected.ReadInt64("x")), "x");
        Assert.That(events.Y.ToArray().Select(v => (long)v).SequenceEqual(expected.ReadInt64("y")), "y");
        Assert.That(events.P.ToArray().Select(v => (long)v).SequenceEqual(expected.ReadInt64("p")), "p");
        ushort[] counts = EventFrames.Integrate(events, steps, recording);
        Assert.That(MemoryMarshal.AsBytes<ushort>(counts).SequenceEqual(expected.ReadBytes("frames")), "frames");
        byte[] small = new byte[steps * 2 * 48 * 48];
        new EventTransformer(EventTransform.Official48).Apply(counts, small);
        Assert.That(small.Select(b => b / 255f).SequenceEqual(expected.ReadFloat32("official_48x48")), "official_48x48");
        if (expected.Contains("label"))
        {
            Assert.That(Cifar10Dvs.LabelOf(recording), Is.EqualTo(expected.ReadInt64("label")[0]));
        }
    }

    private static void CheckGesture(SafeTensorsFile expected, string recording, int steps)
    {
        int i = 0;
        foreach ((int label, EventList events) in DvsGesture.ReadSamples(recording))
        {
            Assert.That(label, Is.EqualTo(expected.ReadInt64($"sample{i}.label")[0]));
            if (expected.Contains($"sample{i}.events"))
            {
                Assert.That(events.Count, Is.EqualTo(expected.ReadInt64($"sample{i}.events")[0]));
            }

            ushort[] counts = EventFrames.Integrate(events, steps, recording);
            Assert.That(MemoryMarshal.AsBytes<ushort>(counts).SequenceEqual(expected.ReadBytes($"sample{i}.frames")), $"sample {i}");
            i++;
        }

        Assert.That(expected.Contains($"sample{i}.frames"), Is.False, "every recorded sample was read");
        Assert.That(i, Is.GreaterThan(0));
    }

    private static SafeTensorsFile Open(string path, TemporaryFolder folder)
    {
        if (!path.EndsWith(".gz", StringComparison.Ordinal))
        {
            return SafeTensorsFile.Open(path);
        }

        string plain = folder[Path.GetFileNameWithoutExtension(path)];
        using (GZipStream packed = new GZipStream(File.OpenRead(path), CompressionMode.Decompress))
        using (FileStream file = File.Create(plain))
        {
            packed.CopyTo(file);
        }

        return SafeTensorsFile.Open(plain);
    }
}
