using SlttEngine.Data;
using SlttEngine.Data.Sets;
using SlttEngine.Tests.IO;

namespace SlttEngine.Tests.Data;

/// <summary>What is there but cannot be meant is refused in one line; damaged files never surprise.</summary>
public sealed class EventFormRefusalTests
{
    private static readonly long[] Two = [1, 2];

    private static IEnumerable<TestCaseData> Events()
    {
        static TestCaseData Case(string name, byte[] file, params string[] says) => new TestCaseData(file, says).SetArgDisplayNames(name);
        byte[] two = NumpyFiles.Npy(1, 2);
        byte[] Npz(byte[] t, byte[] x, byte[] y, byte[] p) => NumpyFiles.Npz(("t", t), ("x", x), ("y", y), ("p", p));
        yield return Case("no zip", "PK and then nothing"u8.ToArray(), "not a whole .npz file");
        yield return Case("no array p", NumpyFiles.Npz(("t", two), ("x", two), ("y", two), ("pol", two)), "no array p", "t, x, y, pol");
        yield return Case("frames", NumpyFiles.Frames(2), "no array t", "frames");
        yield return Case("twice", NumpyFiles.Npz(("t", two), ("t", two), ("x", two), ("y", two), ("p", two)), "t twice");
        yield return Case("lengths", Npz(two, NumpyFiles.Npy(1), two, two), "x has shape (1,)", "t has 2");
        yield return Case("columns", Npz(NumpyFiles.Npy("<i8", "(1, 2)", new byte[16]), two, two, two), "t has shape (1, 2)");
        yield return Case("scalar", Npz(NumpyFiles.Npy("<i8", "()", new byte[8]), two, two, two), "t has shape ()");
        yield return Case("floats", Npz(NumpyFiles.Npy("<f8", "(2,)", new byte[16]), two, two, two), "t is of type F64", "whole numbers");
        yield return Case("booleans", Npz(two, two, two, NumpyFiles.Npy("|b1", "(2,)", [0, 1])), "p is of type BOOL");
        yield return Case("objects", Npz(two, two, two, NumpyFiles.Npy("|O", "(2,)", [0x80, 4, 0x2e])), "p: ", "objects", "never loaded");
        yield return Case("text", Npz(two, two, two, NumpyFiles.Npy("<U3", "(2,)", new byte[24])), "type <U3");
        yield return Case("Fortran", Npz(two, two, two, NumpyFiles.Npy("<i8", "(2,)", new byte[16], fortran: true)), "Fortran order");
        yield return Case("cut", Npz(two, two, two, NumpyFiles.Npy("<i8", "(2,)", new byte[15])), "need 16");
        yield return Case("polarity", NumpyFiles.Events(Two, Two, Two, [1, -1]), "event 1 has polarity -1");
        yield return Case("column", NumpyFiles.Events(Two, [5, 128], Two, [0, 1]), "event 1", "column 128", "128×128");
        yield return Case("row", NumpyFiles.Events(Two, Two, [-1, 2], [0, 1]), "event 0", "row -1");
        yield return Case("back in time", NumpyFiles.Events([2, 1], Two, Two, [0, 1]), "time goes back at event 1, from 2 to 1");
        yield return Case("before time", NumpyFiles.Events([-5, 1], Two, Two, [0, 1]), "time -5");
    }

    [TestCaseSource(nameof(Events))]
    public void Events_of_SpikingJelly(byte[] file, string[] says) => Refuses(file, path => EventArrays.ReadNpz(path), says);

    private static IEnumerable<TestCaseData> Frames()
    {
        static TestCaseData Case(string name, byte[] file, params string[] says) => new TestCaseData(file, says).SetArgDisplayNames(name);
        const int Count = 2 * 2 * 128 * 128;
        byte[] Npz(string type, string shape, byte[] data, bool fortran = false) =>
            NumpyFiles.Npz(("frames", NumpyFiles.Npy(type, shape, data, fortran)));
        yield return Case("another T", NumpyFiles.Frames(3), "holds 3 frames, not T = 2");
        yield return Case("another name", NumpyFiles.Frames(2, "arr_0"), "no array frames, but arr_0");
        yield return Case("another shape", Npz("<f8", "(2, 2, 64, 256)", new byte[8 * Count]), "shape (2, 2, 64, 256)");
        yield return Case("one frame's shape", Npz("<f8", "(2, 128, 128)", new byte[4 * Count]), "shape (2, 128, 128)");
        yield return Case("booleans", Npz("|b1", "(2, 2, 128, 128)", new byte[Count]), "of type BOOL");
        yield return Case("halves", Npz("<f2", "(2, 2, 128, 128)", new byte[2 * Count]), "of type F16");
        yield return Case("complex", Npz("<c8", "(2, 2, 128, 128)", new byte[8 * Count]), "type <c8");
        yield return Case("Fortran", Npz("<f8", "(2, 2, 128, 128)", new byte[8 * Count], true), "Fortran order");
        yield return Case("normalised", NumpyFiles.Frames(2, value: 0.5), "0.5, which is no count");
        yield return Case("negative", NumpyFiles.Frames(2, value: -1), "-1, which is no count");
        yield return Case("too many", NumpyFiles.Frames(2, value: 65536), "65536, which is no count");
        yield return Case("no number", NumpyFiles.Frames(2, value: double.NaN), "NaN, which is no count");
    }

    [TestCaseSource(nameof(Frames))]
    public void Frames_of_SpikingJelly(byte[] file, string[] says) =>
        Refuses(file, path => EventArrays.ReadFrames(path, "frames", 2, anyCount: false), says);

    private static IEnumerable<TestCaseData> Tonic()
    {
        static TestCaseData Case(string name, byte[] file, params string[] says) => new TestCaseData(file, says).SetArgDisplayNames(name);
        static byte[] Rows(params double[] values) =>
            NumpyFiles.Npy("<f8", $"({values.Length / 4}, 4)", [.. values.SelectMany(BitConverter.GetBytes)]);
        yield return Case("pickle", [0x80, 4, 0x95, 0x2e], "not in NumPy's .npy format");
        yield return Case("objects", NumpyFiles.Npy("|O", "(1, 4)", [0x80, 4, 0x2e]), "Python objects", "never loaded");
        yield return Case("records", [0x93, .. "NUMPY\x01\0"u8, 70, 0, .. System.Text.Encoding.ASCII.GetBytes(
            "{'descr': [('x', '<i2')], 'fortran_order': False, 'shape': (0,), }".PadRight(69) + "\n")], "records");
        yield return Case("three columns", NumpyFiles.Npy("<f8", "(1, 3)", new byte[24]), "shape (1, 3)");
        yield return Case("booleans", NumpyFiles.Npy("|b1", "(1, 4)", new byte[4]), "of type BOOL");
        yield return Case("Fortran", NumpyFiles.Npy("<f8", "(1, 4)", new byte[32], fortran: true), "Fortran order");
        yield return Case("half a column", Rows(0.5, 1, 1, 0), "0.5 for x, y or p");
        yield return Case("polarity", Rows(1, 1, -1, 0), "polarity -1");
        yield return Case("column", Rows(128, 1, 1, 0), "column 128");
        yield return Case("back in time", Rows(1, 1, 1, 3, 1, 1, 1, 2), "time goes back at event 1, from 3000 to 2000");
        yield return Case("no time", Rows(1, 1, 1, double.NaN), "time");
    }

    [TestCaseSource(nameof(Tonic))]
    public void Events_of_tonic(byte[] file, string[] says) => Refuses(file, path => EventArrays.ReadTonic(path), says);

    [Test]
    public void Frames_of_another_T_or_split_say_what_the_folder_holds()
    {
        using TemporaryFolder folder = new();
        folder.Write("frames_number_3_split_by_number/test/0/a_0.npz", NumpyFiles.Frames(3));
        folder.Write("duration_500/test/0/a_0_3.npz", NumpyFiles.Frames(3));
        string Says(int steps, EventSplit split)
        {
            SlttException e = Assert.Throws<SlttException>(() => EventFormTests.Open(new DvsGesture(), folder.FullName, split, steps))!;
            Assert.That(e.Kind, Is.EqualTo(ErrorKind.Data));
            return e.Message;
        }

        Assert.That(
            Says(4, EventSplit.Number),
            Does.Contain("holds slices of 500 µs, their number differs by sample (duration_500), frames of T = 3, split by number")
                .And.Contain("asked for are frames of T = 4, split by number"));
        Assert.That(Says(3, EventSplit.Time), Does.Contain("asked for are frames of T = 3, split by time"));
        Assert.That(Says(3, EventSplit.Slices(400)), Does.Contain("asked for are slices of 400 µs"));
        Directory.Delete(folder["frames_number_3_split_by_number"], true);
        Assert.That(Says(3, EventSplit.Number), Does.Contain("holds slices of 500 µs"));
        folder.Write("frames_number_4_split_by_number/test/0/a_0.npz", NumpyFiles.Frames(3));
        Assert.That(Says(4, EventSplit.Number), Does.Contain("a_0.npz: holds 3 frames, not T = 4"));
        folder.Write("events_np/train/0/a_0.npz", NumpyFiles.Events());
        Assert.That(Says(4, EventSplit.Number), Does.Contain(folder["events_np", "test"]).And.Contain("holds no gestures"));
        folder.Write("events_np/test/11/a_0.npz", NumpyFiles.Events());
        Assert.That(Says(4, EventSplit.Number), Does.Contain("11 is no gesture; gestures are 0 to 10"));
    }

    /// <summary>Other forms go through the same counts as the authors' recordings.</summary>
    [TestCase("events_np/test/3/a_0.npz", 288)]
    [TestCase("frames_number_2_split_by_number/test/3/a_0.npz", 288)]
    [TestCase("ibmGestureTest/user24_led/3.npy", 264)]
    [TestCase("events_np/truck/cifar10_truck_900.npz", 1000)]
    public void An_incomplete_part_and_a_sample_without_events_are_refused(string file, int samples)
    {
        using TemporaryFolder folder = new();
        byte[] sound = file.EndsWith(".npy", StringComparison.Ordinal) ? NumpyFiles.Npy("<f8", "(2, 4)", new byte[64])
            : file.StartsWith("frames", StringComparison.Ordinal) ? NumpyFiles.Frames(2) : NumpyFiles.Events();
        byte[] empty = file.EndsWith(".npy", StringComparison.Ordinal) ? NumpyFiles.Npy("<f8", "(0, 4)", [])
            : file.StartsWith("frames", StringComparison.Ordinal) ? NumpyFiles.Frames(2, value: 0) : NumpyFiles.Events([], [], [], []);
        string path = folder.Write(file, sound);
        NamedDataSet set = samples == 1000 ? new Cifar10Dvs() : new DvsGesture();
        Assert.That(
            Assert.Throws<SlttException>(() => set.Open(folder.FullName, train: false, new DataSetOptions { Steps = 2 }))!.Message,
            Does.Contain("incomplete").And.Contain($"1 of {samples:#,##0}"));
        DataSetPart part = set.Inspect(folder.FullName, thorough: true)[1];
        Assert.That((part.Samples, part.FirstProblem, part.Incomplete.Count > 0), Is.EqualTo((1, (string?)null, true)));
        EventFormTests.Open(set, folder.FullName, EventSplit.Number, steps: 2).Dispose();

        File.WriteAllBytes(path, empty);
        Assert.That(
            Assert.Throws<SlttException>(() => EventFormTests.Open(set, folder.FullName, EventSplit.Number, steps: 2))!.Message,
            Does.Contain(path).And.Contain("holds no event"));
        Assert.That(set.Inspect(folder.FullName, thorough: true)[1].Incomplete, Has.Some.Contains("samples without an event"));
        File.WriteAllBytes(path, "nothing"u8.ToArray());
        Assert.That(set.Inspect(folder.FullName, thorough: false)[1].FirstProblem, Does.Contain(path).And.Contain("does not begin with"));
    }

    [Test]
    public void A_split_by_time_needs_times()
    {
        EventList back = new();
        back.Add(5, 0, 0, 0);
        back.Add(4, 0, 0, 0);
        Assert.That(EventFrames.Integrate(back, 2, "x").Sum(c => c), Is.EqualTo(2), "the official programs do not look at times");
        foreach (EventSplit split in (EventSplit[])[EventSplit.Time, EventSplit.Slices(10)])
        {
            Assert.That(
                Assert.Throws<SlttException>(() => EventFrames.Integrate(back, 2, "x", split))!.Message,
                Does.Contain("time goes back at event 1, from 5 to 4"));
        }

        EventList brief = new();
        brief.Add(5, 0, 0, 0);
        brief.Add(7, 0, 0, 0);
        Assert.That(
            Assert.Throws<SlttException>(() => EventFrames.Integrate(brief, 3, "x", EventSplit.Time))!.Message, Does.Contain("2 µs"));
        Assert.That(EventFrames.Integrate(brief, 2, "x", EventSplit.Time).Sum(c => c), Is.EqualTo(2));
    }

    /// <summary>A few bytes that claim to be a gigabyte are refused before memory is asked for.</summary>
    [Test]
    public void A_small_file_costs_little_memory()
    {
        byte[] file = NumpyFiles.Frames(2);
        int directory = file.AsSpan().LastIndexOf("PK\x01\x02"u8);
        BitConverter.TryWriteBytes(file.AsSpan(directory + 24), 1 << 30);
        Refuses(file, path => EventArrays.ReadFrames(path, "frames", 2, false), "cannot come of");
        BitConverter.TryWriteBytes(file.AsSpan(directory + 20), 1 << 29);
        Refuses(file, path => EventArrays.ReadFrames(path, "frames", 2, false), "cannot come of");
        Refuses(
            NumpyFiles.Npy("<f8", "(9999999, 4)", new byte[32]), path => EventArrays.ReadTonic(path), "need 319999968");
        Refuses(NumpyFiles.Npy("<f8", "(9999999999999, 4)", new byte[32]), path => EventArrays.ReadTonic(path), "an array of shape");
    }

    [Test]
    public void A_flipped_bit_is_found()
    {
        byte[] file = NumpyFiles.Npz(("t", NumpyFiles.Npy(1, 2)), ("x", NumpyFiles.Npy(1, 2)), ("y", NumpyFiles.Npy(1, 2)),
            ("p", NumpyFiles.Npy(0, 1)));
        using TemporaryFolder folder = new();
        Assert.That(EventArrays.ReadNpz(folder.Write("sound.npz", file)).Count, Is.EqualTo(2));
        int refused = 0;
        for (int i = 40; i < 120; i++)
        {
            byte[] damaged = [.. file];
            damaged[i] ^= 1;
            try
            {
                EventList events = EventArrays.ReadNpz(folder.Write("damaged.npz", damaged));
                Assert.That(events.T.ToArray(), Is.EqualTo(Two), "what is read is right");
            }
            catch (SlttException)
            {
                refused++;
            }
        }

        Assert.That(refused, Is.GreaterThan(70));
    }

    [Test]
    public void Mutated_arrays_never_surprise()
    {
        Mutations.Check(NumpyFiles.Events(), path => EventArrays.ReadNpz(path), cases: 300);
        Mutations.Check(NumpyFiles.Frames(2), path => EventArrays.ReadFrames(path, "frames", 2, true), cases: 60);
        byte[] tonic = File.ReadAllBytes(Path.Combine(TestFiles.Shipped("forms"), "tonic", "ibmGestureTest", "user24_led", "3.npy"));
        Mutations.Check(tonic, path => EventArrays.ReadTonic(path), cases: 200, headBytes: 128);
    }

    private static void Refuses(byte[] file, Action<string> read, params string[] says)
    {
        using TemporaryFolder folder = new();
        string path = folder.Write("sample", file);
        SlttException e = Assert.Throws<SlttException>(() => read(path))!;
        Assert.That(e.Message, Does.StartWith(path).And.Not.Contain("\n"));
        foreach (string words in says)
        {
            Assert.That(e.Message, Does.Contain(words));
        }
    }
}
