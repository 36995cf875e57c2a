using SlttEngine.Data;
using SlttEngine.Data.Sets;
using SlttEngine.Tests.IO;

namespace SlttEngine.Tests.Data;

/// <summary>What is said about a folder of data.</summary>
public sealed class DataSetsTests
{
    [Test]
    public void A_whole_set_is_counted([Values] bool thorough)
    {
        string folder = Path.Combine(TestFiles.Shipped("events"), "dvsgesture");
        IReadOnlyList<DataSetPart> parts = DataSets.Find("dvsgesture").Inspect(folder, thorough);
        Assert.That(parts.Select(p => (p.Part, p.Samples, p.Files, p.BadFiles, p.FirstProblem)),
            Is.EqualTo(new[] { ("train", 7, 2, 0, (string?)null), ("test", 4, 1, 0, null) }));
        Assert.That(parts[0].SamplesByClass, Is.EqualTo(new[] { 1, 0, 2, 0, 0, 2, 0, 0, 0, 2, 0 }));
        DataSetPart cifar = DataSets.Find("DVSCIFAR10").Inspect(Path.Combine(TestFiles.Shipped("events"), "CIFAR10DVS"), thorough)[0];
        Assert.That((cifar.Samples, cifar.Files, cifar.FirstProblem), Is.EqualTo((2, 2, (string?)null)));
    }

    [Test]
    public void The_first_bad_file_is_named_and_the_others_are_counted()
    {
        using TemporaryFolder folder = new TemporaryFolder();
        string whole = Path.Combine(TestFiles.Shipped("events"), "CIFAR10DVS", "events", "truck", "cifar10_truck_900.aedat");
        byte[] bytes = File.ReadAllBytes(whole);
        folder.Write("events/cat/cifar10_cat_0.aedat", bytes);
        string cut = folder.Write("events/cat/cifar10_cat_1.aedat", bytes.AsSpan(0, bytes.Length - 3));
        folder.Write("events/cat/cifar10_cat_2.aedat", "other"u8);
        folder.Write("events/cat/cifar10_cat_950.aedat", bytes);
        DataSetPart thorough = DataSets.Find("DVSCIFAR10").Inspect(folder.FullName, thorough: true)[0];
        Assert.That((thorough.Samples, thorough.Files, thorough.BadFiles), Is.EqualTo((1, 3, 2)));
        Assert.That(thorough.FirstProblem, Does.Contain(cut));
        DataSetPart quick = DataSets.Find("DVSCIFAR10").Inspect(folder.FullName, thorough: false)[0];
        Assert.That((quick.Samples, quick.BadFiles), Is.EqualTo((2, 1)));
    }

    [Test]
    public void A_missing_set_is_a_problem_and_no_exception()
    {
        using TemporaryFolder folder = new TemporaryFolder();
        foreach (NamedDataSet set in DataSets.All)
        {
            DataSetPart part = set.Inspect(folder.FullName, thorough: false)[0];
            Assert.That(part.Samples, Is.Zero);
            Assert.That(part.FirstProblem, Does.Contain(folder.FullName), set.Name);
            Assert.Throws<SlttException>(() => set.Open(folder.FullName, true, new DataSetOptions { Steps = 2 }));
        }

        Assert.That(Assert.Throws<SlttException>(() => DataSets.Find("cifar11"))!.Kind, Is.EqualTo(ErrorKind.Usage));
    }

    [Test]
    public void Sets_open_by_name()
    {
        DataSetOptions options = new() { Steps = 5, AllowIncomplete = true };
        IDataSet set = DataSets.Find("DVSCIFAR10").Open(Path.Combine(TestFiles.Shipped("events"), "CIFAR10DVS"), train: false, options);
        using EventFrameSet? opened = set as EventFrameSet;
        Assert.That(opened!.Shape, Is.EqualTo(new FrameShape(5, 2, 48, 48)));
        Assert.That(opened.Scale[0], Is.EqualTo(1f / 255));
    }

    /// <summary>What a plan is told without files is what an opened set says.</summary>
    [Test]
    public void The_format_without_files_is_that_of_the_opened_set(
        [Values("DVSCIFAR10", "dvsgesture", "cifar10")] string name, [Values] bool plain)
    {
        using Cli.SmallCifar cifar = new();
        string folder = name == "cifar10" ? cifar.Folder
            : Path.Combine(TestFiles.Shipped("events"), name == "dvsgesture" ? "dvsgesture" : "CIFAR10DVS");
        DataSetOptions options = new() { Steps = 5, PlainResize = plain, AllowIncomplete = true };
        NamedDataSet named = DataSets.Find(name);
        IDataSet set = named.Open(folder, train: false, options);
        using IDisposable? files = set as IDisposable;
        (SampleFormat opened, SampleFormat told) = (SampleFormat.Of(set), named.Format(options));
        Assert.That((told.Shape, told.Classes, told.SampleBytes), Is.EqualTo((opened.Shape, opened.Classes, opened.SampleBytes)));
        if (told is SampleFormat.Frames frames && opened is SampleFormat.Frames openedFrames)
        {
            Assert.That(frames.Element, Is.EqualTo(openedFrames.Element));
            Assert.That(frames.Scale, Is.EqualTo(openedFrames.Scale));
            Assert.That(frames.Shift, Is.EqualTo(openedFrames.Shift));
        }
        else
        {
            Assert.That(((SampleFormat.Images)told).Mean, Is.EqualTo(((SampleFormat.Images)opened).Mean));
            Assert.That(((SampleFormat.Images)told).Std, Is.EqualTo(((SampleFormat.Images)opened).Std));
        }
    }
}
