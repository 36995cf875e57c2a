using System.Text;
using SlttEngine.IO;

namespace SlttEngine.Tests.IO;

/// <summary>TensorBoard event files, read back by a parser written from the format's description.</summary>
public sealed class EventFileWriterTests
{
    [Test]
    public void Scalars_are_read_back()
    {
        using TemporaryFolder folder = new TemporaryFolder();
        string path;
        using (EventFileWriter writer = new EventFileWriter(folder["logs"], firstStep: 3))
        {
            path = writer.Path;
            writer.Scalar("train_loss", 1.25, 3);
            writer.Scalar("train_acc", 0.1, 3);
            writer.Scalar("test_loss", double.NaN, 1L << 40);
        }

        Assert.That(Path.GetFileName(path), Does.Match(@"^events\.out\.tfevents\.\d{10}\.[\w-]+\.\d+\.0$"));
        List<Dictionary<int, object>> events = [.. EventFile.Records(File.ReadAllBytes(path)).Select(r => EventFile.Fields(r))];
        Assert.That(events, Has.Count.EqualTo(5));
        double now = (DateTime.UtcNow - DateTime.UnixEpoch).TotalSeconds;
        Assert.That(events.Select(e => (double)e[1]), Is.All.InRange(now - 60, now));
        Assert.That(Encoding.UTF8.GetString((byte[])events[0][3]), Is.EqualTo("brain.Event:2"));
        Assert.That(events[1][2], Is.EqualTo(3ul), "the run begins at step 3");
        Assert.That(EventFile.Fields((byte[])events[1][7])[1], Is.EqualTo(1ul), "a session that starts");
        (string Tag, float Value, ulong Step)[] scalars = [.. events.Skip(2).Select(e =>
        {
            Dictionary<int, object> value = EventFile.Fields((byte[])EventFile.Fields((byte[])e[5])[1]);
            return (Encoding.UTF8.GetString((byte[])value[1]), (float)value[2], (ulong)e[2]);
        })];
        Assert.That(
            scalars, Is.EqualTo(new[] { ("train_loss", 1.25f, 3ul), ("train_acc", 0.1f, 3ul), ("test_loss", float.NaN, 1ul << 40) }));
    }

    [Test]
    public void Histograms_and_pictures_are_read_back()
    {
        using TemporaryFolder folder = new TemporaryFolder();
        byte[] png = [137, 80, 78, 71, 0, 200];
        string path;
        using (EventFileWriter writer = new EventFileWriter(folder["logs"]))
        {
            path = writer.Path;
            writer.Histogram("membrane_potential/lif1", -4, 4, [0, 0, 0, 5, 0, 3, 0, 0], 7);
            writer.Histogram("empty", 0, 1, [0, 0], 7);
            writer.Image("mistakes", 9, 4, png, 7);
        }

        Dictionary<int, object>[] values = [.. EventFile.Records(File.ReadAllBytes(path)).Skip(1).Select(EventFile.Fields).Select(e =>
        {
            Assert.That(e[2], Is.EqualTo(7ul));
            return EventFile.Fields((byte[])EventFile.Fields((byte[])e[5])[1]);
        })];
        Assert.That(
            values.Select(v => Encoding.UTF8.GetString((byte[])v[1])),
            Is.EqualTo(new[] { "membrane_potential/lif1", "empty", "mistakes" }));
        Dictionary<int, object> histogram = EventFile.Fields((byte[])values[0][5]);
        Assert.That(new[] { 1, 2, 3, 4, 5 }.Select(f => histogram[f]), Is.EqualTo(new[] { -2.0, 3, 8, 2, 8 }));
        Assert.That(EventFile.Doubles(histogram[6]), Is.EqualTo(new[] { -1.0, 0, 1, 2, 3 }), "right ends");
        Assert.That(EventFile.Doubles(histogram[7]), Is.EqualTo(new[] { 0.0, 5, 0, 3, 0 }));
        Assert.That(EventFile.Doubles(EventFile.Fields((byte[])values[1][5])[7]).Sum(), Is.Zero);
        Dictionary<int, object> image = EventFile.Fields((byte[])values[2][4]);
        Assert.That((image[1], image[2], image[3]), Is.EqualTo((4ul, 9ul, 3ul)), "height, width, RGB");
        Assert.That(image[4], Is.EqualTo(png));
    }

    [Test]
    public void Two_writers_in_a_folder_do_not_meet()
    {
        using TemporaryFolder folder = new TemporaryFolder();
        using EventFileWriter first = new EventFileWriter(folder.FullName);
        using EventFileWriter second = new EventFileWriter(folder.FullName);
        Assert.That(second.Path, Is.Not.EqualTo(first.Path));
    }

    [Test]
    public void A_folder_that_cannot_be_made_is_named()
    {
        using TemporaryFolder folder = new TemporaryFolder();
        string file = folder.Write("file", []);
        Assert.That(
            Assert.Throws<SlttException>(() => new EventFileWriter(Path.Combine(file, "logs")).Dispose())!.Message, Does.Contain(file));
    }

    [Test]
    public void The_checksum_is_crc32c()
    {
        // CRC-32C of "123456789" is e3069283 (RFC 3720 lists more); masked as TFRecord asks.
        uint crc = 0xe3069283;
        Assert.That(EventFileWriter.MaskedCrc("123456789"u8), Is.EqualTo(((crc >> 15) | (crc << 17)) + 0xa282ead8));
    }
}
