using System.Globalization;
using System.Text;
using SlttEngine.Data;
using SlttEngine.Data.Sets;
using SlttEngine.Tests.IO;

namespace SlttEngine.Tests.Data;

/// <summary>Event recordings, labels, frames and their cache: made data, damaged data.</summary>
public sealed class EventDataTests
{
    [Test]
    public void A_written_recording_is_read_back()
    {
        Random random = new Random(1);
        EventList events = new EventList();
        for (int i = 0; i < 10_000; i++)
        {
            // Crosses the time overflow at 2³¹ µs.
            events.Add((1L << 31) - 5000 + i, random.Next(128), random.Next(128), random.Next(2));
        }

        using TemporaryFolder folder = new TemporaryFolder();
        using (FileStream file = File.Create(folder["a.aedat"]))
        {
            Aedat31.Write(file, events);
        }

        EventList read = Aedat31.Read(folder["a.aedat"]);
        Assert.That(read.T.SequenceEqual(events.T));
        Assert.That(read.X.SequenceEqual(events.X));
        Assert.That(read.Y.SequenceEqual(events.Y));
        Assert.That(read.P.SequenceEqual(events.P));
    }

    [Test]
    public void Frames_split_by_count_and_the_last_takes_the_rest()
    {
        EventList events = new EventList();
        for (int i = 0; i < 11; i++)
        {
            events.Add(i, i, 2 * i, i % 2);
        }

        ushort[] frames = EventFrames.Integrate(events, 3, "x");
        for (int i = 0; i < 11; i++)
        {
            int t = Math.Min(i / 3, 2);
            Assert.That(frames[(((((t * 2) + (i % 2)) * 128) + (2 * i)) * 128) + i], Is.EqualTo(1));
        }

        Assert.That(frames.Sum(c => c), Is.EqualTo(11));
        Assert.That(EventFrames.Integrate(new EventList(), 2, "x"), Is.All.Zero);
        ushort[] few = EventFrames.Integrate(events.Between(0, 2), 3, "x");
        Assert.That(few[..(2 * 2 * 128 * 128)], Is.All.Zero, "fewer events than frames: all in the last one");
        Assert.That(few.Sum(c => c), Is.EqualTo(2));
    }

    [Test]
    public void Events_outside_the_sensor_are_refused()
    {
        EventList events = new EventList();
        events.Add(0, 128, 0, 0);
        Assert.That(
            Assert.Throws<SlttException>(() => EventFrames.Integrate(events, 1, "cam.aedat"))!.Message,
            Does.Contain("cam.aedat").And.Contain("column 128"));
    }

    [Test]
    public void Packed_frames_unpack_to_themselves([Values(1, 2)] int elementSize, [Values(0.0, 0.001, 0.05, 0.5, 1.0)] double density)
    {
        Random random = new Random(3);
        byte[] frames = new byte[elementSize * 5000];
        for (int i = 0; i < 5000; i++)
        {
            if (random.NextDouble() < density)
            {
                int value = random.Next(4) == 0 ? random.Next(elementSize == 1 ? 256 : 65536) : 1;
                frames[i * elementSize] = (byte)value;
                frames[(i * elementSize) + elementSize - 1] = (byte)(elementSize == 1 ? value : value >> 8);
            }
        }

        byte[] packed = SparseFrames.Pack(frames, elementSize);
        Assert.That(packed, Has.Length.LessThanOrEqualTo(frames.Length + 1));
        byte[] unpacked = new byte[frames.Length];
        Array.Fill(unpacked, (byte)99);
        Assert.That(SparseFrames.TryUnpack(packed, elementSize, unpacked));
        Assert.That(unpacked, Is.EqualTo(frames));
        for (int i = 0; i < 300; i++)
        {
            byte[] damaged = [.. packed];
            damaged[random.Next(damaged.Length)] ^= (byte)(1 << random.Next(8));
            SparseFrames.TryUnpack(damaged.AsSpan(0, random.Next(damaged.Length + 1)), elementSize, unpacked);
        }
    }

    [Test]
    public void The_plain_resize_keeps_a_flat_frame_flat_and_the_total()
    {
        ushort[] counts = new ushort[2 * 128 * 128];
        counts.AsSpan(0, 128 * 128).Fill(3);
        counts[(128 * 128) + (64 * 128) + 64] = 100;
        byte[] frames = new byte[2 * 2 * 48 * 48];
        new EventTransformer(EventTransform.Plain48).Apply(counts, frames);
        ushort[] values = [.. Enumerable.Range(0, frames.Length / 2).Select(i => BitConverter.ToUInt16(frames, 2 * i))];
        Assert.That(values[..(48 * 48)], Is.All.EqualTo(3 * 256));
        double total = values[(48 * 48)..].Sum(v => v / 256.0);
        Assert.That(total, Is.EqualTo(100 / (128.0 / 48) / (128.0 / 48)).Within(0.5), "an average over an area of (128/48)² pixels");
    }

    [Test]
    public void Labels_and_lists_are_checked_by_line()
    {
        using TemporaryFolder folder = new TemporaryFolder();
        string recording = folder.Write("DvsGesture/user.aedat", Recording());
        foreach (string row in (string[])["0,1,2", "12,1,2", "1,2", "a,1,2", "1,-1,2", "1,1,4294967296"])
        {
            string labels = folder.Write(
                "DvsGesture/user_labels.csv", Encoding.ASCII.GetBytes($"class,startTime_usec,endTime_usec\n1,1,2\n\n{row}\n"));
            Assert.That(
                Assert.Throws<SlttException>(() => DvsGesture.ReadLabels(recording))!.Message, Does.Contain(labels).And.Contain("line 4"),
                row);
        }

        File.Delete(folder["DvsGesture", "user_labels.csv"]);
        Assert.That(
            Assert.Throws<SlttException>(() => DvsGesture.ReadLabels(recording))!.Message,
            Does.Contain("user_labels.csv").And.Contain("not found"));

        string list = folder.Write("DvsGesture/trials_to_train.txt", "user.aedat\nuser99.aedat\n"u8);
        folder.Write("DvsGesture/user_labels.csv", "class,startTime_usec,endTime_usec\n1,1,2\n"u8);
        string found = DvsGesture.Find(folder.FullName);
        PartContents contents = DvsGesture.NewContents(found, train: true);
        Assert.That(DvsGesture.Trials(found, train: true, contents).Single().Labels, Has.Length.EqualTo(1));
        Assert.That(contents.Incomplete, Has.Some.EqualTo("recordings listed but not there: user99.aedat"));
        Assert.That(
            Assert.Throws<SlttException>(() => DvsGesture.Trials(found, train: false, contents))!.Message,
            Does.Contain("trials_to_test.txt"));
        File.WriteAllText(list, "\n");
        Assert.That(Assert.Throws<SlttException>(() => DvsGesture.Trials(found, train: true, contents))!.Message, Does.Contain(list));
        Assert.That(Assert.Throws<SlttException>(() => DvsGesture.Find(folder["none"]))!.Message, Does.Contain("no such folder"));
        Directory.CreateDirectory(folder["extract"]);
        Directory.Move(folder["DvsGesture"], folder["extract", "DvsGesture"]);
        Assert.That(DvsGesture.Find(folder.FullName), Is.EqualTo(folder["extract", "DvsGesture"]));
    }

    [Test]
    public void A_class_is_split_at_nine_tenths()
    {
        using TemporaryFolder folder = new TemporaryFolder();
        foreach (string name in Cifar10Dvs.ClassNames)
        {
            for (int i = 0; i < 20; i++)
            {
                folder.Write($"events/{name}/cifar10_{name}_{i}.aedat", []);
            }
        }

        string events = Cifar10Dvs.Find(folder.FullName);
        (string Path, int Label)[] Split(bool train) => Cifar10Dvs.Split(events, train, Cifar10Dvs.NewContents(events, train));
        Assert.That(Split(train: true), Has.Length.EqualTo(180));
        Assert.That(Split(train: false), Has.Length.EqualTo(20));
        (string path, int label) = Split(train: true)[19];
        Assert.That(Path.GetFileName(path), Is.EqualTo("cifar10_automobile_1.aedat"), "by class, then by number");
        Assert.That(label, Is.EqualTo(1));

        // Classes of other sizes are split each at its own nine tenths: one common number could put a class alone into the test part.
        folder.Write("events/ship/cifar10_ship_20.AEDAT", []);
        folder.Write("events/ship/cifar10_ship_21.AEDAT", []);
        Assert.That(Split(train: true), Has.Length.EqualTo(181));
        Assert.That(Split(train: false).Select(s => s.Label).Distinct().Count(), Is.EqualTo(10));

        // Files of the official thousand that are not all there are split where the thousand would be.
        folder.Write("events/frog/cifar10_frog_899.aedat", []);
        folder.Write("events/frog/cifar10_frog_900.aedat", []);
        Assert.That(Split(train: true), Has.Length.EqualTo(203));
        Assert.That(Split(train: false).Single().Label, Is.EqualTo(6));
        folder.Write("events/frog/strange.aedat", []);
        Assert.That(Assert.Throws<SlttException>(() => Split(train: true))!.Message, Does.Contain("strange.aedat"));
    }

    [Test]
    public void The_cache_is_used_again_and_anew_when_anything_changes()
    {
        using TemporaryFolder folder = new TemporaryFolder();
        using TemporaryFolder caches = new TemporaryFolder();
        string recording = folder.Write("DvsGesture/user.aedat", Recording());
        folder.Write("DvsGesture/user_labels.csv", "class,startTime_usec,endTime_usec\n3,0,1000\n5,500,2000\n"u8);
        folder.Write("DvsGesture/trials_to_train.txt", "user.aedat\n"u8);
        byte[] Frames(int steps, out int decoded)
        {
            int calls = 0;
            using EventFrameSet set = (EventFrameSet)new DvsGesture().Open(folder.FullName, true,
                new DataSetOptions { Steps = steps, CacheFolder = caches.FullName, Progress = _ => calls++, AllowIncomplete = true });
            Assert.That(set.CacheProblem, Is.Null);
            Assert.That(set.Count, Is.EqualTo(2));
            Assert.That(set.ClassNames[set.Label(0)], Is.EqualTo("left hand wave"));
            Assert.That(set.ClassNames[set.Label(1)], Is.EqualTo("right arm counter clockwise"));
            decoded = calls;
            byte[] frames = new byte[set.Shape.Length * set.Element.Size()];
            set.Read(1, 0, frames);
            return frames;
        }

        byte[] first = Frames(4, out int decoded);
        Assert.That(decoded, Is.EqualTo(1));
        Assert.That(Frames(4, out decoded), Is.EqualTo(first));
        Assert.That(decoded, Is.Zero, "from the cache");
        Frames(5, out decoded);
        Assert.That(decoded, Is.EqualTo(1), "another T");
        Assert.That(Directory.GetFiles(caches.FullName), Has.Length.EqualTo(2));

        File.SetLastWriteTimeUtc(recording, DateTime.UtcNow.AddHours(-1));
        Frames(4, out decoded);
        Assert.That(decoded, Is.EqualTo(1), "a changed file");
        folder.Write("DvsGesture/user_labels.csv", "class,startTime_usec,endTime_usec\n3,0,1000\n5,600,2000\n"u8);
        File.SetLastWriteTimeUtc(folder["DvsGesture", "user_labels.csv"], DateTime.UtcNow.AddHours(1));
        Assert.That(Frames(4, out decoded), Is.Not.EqualTo(first));
        Assert.That(decoded, Is.EqualTo(1), "changed labels");

        // A cache that is not whole is not used, wherever it was cut.
        string newest = new DirectoryInfo(caches.FullName).GetFiles().OrderByDescending(f => f.LastWriteTimeUtc).First().FullName;
        byte[] whole = File.ReadAllBytes(newest);
        foreach (int length in (int[])[0, 10, 64, whole.Length / 2, whole.Length - 1])
        {
            File.WriteAllBytes(newest, whole.AsSpan(0, length));
            Frames(4, out decoded);
            Assert.That(decoded, Is.EqualTo(1), $"cut at {length}");
            Assert.That(File.ReadAllBytes(newest), Is.EqualTo(whole));
        }

        // A label that is no class is refused: the index begins with the first sample's label.
        byte[] labelled = [.. whole];
        int index = (int)BitConverter.ToInt64(whole, 56);
        labelled[index] = 77;
        File.WriteAllBytes(newest, labelled);
        Assert.That(
            Assert.Throws<SlttException>(() => Frames(4, out _))!.Message,
            Does.StartWith(newest).And.Contain("sample 0 has label 77").And.Contain("11 classes"));

        // A flipped bit in the frames is found when they are read.
        whole[80] ^= 4;
        File.WriteAllBytes(newest, whole);
        using EventFrameSet damaged = (EventFrameSet)new DvsGesture().Open(
            folder.FullName, true, new DataSetOptions { Steps = 4, CacheFolder = caches.FullName, AllowIncomplete = true });
        byte[] buffer = new byte[damaged.Shape.Length * 2];
        Assert.That(Assert.Throws<SlttException>(() => damaged.Read(0, 0, buffer))!.Message, Does.Contain(newest));
    }

    [Test]
    public void Without_a_folder_for_it_the_cache_is_in_memory()
    {
        using TemporaryFolder folder = new TemporaryFolder();
        folder.Write("DvsGesture/user.aedat", Recording());
        folder.Write("DvsGesture/user_labels.csv", "class,startTime_usec,endTime_usec\n3,0,1000\n"u8);
        folder.Write("DvsGesture/trials_to_test.txt", "user.aedat\n"u8);
        string file = folder.Write("file", []);
        using EventFrameSet impossible = (EventFrameSet)new DvsGesture().Open(
            folder.FullName, false, new DataSetOptions { Steps = 2, CacheFolder = Path.Combine(file, "cache"), AllowIncomplete = true });
        Assert.That(impossible.CacheProblem, Does.StartWith("cannot write"));
        using EventFrameSet none = (EventFrameSet)new DvsGesture().Open(
            folder.FullName, false, new DataSetOptions { Steps = 2, AllowIncomplete = true });
        Assert.That(none.CacheProblem, Is.Null);
        byte[] a = new byte[impossible.Shape.Length * 2];
        byte[] b = new byte[a.Length];
        impossible.Read(0, 0, a);
        none.Read(0, 0, b);
        Assert.That(a, Is.EqualTo(b));
        Assert.That(a.Any(x => x > 0));
    }

    [Test]
    public void Gestures_are_classes_in_the_order_of_their_numbers_as_text()
    {
        int[] asText = [.. Enumerable.Range(0, 11).OrderBy(g => g.ToString(CultureInfo.InvariantCulture), StringComparer.Ordinal)];
        Assert.That(asText.Select(DvsGesture.ClassOf), Is.EqualTo(Enumerable.Range(0, 11)));
        Assert.That(DvsGesture.ClassNames[DvsGesture.ClassOf(10)], Is.EqualTo("other gestures"));
        Assert.That(DvsGesture.ClassNames[DvsGesture.ClassOf(2)], Is.EqualTo("left hand wave"));
    }

    [Test]
    public void Other_files_are_refused_by_their_first_bytes()
    {
        using TemporaryFolder folder = new TemporaryFolder();
        string two = folder.Write("two.aedat", "#!AER-DAT2.0\r\n\0\0\0\x01\0\0\0\x02"u8);
        Assert.That(Aedat2.Read(two).Count, Is.EqualTo(1));
        string davis = folder.Write("davis.aedat", [.. "#!AER-DAT2.0\r\n"u8, 0x32, 0x0f, 0xa8, 0, 0, 0, 0, 2]);
        Assert.That(Assert.Throws<SlttException>(() => Aedat2.Read(davis))!.Message, Does.Contain(davis).And.Contain("DVS128"));
        Assert.That(Assert.Throws<SlttException>(() => Aedat31.Read(two))!.Message, Does.Contain("#!AER-DAT2.0"));
        string three = folder.Write("three.aedat", Recording());
        Assert.That(Assert.Throws<SlttException>(() => Aedat2.Read(three))!.Message, Does.Contain(three));
        string cut = folder.Write("cut.aedat", Recording().AsSpan(0, Recording().Length - 1));
        Assert.That(Assert.Throws<SlttException>(() => Aedat31.Read(cut))!.Message, Does.Contain("truncated"));
        string header = folder.Write("header.aedat", "#!AER-DAT3.1\r\n#Format: RAW\r\n"u8);
        Assert.That(Assert.Throws<SlttException>(() => Aedat31.Read(header))!.Message, Does.Contain("END-HEADER"));
        string odd = folder.Write("odd.aedat", "#!AER-DAT2.0\r\n\0\0\0\x01\0\0\0"u8);
        Assert.That(Assert.Throws<SlttException>(() => Aedat2.Read(odd))!.Message, Does.Contain("truncated"));
    }

    [Test]
    public void Mutated_recordings_never_surprise()
    {
        string gesture = Path.Combine(TestFiles.Shipped("events"), "dvsgesture", "DvsGesture", "user03_led.aedat");
        Mutations.Check(File.ReadAllBytes(gesture), path => EventFrames.Integrate(Aedat31.Read(path), 3, path), cases: 150);
        string cifar = Path.Combine(TestFiles.Shipped("events"), "CIFAR10DVS", "events", "truck", "cifar10_truck_900.aedat");
        Mutations.Check(File.ReadAllBytes(cifar), path => EventFrames.Integrate(Aedat2.Read(path), 3, path), cases: 150);
    }

    [Test]
    public void Mutated_labels_never_surprise()
    {
        using TemporaryFolder folder = new TemporaryFolder();
        Mutations.Check("class,startTime_usec,endTime_usec\n3,0,1000\n5,500,2000\n"u8.ToArray(), path =>
        {
            File.Copy(path, folder["user_labels.csv"], overwrite: true);
            DvsGesture.ReadLabels(folder["user.aedat"]);
        }, cases: 500);
    }

    private static byte[] Recording()
    {
        EventList events = new EventList();
        for (int i = 0; i < 400; i++)
        {
            events.Add(5 * i, i % 128, i * 7 % 128, i % 2);
        }

        using MemoryStream stream = new MemoryStream();
        Aedat31.Write(stream, events);
        return stream.ToArray();
    }
}
