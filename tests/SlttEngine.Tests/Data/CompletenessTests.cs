using System.Text;
using SkiaSharp;
using SlttEngine.Data;
using SlttEngine.Data.Sets;
using SlttEngine.Tests.IO;

namespace SlttEngine.Tests.Data;

/// <summary>What is missing from a data set, and what lies there unread: told by the same code before training and by sltt data.</summary>
public sealed class CompletenessTests
{
    private TemporaryFolder folder = null!;

    [SetUp]
    public void MakeFolder() => folder = new TemporaryFolder();

    [TearDown]
    public void RemoveFolder() => folder.Dispose();

    // ---- Counts -----------------------------------------------------------------------------------------------------

    [Test]
    public void A_part_is_complete_only_with_every_count()
    {
        PartContents contents = new("data", "Set", train: true, "images", ["a", "b"]) { Expected = [2, 1] };
        Assert.That(
            Refusal(contents, allow: true),
            Is.EqualTo("data: the training part of Set holds no images: 0 of 3 images (a 0 of 2, b 0 of 1)"));
        contents.Add(0);
        contents.Add(0);
        Assert.That(
            Refusal(contents),
            Is.EqualTo("data: the training part of Set is incomplete: 2 of 3 images (b 0 of 1); no images of b; "
                + "all images are of one class, a"));
        contents.Add(1);
        Assert.That(contents.Incomplete, Is.Empty);
        contents.Require(allowIncomplete: false);
        contents.Add(1);
        contents.Remove(0);
        Assert.That(Refusal(contents), Does.EndWith(": 3 of 3 images (a 1 of 2, b 2 of 1)"), "as many, but of other classes");
        contents.Require(allowIncomplete: true);
        Assert.That(
            contents.Warnings.Single(), Is.EqualTo("incomplete data: data: the training part of Set: 3 of 3 images (a 1 of 2, b 2 of 1)"));
    }

    // ---- DVS-CIFAR10 ------------------------------------------------------------------------------------------------

    [Test]
    public void Every_recording_of_dvs_cifar10_counts()
    {
        NumberedSample[][] classes = [.. Cifar10Dvs.ClassNames.Select(
            name => Enumerable.Range(0, 1000).Select(n => new NumberedSample($"{name}_{n}", n)).ToArray())];
        foreach (bool train in (bool[])[true, false])
        {
            PartContents whole = Cifar10Dvs.NewContents("events", train);
            Assert.That(Cifar10Dvs.Split(classes, train, whole), Has.Length.EqualTo(train ? 9000 : 1000));
            Assert.That(whole.Incomplete, Is.Empty);
        }

        classes[6] = [.. classes[6].Where(s => s.Number != 17)];
        PartContents contents = Cifar10Dvs.NewContents("events", train: true);
        Cifar10Dvs.Split(classes, train: true, contents);
        Assert.That(contents.Incomplete, Is.EqualTo(new[] { "8,999 of 9,000 recordings (frog 899 of 900)", "not there: frog 17" }));
        classes[6] = [.. classes[6], new NumberedSample("again", 18)];
        Assert.That(
            Assert.Throws<SlttException>(() => Cifar10Dvs.Split(classes, train: false, contents))!.Message,
            Is.EqualTo("again: the number is that of frog_18 too"));
    }

    [Test]
    public void Classes_in_capitals_are_read_and_hidden_files_passed_over()
    {
        MakeCifar10Dvs();
        Directory.Move(folder["events", "ship"], folder["events", "Ship"]);
        File.Move(folder["events", "cat", "cifar10_cat_0.aedat"], folder["events", "cat", "cifar10_cat_0.AEDAT"]);
        folder.Write("events/dog/._cifar10_dog_0.aedat", [0]);
        folder.Write("events/dog/.ipynb_checkpoints/cifar10_dog_0.aedat", [0]);
        folder.Write("events/frog/cifar10_frog_5.txt", [0]);
        using EventFrameSet set = (EventFrameSet)new Cifar10Dvs().Open(
            folder.FullName, train: true, new DataSetOptions { Steps = 2, AllowIncomplete = true });
        Assert.That(set.Count, Is.EqualTo(10));
        Assert.That(set.Warnings, Has.Some.EqualTo($"{folder["events"]}: not read: 1 .txt"));
        Directory.CreateDirectory(folder["events", "ship"]);
        Assert.That(OpenRefusal(new Cifar10Dvs()), Does.Contain("holds Ship and ship"));
    }

    [Test]
    public void A_missing_class_is_named_and_a_recording_in_a_wrong_class_refused()
    {
        MakeCifar10Dvs();
        Directory.Delete(folder["events", "truck"], recursive: true);
        Assert.That(OpenRefusal(new Cifar10Dvs()), Does.Contain("(truck 0 of 900, ").And.Contain("no recordings of truck"));
        IReadOnlyList<DataSetPart> parts = new Cifar10Dvs().Inspect(folder.FullName, thorough: false);
        Assert.That(parts[0].Incomplete, Has.Some.EqualTo("no recordings of truck"));
        Assert.That(parts[0].ExpectedByClass, Is.All.EqualTo(900));
        Assert.That(parts[0].FirstProblem, Is.Null);
        File.Move(folder["events", "cat", "cifar10_cat_1.aedat"], folder["events", "dog", "cifar10_cat_1.aedat"]);
        Assert.That(OpenRefusal(new Cifar10Dvs()), Does.EndWith("a recording of cat in the folder of dog"));
    }

    [Test]
    public void A_recording_without_an_event_is_refused_or_left_out()
    {
        MakeCifar10Dvs();
        string empty = folder.Write("events/cat/cifar10_cat_0.aedat", "#!AER-DAT2.0\r\n"u8);
        string caches = folder["caches"];
        using EventFrameSet taken = (EventFrameSet)new Cifar10Dvs().Open(
            folder.FullName, train: true, new DataSetOptions { Steps = 2, AllowIncomplete = true, CacheFolder = caches });
        Assert.That(taken.Count, Is.EqualTo(9));
        Assert.That(taken.Warnings, Has.Some.EqualTo($"1 sample without an event left out: {empty}"));
        using EventFrameSet again = (EventFrameSet)new Cifar10Dvs().Open(
            folder.FullName, train: true, new DataSetOptions { Steps = 2, AllowIncomplete = true, CacheFolder = caches });
        Assert.That(again.Warnings, Is.EqualTo(taken.Warnings), "told from the cache too");

        // The set is incomplete too, which is refused first: the cache itself is asked.
        EventRecordings source = new OneRecording(empty);
        Assert.That(
            Assert.Throws<SlttException>(() => EventCache.Open(source, null, 1, null, leaveOut: false))!.Message,
            Is.EqualTo($"{empty}: holds no event"));
        Assert.That(
            Assert.Throws<SlttException>(() => EventCache.Open(source, null, 1, null, leaveOut: true))!.Hint,
            Does.StartWith("no sample of this part holds an event"));
        DataSetPart thorough = new Cifar10Dvs().Inspect(folder.FullName, thorough: true)[0];
        Assert.That(thorough.Incomplete, Has.Some.EqualTo($"samples without an event: {empty}"));
        Assert.That(thorough.SamplesByClass[3], Is.Zero);
    }

    [Test]
    public void A_cache_that_cannot_be_written_is_told()
    {
        MakeCifar10Dvs();
        string file = folder.Write("file", []);
        using EventFrameSet set = (EventFrameSet)new Cifar10Dvs().Open(
            folder.FullName, train: true,
            new DataSetOptions { Steps = 2, AllowIncomplete = true, CacheFolder = Path.Combine(file, "cache") });
        Assert.That(set.Warnings, Has.Some.StartsWith("the frames are in memory alone").And.Some.Contains("cannot write"));
    }

    // ---- DVS-Gesture ------------------------------------------------------------------------------------------------

    [Test]
    public void A_whole_dvs_gesture_is_complete()
    {
        string rows = string.Concat(Enumerable.Range(0, 12).Select(i => $"{Math.Min(i + 1, 11)},{i * 10},{(i * 10) + 9}\r\n"));
        MakeGestures(98, 24, rows);
        foreach (bool train in (bool[])[true, false])
        {
            PartContents contents = DvsGesture.NewContents(folder["DvsGesture"], train);
            Assert.That(DvsGesture.Trials(folder["DvsGesture"], train, contents), Has.Length.EqualTo(train ? 98 : 24));
            Assert.That(contents.Warnings, Is.Empty);
        }
    }

    [Test]
    public void What_is_wrong_with_listed_recordings_is_told()
    {
        MakeGestures(6, 2, "1,0,10\r\n2,10,20\r\n");
        string home = folder["DvsGesture"];
        File.Move(Path.Combine(home, "user0.aedat"), Path.Combine(home, "user0.AEDAT"));
        File.Move(Path.Combine(home, "user1_labels.csv"), Path.Combine(home, "USER1_labels.CSV"));
        File.Delete(Path.Combine(home, "user2.aedat"));
        File.Delete(Path.Combine(home, "user3_labels.csv"));
        folder.Write("DvsGesture/user4_labels.csv", "\ufeffclass,startTime_usec,endTime_usec\r\n3,0,10\r\n4,20,20\r\n"u8);
        folder.Write("DvsGesture/user77.aedat", [0]);
        File.AppendAllText(Path.Combine(home, "trials_to_train.txt"), "user5.aedat\nuser6.aedat\n");
        PartContents contents = DvsGesture.NewContents(home, train: true);
        GestureTrial[] trials = DvsGesture.Trials(home, train: true, contents);
        Assert.That(
            trials.Select(t => Path.GetFileName(t.Path)),
            Is.EqualTo(new[] { "user0.AEDAT", "user1.aedat", "user4.aedat", "user5.aedat", "user5.aedat", "user6.aedat" }));
        Assert.That(contents.Found, Is.EqualTo(new[] { 5, 5, 0, 1, 0, 0, 0, 0, 0, 0, 0 }));
        Assert.That(contents.Incomplete, Is.EqualTo(new[]
        {
            "11 of 1,176 gestures",
            "no gestures of other gestures, right arm clockwise, right arm counter clockwise and 5 more",
            "recordings listed but not there: user2.aedat",
            "recordings without a labels file: user3.aedat",
            "recordings listed more than once: user5.aedat",
            "recordings that the list of the other part has too: user6.aedat",
            "gestures of user4.aedat that end before they begin, left out: gesture 4 from 20 to 20 µs",
        }));
        Assert.That(contents.NotRead, Is.EqualTo($"{home}: not read: 1 .aedat"));
    }

    [Test]
    public void A_labels_file_without_its_first_line_is_refused()
    {
        string labels = folder.Write("user_labels.csv", "1,0,10\n2,10,20\n"u8);
        Assert.That(
            Assert.Throws<SlttException>(() => DvsGesture.ReadLabels(folder["user.aedat"]))!.Message,
            Is.EqualTo($"{labels}: line 1 is a gesture, where the names of the columns belong: readers pass over it"));
    }

    [Test]
    public void A_gesture_without_an_event_is_left_out_by_name()
    {
        MakeGestures(1, 1, "1,0,10\n2,5000,6000\n");
        using EventFrameSet set = (EventFrameSet)new DvsGesture().Open(
            folder.FullName, train: true, new DataSetOptions { Steps = 2, AllowIncomplete = true });
        Assert.That(set.Count, Is.EqualTo(1));
        Assert.That(
            set.Warnings[^1],
            Is.EqualTo($"1 sample without an event left out: {folder["DvsGesture", "user0.aedat"]}, gesture 2 from 5000 to 6000 µs"));
    }

    [Test]
    public void Recordings_in_a_folder_that_is_no_class_are_told()
    {
        folder.Write("events/truck/cifar10_truck_0.aedat", [0]);
        folder.Write("events/Trucks/cifar10_truck_1.aedat", [0]);
        PartContents contents = Cifar10Dvs.NewContents(folder["events"], train: true);
        Cifar10Dvs.Split(folder["events"], train: true, contents);
        Assert.That(contents.Incomplete, Has.One.EqualTo($"{folder["events", "Trucks"]} is no class, its recordings are not read (1)"));
    }

    // ---- Image folders ----------------------------------------------------------------------------------------------

    [Test]
    public void Image_folders_are_alike_and_their_labels_those_of_train()
    {
        MakeImages("train/ant/1.jpg", "train/bee/1.jpg", "train/cow/1.jpg", "val/bee/1.jpg", "val/cow/1.jpg", "val/dog/1.jpg");
        Assert.That(
            Assert.Throws<SlttException>(() => ImageFolder.Open(folder.FullName, train: false))!.Message,
            Is.EqualTo($"{folder["val"]}: the test part of image folders is incomplete: no images of ant; "
                + "no folder for classes of train/: ant; class folders that train/ has not, left out: dog"));
        ImageFolder taken = ImageFolder.Open(folder.FullName, train: false, allowIncomplete: true);
        Assert.That(taken.ClassNames, Is.EqualTo(new[] { "ant", "bee", "cow" }));
        Assert.That(Enumerable.Range(0, taken.Count).Select(taken.Label), Is.EqualTo(new[] { 1, 2 }), "as train/ numbers them");
        ImageFolder.Open(folder.FullName, train: true);
        Assert.That(new ImageNet().Inspect(folder.FullName, thorough: false)[1].Incomplete, Has.Count.EqualTo(3));
    }

    [Test]
    public void A_class_without_images_that_can_be_read_is_named()
    {
        MakeImages("train/ant/1.jpg", "train/bee/1.gif", "train/cow/1.jpg", "train/dog/deep/1.PNG", "train/stray.jpg");
        folder.Write("train/cow/1.jpg", "<html>"u8);
        folder.Write("train/.ipynb_checkpoints/1.jpg", [0]);
        folder.Write("train/ant/._1.jpg", [0]);
        folder.Write("train/ant/.ipynb_checkpoints/1.jpg", [0]);
        Assert.That(
            Assert.Throws<SlttException>(() => ImageFolder.Open(folder.FullName, train: true))!.Message,
            Is.EqualTo($"{folder["train"]}: the training part of image folders is incomplete: no images of bee, cow; "
                + "classes of which no image can be decoded, left out: cow (1) (1 .gif, 1 .jpg are not read)"));
        ImageFolder taken = ImageFolder.Open(folder.FullName, train: true, allowIncomplete: true);
        Assert.That(Enumerable.Range(0, taken.Count).Select(taken.Label), Is.EqualTo(new[] { 0, 3 }));
    }

    [Test]
    [Platform(Exclude = "Win")]
    public void Validation_images_that_are_the_training_images_are_refused()
    {
        MakeImages("train/ant/1.jpg", "train/bee/1.jpg");
        Directory.CreateSymbolicLink(folder["val"], folder["train"]);
        Assert.That(
            Assert.Throws<SlttException>(() => ImageFolder.Open(folder.FullName, train: false, allowIncomplete: true))!.Message,
            Is.EqualTo($"{folder["val"]} is a link to the training images"));
    }

    [Test]
    public void Images_without_class_folders_are_counted()
    {
        MakeImages("val/1.JPEG", "val/2.JPEG");
        Assert.That(
            Assert.Throws<SlttException>(() => ImageFolder.Open(folder.FullName, train: false, allowIncomplete: true))!.Message,
            Does.EndWith("one folder for each class is expected, but 2 images lie there without one"));
    }

    [Test]
    public void One_class_alone_is_told()
    {
        MakeImages("train/ant/1.jpg");
        Assert.That(
            Assert.Throws<SlttException>(() => ImageFolder.Open(folder.FullName, train: true))!.Message,
            Does.EndWith("all images are of one class, ant"));
    }

    [Test]
    [Platform(Exclude = "Win")]
    public void Links_are_followed_unless_they_lead_nowhere_or_in_a_circle()
    {
        MakeImages("train/ant/1.jpg", "elsewhere/1.jpg");
        Directory.CreateSymbolicLink(folder["train", "bee"], "../elsewhere");
        Assert.That(ImageFolder.Open(folder.FullName, train: true).Count, Is.EqualTo(2));
        Directory.CreateSymbolicLink(folder["train", "cow"], "../nowhere");
        Assert.That(
            Assert.Throws<SlttException>(() => ImageFolder.Open(folder.FullName, train: true))!.Message,
            Does.EndWith("cow is a link to a folder that is not there"));
        Directory.CreateSymbolicLink(folder["elsewhere", "up"], "../train");
        Assert.That(
            Assert.Throws<SlttException>(() => ImageFolder.Open(folder.FullName, train: true, allowIncomplete: true))!.Message,
            Does.EndWith("a link to a folder above?"));
    }

    private static string Refusal(PartContents contents, bool allow = false) =>
        Assert.Throws<SlttException>(() => contents.Require(allow))!.Message;

    private string OpenRefusal(NamedDataSet set) =>
        Assert.Throws<SlttException>(() => set.Open(folder.FullName, new DataSetOptions { Steps = 2 }))!.Message;

    private void MakeCifar10Dvs()
    {
        byte[] recording = [.. "#!AER-DAT2.0\r\n"u8, 0, 0, 0, 1, 0, 0, 0, 2];
        foreach (string name in Cifar10Dvs.ClassNames)
        {
            folder.Write($"events/{name}/cifar10_{name}_0.aedat", recording);
            folder.Write($"events/{name}/cifar10_{name}_1.aedat", recording);
        }
    }

    /// <summary>Recordings of an event each at 5 µs; users from 0 are for training, those behind for testing.</summary>
    private void MakeGestures(int train, int test, string rows)
    {
        using MemoryStream recording = new();
        EventList events = new();
        events.Add(5, 1, 1, 1);
        Aedat31.Write(recording, events);
        for (int user = 0; user < train + test; user++)
        {
            folder.Write($"DvsGesture/user{user}.aedat", recording.ToArray());
            folder.Write($"DvsGesture/user{user}_labels.csv", Encoding.ASCII.GetBytes("class,startTime_usec,endTime_usec\r\n" + rows));
        }

        string Names(int first, int count) => string.Concat(Enumerable.Range(first, count).Select(user => $"user{user}.aedat\r\n"));
        folder.Write("DvsGesture/trials_to_train.txt", Encoding.ASCII.GetBytes(Names(0, train)));
        folder.Write("DvsGesture/trials_to_test.txt", Encoding.ASCII.GetBytes(Names(train, test)));
    }

    private void MakeImages(params string[] paths)
    {
        foreach (string path in paths)
        {
            ImageFolderTests.WriteImage(folder, path, 30, 20, SKEncodedImageFormat.Jpeg);
        }
    }

    private sealed class OneRecording(string path) : EventRecordings(train: true, steps: 2, EventTransform.None, EventSplit.Number)
    {
        internal override string Name => "one";

        internal override PartContents Contents { get; } = new("one", "One", train: true, "recordings", ["only"]);

        internal override int Count => 1;

        internal override IEnumerable<string> Files(int index) => [path];

        internal override IReadOnlyList<int> Labels(int index) => [0];

        internal override void CheckStart(int index)
        {
        }

        internal override IEnumerable<EventSample> Decode(int index) => [new EventSample(0, path, Aedat2.Read(path))];
    }
}
