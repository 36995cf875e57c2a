using SlttEngine.Data;
using SlttEngine.Data.Sets;
using SlttEngine.Tests.IO;

namespace SlttEngine.Tests.Data;

/// <summary>The simulated event camera and the gestures it records.</summary>
public sealed class SyntheticGesturesTests
{
    private static readonly SyntheticGestureOptions Small =
        new() { TrainUsers = 2, TestUsers = 1, RecordingsPerUser = 1, GestureSeconds = 0.3 };

    [Test]
    public void A_bright_blob_fires_on_at_its_leading_edge_and_off_behind()
    {
        EventCamera camera = new EventCamera(new Philox(1, 1), threshold: 0.25, noiseRate: 0, hotPixels: 0);
        EventList events = new EventList();
        camera.Observe(0, 0.004, [new Blob(40, 64, 6, 1)], events);
        Assert.That(events.P.ToArray(), Is.All.EqualTo(1), "it appears");
        events = new EventList();
        for (int i = 1; i <= 20; i++)
        {
            camera.Observe(0.004 * i, 0.004, [new Blob(40 + (0.5 * i), 64, 6, 1)], events);
        }

        double on = Enumerable.Range(0, events.Count).Where(i => events.P[i] == 1).Average(i => events.X[i]);
        double off = Enumerable.Range(0, events.Count).Where(i => events.P[i] == 0).Average(i => events.X[i]);
        Assert.That(on - off, Is.GreaterThan(6), "ON ahead of OFF, by about the diameter");
        Assert.That(events.T.ToArray(), Is.Ordered);

        // It goes: what fired ON fires OFF, and the camera is as it was.
        EventList last = new EventList();
        camera.Observe(0.1, 0.004, [], last);
        Assert.That(last.P.ToArray(), Is.All.Zero);
        EventList still = new EventList();
        camera.Observe(0.104, 0.004, [], still);
        Assert.That(still.Count, Is.Zero);
    }

    [Test]
    public void Noise_comes_at_its_rate()
    {
        EventCamera camera = new EventCamera(new Philox(1, 2), threshold: 0.25, noiseRate: 0.5, hotPixels: 0);
        EventList events = new EventList();
        for (int i = 0; i < 250; i++)
        {
            camera.Observe(0.004 * i, 0.004, [], events);
        }

        Assert.That(events.Count, Is.EqualTo(0.5 * 128 * 128).Within(5).Percent);
    }

    [Test]
    public void The_recordings_are_a_dvs_gesture_data_set()
    {
        using TemporaryFolder folder = new TemporaryFolder();
        Assert.That(SyntheticGestures.Make(folder.FullName, Small));
        DataSetOptions options = new DataSetOptions { Steps = 4 };
        using EventFrameSet train = (EventFrameSet)new DvsGesture().Open(folder.FullName, train: true, options);
        using EventFrameSet test = (EventFrameSet)new DvsGesture().Open(folder.FullName, train: false, options);
        Assert.That(train.Count, Is.EqualTo(22));
        Assert.That(Enumerable.Range(0, 11).Select(test.Label), Is.EqualTo(Enumerable.Range(0, 11).Select(DvsGesture.ClassOf)));
        byte[] frames = new byte[test.Shape.Length * 2];
        for (int i = 0; i < test.Count; i++)
        {
            test.Read(i, 0, frames);
            Assert.That(frames.Sum(b => b), Is.GreaterThan(300), $"gesture {i} moves");
        }
    }

    [Test]
    public void The_seed_decides_every_byte()
    {
        using TemporaryFolder first = new TemporaryFolder();
        using TemporaryFolder second = new TemporaryFolder();
        using TemporaryFolder third = new TemporaryFolder();
        SyntheticGestures.Make(first.FullName, Small);
        SyntheticGestures.Make(second.FullName, Small);
        SyntheticGestures.Make(third.FullName, Small with { Seed = 1 });
        foreach (string file in Directory.GetFiles(first["DvsGesture"]))
        {
            byte[] bytes = File.ReadAllBytes(file);
            Assert.That(File.ReadAllBytes(second["DvsGesture", Path.GetFileName(file)]).AsSpan().SequenceEqual(bytes), file);
            if (file.EndsWith(".aedat", StringComparison.Ordinal))
            {
                Assert.That(File.ReadAllBytes(third["DvsGesture", Path.GetFileName(file)]).AsSpan().SequenceEqual(bytes), Is.False, file);
            }
        }
    }

    [Test]
    public void It_is_made_once_again_for_other_options_and_never_over_other_recordings()
    {
        using TemporaryFolder folder = new TemporaryFolder();
        Assert.That(SyntheticGestures.Make(folder.FullName, Small));
        Assert.That(SyntheticGestures.Make(folder.FullName, Small), Is.False);
        Assert.That(SyntheticGestures.Make(folder.FullName, Small with { TrainUsers = 1 }));
        Assert.That(Directory.GetFiles(folder["DvsGesture"], "*.aedat"), Has.Length.EqualTo(2));

        // Interrupted: recordings without lists or marker.
        foreach (string file in Directory.GetFiles(folder["DvsGesture"], "*.txt"))
        {
            File.Delete(file);
        }

        Assert.That(SyntheticGestures.Make(folder.FullName, Small));

        using TemporaryFolder mine = new TemporaryFolder();
        mine.Write("thesis.tex", [1]);
        SlttException refused = Assert.Throws<SlttException>(() => SyntheticGestures.Make(mine.FullName, Small))!;
        Assert.That(refused.Message, Does.Contain("thesis.tex"));
        Assert.That(Directory.Exists(mine["DvsGesture"]), Is.False);

        using TemporaryFolder other = new TemporaryFolder();
        other.Write("DvsGesture/user01_led.aedat", [1]);
        other.Write("DvsGesture/trials_to_train.txt", [1]);
        Assert.That(
            Assert.Throws<SlttException>(() => SyntheticGestures.Make(other.FullName, Small))!.Message, Does.Contain("not overwritten"));
        Assert.That(File.ReadAllBytes(other["DvsGesture", "user01_led.aedat"]), Is.EqualTo(new byte[] { 1 }));
    }
}
