using System.Globalization;
using System.Text;
using SlttEngine.IO;

namespace SlttEngine.Data.Sets;

/// <summary>What <see cref="SyntheticGestures"/> makes.</summary>
public sealed record SyntheticGestureOptions
{
    /// <summary>Decides everything.</summary>
    public long Seed { get; init; } = 2022;

    /// <summary>People in the training recordings.</summary>
    public int TrainUsers { get; init; } = 18;

    /// <summary>Other people in the test recordings.</summary>
    public int TestUsers { get; init; } = 5;

    /// <summary>Recordings of each person, in different light; each holds each of the 11 gestures.</summary>
    public int RecordingsPerUser { get; init; } = 3;

    /// <summary>Length of a gesture, s.</summary>
    public double GestureSeconds { get; init; } = 1.2;
}

/// <summary>
/// Makes event-camera recordings of people making DVS-Gesture's eleven gestures, in exactly that data set's layout: AEDAT 3.1
/// files, labels files, trials_to_train.txt and trials_to_test.txt. 128×128 pixels. The people of the test recordings are others than those
/// of the training recordings: place, size, speed, light and noise differ.
/// </summary>
/// <remarks>A <see cref="GestureScene"/> says where the hands are, an <see cref="EventCamera"/> turns that into events.</remarks>
public static class SyntheticGestures
{
    private const int Version = 1;
    private const double Moment = 0.004;
    private const double Pause = 0.25;
    private const string Marker = "synthetic.txt";

    private static readonly string[] Lights = ["fluorescent", "fluorescent_led", "lab", "led", "natural"];

    /// <summary>
    /// Makes the data set in <paramref name="folder"/>/DvsGesture, unless it is there already, made with the same options.
    /// </summary>
    /// <param name="folder">The data_dir to make.</param>
    /// <param name="options">How much of what.</param>
    /// <param name="progress">Told (recordings done, recordings).</param>
    /// <returns>False if it was there.</returns>
    /// <exception cref="SlttException">The folder cannot be written, or holds another DVS-Gesture that this must not overwrite.</exception>
    public static bool Make(string folder, SyntheticGestureOptions options, Action<int, int>? progress = null)
    {
        if (options.RecordingsPerUser < 1 || options.RecordingsPerUser > Lights.Length || options.TrainUsers < 1 || options.TestUsers < 1
            || !(options.GestureSeconds > 0) || options.GestureSeconds > 60)
        {
            throw new ArgumentOutOfRangeException(
                nameof(options), $"1 to {Lights.Length} recordings of at least one person each, gestures of up to 60 s");
        }

        string recordings = Path.Combine(folder, "DvsGesture");
        string marker = Path.Combine(recordings, Marker);
        string description = $"Synthetic gestures, version {Version}: {options}\n";
        if (File.Exists(marker) && FileErrors.ReadAll(marker).AsSpan().SequenceEqual(Encoding.UTF8.GetBytes(description)))
        {
            return false;
        }

        if (!File.Exists(marker) && Directory.Exists(recordings) && Directory.EnumerateFiles(recordings, "*.aedat").Any(f => !IsOurs(f)))
        {
            throw new SlttException(
                ErrorKind.Data, $"{recordings} holds other recordings, which are not overwritten",
                "choose another folder for the synthetic gestures");
        }

        if (!File.Exists(marker) && Directory.Exists(folder)
            && Directory.EnumerateFileSystemEntries(folder).FirstOrDefault(e => e != recordings) is { } other)
        {
            throw new SlttException(
                ErrorKind.Data, $"{folder} holds other files, {Path.GetFileName(other)} first: the recordings get a folder of their own",
                "give a new or an empty folder");
        }

        RemoveOld(recordings, marker);
        (string Name, int User, int Light)[] train = [.. Names(1, options.TrainUsers, options.RecordingsPerUser)];
        (string Name, int User, int Light)[] test = [.. Names(options.TrainUsers + 1, options.TestUsers, options.RecordingsPerUser)];
        (string Name, int User, int Light)[] all = [.. train, .. test];
        int done = 0;
        try
        {
            Directory.CreateDirectory(recordings);
            Parallel.ForEach(all, recording =>
            {
                Record(recordings, recording, options);
                lock (all)
                {
                    progress?.Invoke(++done, all.Length);
                }
            });
        }
        catch (AggregateException e) when (e.InnerException is SlttException inner)
        {
            throw new SlttException(inner.Kind, inner.Message, inner.Hint, e);
        }
        catch (Exception e) when (FileErrors.IsFileError(e))
        {
            throw FileErrors.Wrap("make", recordings, e);
        }

        WriteText(Path.Combine(recordings, "trials_to_train.txt"), string.Concat(train.Select(r => r.Name + ".aedat\n")));
        WriteText(Path.Combine(recordings, "trials_to_test.txt"), string.Concat(test.Select(r => r.Name + ".aedat\n")));
        WriteText(marker, description);
        return true;
    }

    /// <summary>True if a folder's recordings were made here: each list then names all of them, and each recording has every gesture
    /// once.</summary>
    internal static bool IsIn(string recordings) => File.Exists(Path.Combine(recordings, Marker));

    /// <summary>A recording's events and labels: all gestures once, with pauses between.</summary>
    internal static (EventList Events, GestureLabel[] Labels) Simulate(int user, int light, SyntheticGestureOptions options)
    {
        // Who it is depends on the user alone; the light, the place and the performance on the recording.
        Philox ofUser = new Philox((ulong)options.Seed, 0x5553_4552_0000_0000ul + (uint)user);  // "USER"
        double scale = ofUser.NextBetween(0.85, 1.15), hand = ofUser.NextBetween(5, 7), speed = ofUser.NextBetween(1.1, 1.7);
        double x = ofUser.NextBetween(57, 71), y = ofUser.NextBetween(57, 69);
        Philox random = new Philox((ulong)options.Seed, 0x5245_4300_0000_0000ul + ((uint)user * 16u) + (uint)light);  // "REC"
        GestureScene.Person person = new GestureScene.Person(
            x + random.NextBetween(-3, 3), y + random.NextBetween(-3, 3), scale, hand, speed, random.NextBetween(0.6, 1.0));
        EventCamera camera = new EventCamera(new Philox((ulong)options.Seed, random.NextUInt64() | (1ul << 63)),
            random.NextBetween(0.22, 0.3), random.NextBetween(0.03, 0.1), random.NextBelow(6));

        EventList events = new EventList(1 << 17);
        GestureLabel[] labels = new GestureLabel[DvsGesture.ClassNames.Count];
        Span<Blob> blobs = stackalloc Blob[5];
        double now = 1;
        for (int gesture = 0; gesture < labels.Length; gesture++)
        {
            GestureScene scene = new GestureScene(gesture, person, ref random);
            scene.Place(0, blobs);
            for (int i = 0; i < (int)(Pause / Moment); i++, now += Moment)
            {
                camera.Observe(now, Moment, blobs, events);  // the hands jump to their place, then rest
            }

            double start = now;
            int moments = (int)(options.GestureSeconds / Moment);
            for (int i = 1; i <= moments; i++, now += Moment)
            {
                scene.Place(i * Moment, blobs);
                camera.Observe(now, Moment, blobs, events);
            }

            labels[gesture] = new GestureLabel(gesture, (long)(start * 1e6), (long)(now * 1e6));
        }

        return (events, labels);
    }

    private static IEnumerable<(string Name, int User, int Light)> Names(int firstUser, int users, int recordings)
    {
        for (int user = firstUser; user < firstUser + users; user++)
        {
            for (int light = 0; light < recordings; light++)
            {
                yield return (string.Create(CultureInfo.InvariantCulture, $"user{user:00}_{Lights[light]}"), user, light);
            }
        }
    }

    private static void Record(string folder, (string Name, int User, int Light) recording, SyntheticGestureOptions options)
    {
        (EventList events, GestureLabel[] labels) = Simulate(recording.User, recording.Light, options);
        string path = Path.Combine(folder, recording.Name + ".aedat");
        AtomicFile.Write(path, stream => Aedat31.Write(stream, events), durable: false);
        WriteText(DvsGesture.LabelsPath(path), "class,startTime_usec,endTime_usec\n"
            + string.Concat(labels.Select(l => string.Create(CultureInfo.InvariantCulture, $"{l.Label + 1},{l.Start},{l.End}\n"))));
    }

    private static void WriteText(string path, string text) =>
        AtomicFile.Write(path, stream => stream.Write(Encoding.UTF8.GetBytes(text)), durable: false);

    /// <summary>
    /// A recording that an interrupted run of this left behind: its labels file has our form, and no marker came after it.
    /// </summary>
    private static bool IsOurs(string recording)
    {
        string name = Path.GetFileNameWithoutExtension(recording);
        return !File.Exists(Path.Combine(Path.GetDirectoryName(recording)!, "trials_to_train.txt"))
            && Lights.Any(l => name.EndsWith("_" + l, StringComparison.Ordinal));
    }

    private static void RemoveOld(string recordings, string marker)
    {
        if (!File.Exists(marker))
        {
            return;
        }

        // Other options: the marker goes first, so that a half-made set is never taken for a whole one.
        try
        {
            File.Delete(marker);
            foreach (string file in Directory.GetFiles(recordings, "user*_*.*"))
            {
                File.Delete(file);
            }

            File.Delete(Path.Combine(recordings, "trials_to_train.txt"));
            File.Delete(Path.Combine(recordings, "trials_to_test.txt"));
        }
        catch (Exception e) when (FileErrors.IsFileError(e))
        {
            throw FileErrors.Wrap("replace", recordings, e);
        }
    }
}
