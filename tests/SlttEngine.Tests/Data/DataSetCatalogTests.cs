using SlttEngine.Data;
using SlttEngine.Tests.IO;

namespace SlttEngine.Tests.Data;

/// <summary>What is said about a folder of data.</summary>
public sealed class DataSetCatalogTests
{
    [Test]
    public void A_whole_set_is_counted([Values] bool thorough)
    {
        string folder = Path.Combine(TestFiles.Shipped("events"), "dvsgesture");
        IReadOnlyList<DataSetPart> parts = DataSetCatalog.Inspect("dvsgesture", folder, thorough);
        Assert.That(parts.Select(p => (p.Part, p.Samples, p.Files, p.BadFiles, p.FirstProblem)),
            Is.EqualTo(new[] { ("train", 7, 2, 0, (string?)null), ("test", 4, 1, 0, null) }));
        Assert.That(parts[0].SamplesByClass, Is.EqualTo(new[] { 1, 0, 0, 0, 2, 0, 0, 0, 2, 0, 2 }));
        DataSetPart cifar = DataSetCatalog.Inspect("DVSCIFAR10", Path.Combine(TestFiles.Shipped("events"), "CIFAR10DVS"), thorough)[0];
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
        DataSetPart thorough = DataSetCatalog.Inspect("DVSCIFAR10", folder.FullName, thorough: true)[0];
        Assert.That((thorough.Samples, thorough.Files, thorough.BadFiles), Is.EqualTo((1, 3, 2)));
        Assert.That(thorough.FirstProblem, Does.Contain(cut));
        DataSetPart quick = DataSetCatalog.Inspect("DVSCIFAR10", folder.FullName, thorough: false)[0];
        Assert.That((quick.Samples, quick.BadFiles), Is.EqualTo((2, 1)));
    }

    [Test]
    public void A_missing_set_is_a_problem_and_no_exception()
    {
        using TemporaryFolder folder = new TemporaryFolder();
        foreach (DataSetInfo info in DataSetCatalog.All)
        {
            DataSetPart part = DataSetCatalog.Inspect(info.Name, folder.FullName, thorough: false)[0];
            Assert.That(part.Samples, Is.Zero);
            Assert.That(part.FirstProblem, Does.Contain(folder.FullName), info.Name);
            Assert.Throws<SlttException>(() => DataSetCatalog.Open(info.Name, folder.FullName, true, new EventSetOptions { Steps = 2 }));
        }

        Assert.That(Assert.Throws<SlttException>(() => DataSetCatalog.Open("cifar11", "x", true, new EventSetOptions { Steps = 2 }))!.Kind, Is.EqualTo(ErrorKind.Usage));
    }

    [Test]
    public void Sets_open_by_name()
    {
        EventSetOptions options = new EventSetOptions { Steps = 5, Transform = EventTransform.Official48 };
        IDataSet set = DataSetCatalog.Open("DVSCIFAR10", Path.Combine(TestFiles.Shipped("events"), "CIFAR10DVS"), train: false, options);
        using EventFrameSet? opened = set as EventFrameSet;
        Assert.That(opened!.Shape, Is.EqualTo(new FrameShape(5, 2, 48, 48)));
        Assert.That(opened.Scale[0], Is.EqualTo(1f / 255));
    }
}
