using System.Buffers.Binary;
using SlttEngine.Data;
using SlttEngine.Data.Sets;
using SlttEngine.Tests.IO;

namespace SlttEngine.Tests.Data;

/// <summary>
/// AEDAT 4.0: files that tools/record-event-forms.py put together with the Python packages of FlatBuffers, LZ4 and ZSTD, and damaged ones.
/// </summary>
public sealed class Aedat4Tests
{
    private static readonly string Folder = Path.Combine(TestFiles.Shipped("forms"), "aedat4");

    private static readonly string[] Files = ["none", "lz4", "lz4_high", "zstd", "zstd_high"];

    [TestCaseSource(nameof(Files))]
    public void Events_are_those_of_the_first_stream_of_events(string name)
    {
        EventList expected = EventArrays.ReadNpz(Path.Combine(Folder, "events.npz"));
        EventList read = Aedat4.Read(Recording(name));
        Assert.That(read.Count, Is.EqualTo(500));
        Assert.That(read.T.SequenceEqual(expected.T) && read.X.SequenceEqual(expected.X));
        Assert.That(read.Y.SequenceEqual(expected.Y) && read.P.SequenceEqual(expected.P));
    }

    [TestCaseSource(nameof(Files))]
    public void Mutated_recordings_never_surprise(string name) =>
        Mutations.Check(File.ReadAllBytes(Recording(name)), path => Aedat4.Read(path), cases: 150, headBytes: 2000);

    [Test]
    public void A_file_that_is_cut_anywhere_is_refused()
    {
        foreach (string name in Files)
        {
            byte[] bytes = File.ReadAllBytes(Recording(name));
            for (int length = 0; length < bytes.Length; length += 1 + (bytes.Length / 50))
            {
                Refuses(bytes.AsSpan(0, length), "");
            }
        }
    }

    [Test]
    public void Headers_that_cannot_be_meant_are_refused()
    {
        byte[] bytes = File.ReadAllBytes(Recording("none"));
        Refuses(Replaced(bytes, "EVTS</attr>"u8, "FRME</attr>"u8), "no stream of events");
        Refuses(Replaced(bytes, "node name=\"2\""u8, "node name=\"1\""u8), "names a stream without a number, or one twice");
        Refuses(Replaced(bytes, "</dv>"u8, "<dvx>"u8), "XML cannot be read");
        Refuses(Replaced(bytes, "IOHE"u8, "IOHX"u8), "no FlatBuffer IOHE");
        Refuses(Replaced(bytes, "EVTS"u8, "TRIG"u8, last: true), "no FlatBuffer EVTS");
        Refuses("#!AER-DAT4.0\n"u8, "does not begin with");

        // An offset of a field far behind the table: the library's verifier throws there.
        byte[] offset = [.. bytes];
        int table = 18 + BitConverter.ToInt32(offset, 18);
        BitConverter.TryWriteBytes(offset.AsSpan(table - BitConverter.ToInt32(offset, table) + 6), (ushort)0xf608);
        Refuses(offset, "no FlatBuffer IOHE");

        // Stream 9 in the first packet; then a packet longer than the file.
        int first = 14 + 4 + BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(14));
        byte[] other = [.. bytes];
        other[first] = 9;
        Refuses(other, "of stream 9, which the header does not name");
        other = [.. bytes];
        other[first + 6] = 1;
        Refuses(other, "reaches beyond the end");
    }

    /// <summary>A ZSTD frame of a few bytes that unpacks to 100 MB of zeros.</summary>
    [Test]
    public void A_packet_that_grows_beyond_reason_is_refused()
    {
        byte[] bytes = File.ReadAllBytes(Recording("zstd_high"));
        using ZstdSharp.Compressor compressor = new();
        byte[] bomb = compressor.Wrap(new byte[100_000_000]).ToArray();
        int first = 14 + 4 + BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(14));
        byte[] header = Unlimited(bytes[..first]);
        byte[] packet = [1, 0, 0, 0, .. BitConverter.GetBytes(bomb.Length), .. bomb];
        long before = GC.GetAllocatedBytesForCurrentThread();
        Refuses([.. header, .. packet], "grows to more than");
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.LessThan(50_000_000));
    }

    [Test]
    public void Recordings_of_the_sets_may_be_AEDAT_4_whatever_their_ending()
    {
        using TemporaryFolder folder = new();
        byte[] recording = File.ReadAllBytes(Recording("lz4"));
        folder.Write("events/truck/cifar10_truck_900.aedat4", recording);
        folder.Write("events/truck/cifar10_truck_901.aedat", recording);
        using (EventFrameSet set = EventFormTests.Open(new Cifar10Dvs(), folder.FullName, EventSplit.Number))
        {
            Assert.That(set.Count, Is.EqualTo(2));
            byte[][] frames = [new byte[set.Shape.Length], new byte[set.Shape.Length]];
            set.Read(0, 0, frames[0]);
            set.Read(1, 0, frames[1]);
            Assert.That(frames[0], Is.EqualTo(frames[1]));
            Assert.That(frames[0].Any(v => v > 0));
        }

        Assert.That(new Cifar10Dvs().Inspect(folder.FullName, thorough: true)[1].FirstProblem, Is.Null);
        Assert.That(new Cifar10Dvs().Inspect(folder.FullName, thorough: false)[1].FirstProblem, Is.Null);
        folder.Write("events/truck/cifar10_truck_900.aedat", recording);
        Assert.That(
            Assert.Throws<SlttException>(() => EventFormTests.Open(new Cifar10Dvs(), folder.FullName, EventSplit.Number))!.Message,
            Does.Contain("the number is that of").And.Contain(".aedat4"));
    }

    [TestCase("user24_led.aedat")]
    [TestCase("user24_led.aedat4")]
    public void Gestures_converted_to_AEDAT_4_are_cut_like_the_authors(string name)
    {
        using TemporaryFolder original = new();
        using TemporaryFolder converted = new();
        foreach (TemporaryFolder folder in (TemporaryFolder[])[original, converted])
        {
            EventFormTests.Copy(Path.Combine(TestFiles.Shipped("forms"), "dvsgesture", "DvsGesture"), folder["DvsGesture"]);
        }

        File.Delete(converted["DvsGesture", "user24_led.aedat"]);
        File.Copy(Recording("user24_led"), converted["DvsGesture", name]);
        using EventFrameSet expected = EventFormTests.Open(new DvsGesture(), original.FullName, EventSplit.Time);
        using EventFrameSet read = EventFormTests.Open(new DvsGesture(), converted.FullName, EventSplit.Time);
        Assert.That((read.Count, read.Notes.Count), Is.EqualTo((3, 0)));
        byte[][] frames = [new byte[2 * read.Shape.Length], new byte[2 * read.Shape.Length]];
        for (int i = 0; i < 3; i++)
        {
            expected.Read(i, 0, frames[0]);
            read.Read(i, 0, frames[1]);
            Assert.That(read.Label(i), Is.EqualTo(expected.Label(i)));
            Assert.That(frames[0].AsSpan().SequenceEqual(frames[1]), $"sample {i}");
        }

        Assert.That(new DvsGesture().Inspect(converted.FullName, thorough: false)[1].FirstProblem, Is.Null);
    }

    private static string Recording(string name) => Path.Combine(Folder, name + ".aedat4");

    /// <summary>The header with the position of the table set to −1: it is the only field with that value's bytes.</summary>
    private static byte[] Unlimited(byte[] header)
    {
        byte[] position = BitConverter.GetBytes((long)new FileInfo(Recording("zstd_high")).Length);
        for (int i = 18; i + 8 <= header.Length; i++)
        {
            long value = BitConverter.ToInt64(header, i);
            if (value > header.Length && value < BitConverter.ToInt64(position))
            {
                BitConverter.TryWriteBytes(header.AsSpan(i), -1L);
                return header;
            }
        }

        throw new InvalidOperationException("no position in the header");
    }

    private static byte[] Replaced(byte[] bytes, ReadOnlySpan<byte> old, ReadOnlySpan<byte> by, bool last = false)
    {
        byte[] copy = [.. bytes];
        Span<byte> rest = copy;
        int at = last ? rest.LastIndexOf(old) : rest.IndexOf(old);
        Assert.That(at, Is.GreaterThan(0));
        by.CopyTo(rest[at..]);
        for (rest = rest[(at + old.Length)..]; !last && rest.IndexOf(old) is >= 0 and int next; rest = rest[(next + old.Length)..])
        {
            by.CopyTo(rest[next..]);
        }

        return copy;
    }

    private static void Refuses(ReadOnlySpan<byte> bytes, string says)
    {
        using TemporaryFolder folder = new();
        string path = folder.Write("a.aedat4", bytes);
        Assert.That(
            Assert.Throws<SlttException>(() => Aedat4.Read(path))!.Message,
            Does.StartWith(path).And.Contain(says).And.Not.Contain("\n"));
    }
}
