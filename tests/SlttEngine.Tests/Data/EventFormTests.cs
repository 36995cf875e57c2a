using System.Runtime.InteropServices;
using SlttEngine.Data;
using SlttEngine.Data.Sets;
using SlttEngine.Tests.IO;

namespace SlttEngine.Tests.Data;

/// <summary>
/// The forms that other programs give event recordings, as tools/record-event-forms.py had those programs make them: every number equal.
/// </summary>
public sealed class EventFormTests
{
    private const int Steps = 5;

    private static readonly string Forms = TestFiles.Shipped("forms");

    private static readonly EventSplit[] Splits = [EventSplit.Number, EventSplit.Time, EventSplit.Slices(20000)];

    [TestCaseSource(nameof(Splits))]
    public void A_checkpoints_words_give_the_split_back(EventSplit split)
    {
        foreach (EventTransform transform in Enum.GetValues<EventTransform>())
        {
            Assert.That(
                EventTransformer.Parse(EventTransformer.Describe(transform, split)),
                Is.EqualTo((transform == EventTransform.Plain48, split)));
        }

        Assert.That(EventTransformer.Parse(null), Is.EqualTo((false, EventSplit.Number)));
    }

    [TestCaseSource(nameof(Splits))]
    public void Gestures_give_SpikingJellys_frames(EventSplit split)
    {
        List<(int Label, ushort[] Frames)> expected = [.. Directory.GetFiles(
            Path.Combine(Forms, "dvsgesture", FrameFolder(split), "test"), "*.npz", SearchOption.AllDirectories).Select(path => (
                DvsGesture.ClassOf(
                    int.Parse(Path.GetFileName(Path.GetDirectoryName(path))!, System.Globalization.CultureInfo.InvariantCulture)),
                EventArrays.ReadFrames(path, "frames", Steps, anyCount: split.Duration > 0)))];
        expected.Sort((a, b) => a.Label - b.Label);
        Assert.That(expected.Select(e => e.Label), Is.EqualTo(new[] { 2, 3, 3 }));
        foreach (string form in (string[])["DvsGesture", "events_np", FrameFolder(split)])
        {
            using TemporaryFolder folder = new();
            Copy(Path.Combine(Forms, "dvsgesture", form), folder[form]);
            List<(int Label, ushort[] Frames)> read = Read(new DvsGesture(), folder.FullName, split);
            Assert.That(read.Count, Is.EqualTo(3), form);
            foreach ((int label, ushort[] frames) in expected)
            {
                Assert.That(read.Count(r => r.Label == label && r.Frames.AsSpan().SequenceEqual(frames)), Is.EqualTo(1), $"{form} {label}");
            }
        }
    }

    [TestCaseSource(nameof(Splits))]
    public void Cifar10_gives_SpikingJellys_frames(EventSplit split)
    {
        string root = Path.Combine(Forms, "cifar10dvs");
        string file = Directory.GetFiles(Path.Combine(root, FrameFolder(split), "truck")).Single();
        ushort[] expected = EventArrays.ReadFrames(file, "frames", Steps, anyCount: split.Duration > 0);
        EventList events = EventArrays.ReadNpz(Path.Combine(root, "events_np", "truck", "cifar10_truck_900.npz"));
        Assert.That(EventFrames.Integrate(events, Steps, file, split), Is.EqualTo(expected));
        byte[] small = new byte[Steps * 2 * 48 * 48];
        new EventTransformer(EventTransform.Official48).Apply(expected, small);
        foreach (string form in (string[])["events_np", FrameFolder(split)])
        {
            using TemporaryFolder folder = new();
            Copy(Path.Combine(root, form), folder[form]);
            using EventFrameSet set = Open(new Cifar10Dvs(), folder.FullName, split);
            Assert.That((set.Count, set.Label(0)), Is.EqualTo((1, 9)));
            Assert.That(set.Notes[0], Does.Contain(folder[form]).And.Contain("turned clockwise by 90°"));
            byte[] frames = new byte[set.Shape.Length];
            set.Read(0, 0, frames);
            Assert.That(frames, Is.EqualTo(small), form);
        }

        // SpikingJelly turns the pictures: column c, row r go to column 127 − r, row c.
        EventList recording = Aedat2.Read(Path.Combine(root, "events", "truck", "cifar10_truck_900.aedat"));
        Assert.That(events.T.SequenceEqual(recording.T) && events.P.SequenceEqual(recording.P));
        Assert.That(events.X.ToArray(), Is.EqualTo(recording.Y.ToArray().Select(row => 127 - row)));
        Assert.That(events.Y.ToArray(), Is.EqualTo(recording.X.ToArray()));
    }

    [Test]
    public void Cifar10_gives_the_official_programs_frames([Values] bool byTime)
    {
        EventSplit split = byTime ? EventSplit.Time : EventSplit.Number;
        string root = Path.Combine(Forms, "cifar10dvs");
        string form = $"frames_num_{Steps}_split_by_{split}_normalization_None";
        ushort[] expected = EventArrays.ReadFrames(Path.Combine(root, form, "truck", "cifar10_truck_900.npz"), "arr_0", Steps, false);
        string recording = Path.Combine(root, "events", "truck", "cifar10_truck_900.aedat");
        Assert.That(EventFrames.Integrate(Aedat2.Read(recording), Steps, recording, split), Is.EqualTo(expected));
        using TemporaryFolder folder = new();
        Copy(Path.Combine(root, form), folder[form]);
        using TemporaryFolder raw = new();
        Copy(Path.Combine(root, "events"), raw["events"]);
        Assert.That(Bytes(new Cifar10Dvs(), folder.FullName, split), Is.EqualTo(Bytes(new Cifar10Dvs(), raw.FullName, split)));
        using EventFrameSet set = Open(new Cifar10Dvs(), folder.FullName, split);
        Assert.That(set.Notes.Single(), Does.Not.Contain("turned"));
    }

    [Test]
    public void Tonics_files_give_the_events_that_its_loader_makes([Values] bool byTime)
    {
        EventSplit split = byTime ? EventSplit.Time : EventSplit.Number;
        using TemporaryFolder folder = new();
        Copy(Path.Combine(Forms, "tonic", "ibmGestureTest"), folder["DVSGesture", "ibmGestureTest"]);
        List<(int Label, ushort[] Frames)> read = Read(new DvsGesture(), folder.FullName, split);
        Assert.That(read.Select(r => r.Label), Is.EqualTo(new[] { 0, 2, 4 }));
        foreach ((int label, ushort[] frames) in read)
        {
            int gesture = Enumerable.Range(0, 11).Single(g => DvsGesture.ClassOf(g) == label);
            string expected = Path.Combine(Forms, "tonic", $"{gesture}_split_by_{split}.npz");
            Assert.That(frames, Is.EqualTo(EventArrays.ReadFrames(expected, "frames", Steps, false)), expected);
        }
    }

    [Test]
    public void Of_several_forms_the_recordings_go_first_then_events_then_frames()
    {
        using TemporaryFolder folder = new();
        string source = Path.Combine(Forms, "dvsgesture");
        Copy(Path.Combine(source, "DvsGesture"), folder["extract", "DvsGesture"]);
        string frames = FrameFolder(EventSplit.Number);
        foreach (string form in (string[])["events_np", frames, "duration_20000"])
        {
            Copy(Path.Combine(source, form), folder[form]);
        }

        Assert.That(Notes(), Is.Empty);
        Assert.That(Form(), Is.EqualTo("the authors' recordings"));
        Directory.Delete(folder["extract"], true);
        Assert.That(Notes().Single(), Does.Contain(folder["events_np"]));
        Assert.That(Form(), Does.Contain(folder["events_np"]));
        Directory.Delete(folder["events_np"], true);
        Assert.That(Notes().Single(), Does.Contain(folder[frames]));
        string[] slices = Notes(EventSplit.Slices(20000));
        Assert.That(slices[0], Does.Contain(folder["duration_20000"]));
        Assert.That(slices[1], Does.Contain("20000 µs").And.Contain("the first 5").And.Contain("empty frames"));

        string[] Notes(EventSplit split = default)
        {
            using EventFrameSet set = Open(new DvsGesture(), folder.FullName, split);
            Assert.That(set.Count, Is.EqualTo(3));
            return [.. set.Notes];
        }

        string? Form()
        {
            DataSetPart part = new DvsGesture().Inspect(folder.FullName, thorough: true)[1];
            Assert.That((part.Samples, part.FirstProblem), Is.EqualTo((3, (string?)null)));
            return part.Form;
        }
    }

    [Test]
    public void Slices_begin_with_an_event_and_end_with_the_last_one_within()
    {
        EventList events = new();
        foreach (long t in (long[])[100, 150, 200, 201, 301, 302, 900])
        {
            events.Add(t, (int)(t % 128), 0, 1);
        }

        // 100…200, 201…301, 302, 900: an event exactly as late as the slice is long still counts.
        Assert.That(
            EventSplit.Slices(100).Segments(events, 6), Is.EqualTo(new[] { (0, 3), (3, 5), (5, 6), (6, 7), (7, 7), (7, 7) }));
        Assert.That(EventSplit.Slices(100).Segments(events, 2), Is.EqualTo(new[] { (0, 3), (3, 5) }), "the first ones");
        Assert.That(EventSplit.Time.Segments(events, 2), Is.EqualTo(new[] { (0, 6), (6, 7) }));
        Assert.That(EventSplit.Time.Segments(events, 4)[2], Is.EqualTo((6, 6)), "nothing happened in the third quarter");
    }

    [Test]
    public void Each_split_has_its_own_cache()
    {
        using TemporaryFolder folder = new();
        Copy(Path.Combine(Forms, "dvsgesture", "DvsGesture"), folder["DvsGesture"]);
        DataSetOptions options = new() { Steps = Steps, CacheFolder = folder["cache"], AllowIncomplete = true };
        foreach (EventSplit split in (EventSplit[])[.. Splits, EventSplit.Slices(30000), .. Splits])
        {
            using IDisposable set = (IDisposable)new DvsGesture().Open(folder.FullName, train: false, options with { Split = split });
        }

        Assert.That(Directory.GetFiles(folder["cache"]), Has.Length.EqualTo(4));
    }

    internal static void Copy(string from, string to)
    {
        foreach (string file in Directory.GetFiles(from, "*", SearchOption.AllDirectories))
        {
            string target = Path.Combine(to, Path.GetRelativePath(from, file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(file, target);
        }
    }

    internal static EventFrameSet Open(NamedDataSet set, string folder, EventSplit split, int steps = Steps) =>
        (EventFrameSet)set.Open(folder, train: false, new DataSetOptions { Steps = steps, Split = split, AllowIncomplete = true });

    private static string FrameFolder(EventSplit split) => split.Duration > 0 ? $"{split}" : $"frames_number_{Steps}_split_by_{split}";

    private static byte[] Bytes(NamedDataSet named, string folder, EventSplit split)
    {
        using EventFrameSet set = Open(named, folder, split);
        byte[] frames = new byte[set.Shape.Length * set.Element.Size()];
        set.Read(0, 0, frames);
        return frames;
    }

    private static List<(int Label, ushort[] Frames)> Read(NamedDataSet named, string folder, EventSplit split)
    {
        using EventFrameSet set = Open(named, folder, split);
        List<(int, ushort[])> samples = [];
        for (int i = 0; i < set.Count; i++)
        {
            ushort[] frames = new ushort[set.Shape.Length];
            set.Read(i, 0, MemoryMarshal.AsBytes(frames.AsSpan()));
            samples.Add((set.Label(i), frames));
        }

        return samples;
    }
}
