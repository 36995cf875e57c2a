using System.Text;
using SlttEngine.Data;
using SlttEngine.Tests.IO;

namespace SlttEngine.Tests.Data;

/// <summary>CIFAR-10 and CIFAR-100 in both official layouts.</summary>
public sealed class CifarTests
{
    private const int ImageBytes = 3072;

    [Test]
    public void Both_layouts_give_the_same_images_and_labels([Values(10, 100)] int classes, [Values] bool train)
    {
        using TemporaryFolder binary = new TemporaryFolder();
        using TemporaryFolder python = new TemporaryFolder();
        Make(binary, python, classes, perFile: 7);
        foreach (TemporaryFolder folder in (TemporaryFolder[])[binary, python])
        {
            CifarImages set = CifarImages.Load(folder.FullName, classes, train, allowIncomplete: true);
            int files = train && classes == 10 ? 5 : 1;
            Assert.That(set.Count, Is.EqualTo(7 * files));
            Assert.That(set.ClassNames, Has.Count.EqualTo(classes));
            Assert.That(set.Images.Length, Is.EqualTo(set.Count * ImageBytes));
            for (int i = 0; i < set.Count; i++)
            {
                (int label, byte[] pixels) = Image(classes, train, i);
                Assert.That(set.Label(i), Is.EqualTo(label));
                Assert.That(set.Images.Slice(i * ImageBytes, ImageBytes).ToArray(), Is.EqualTo(pixels));
            }

            string inner = Directory.GetDirectories(folder.FullName)[0];
            Assert.That(
                CifarImages.Load(inner, classes, train, allowIncomplete: true).Count, Is.EqualTo(set.Count),
                "the folder of the files itself");
        }
    }

    [Test]
    public void What_is_missing_or_damaged_is_named()
    {
        using TemporaryFolder folder = new TemporaryFolder();
        using TemporaryFolder other = new TemporaryFolder();
        SlttException none = Assert.Throws<SlttException>(() => CifarImages.Load(folder.FullName, 10, true))!;
        Assert.That(none.Message, Does.Contain(folder.FullName));
        Assert.That(none.Hint, Does.Contain("cifar-10-binary.tar.gz"));
        Assert.That(Assert.Throws<SlttException>(() => CifarImages.Load(folder["no"], 10, true))!.Message, Does.Contain("no such folder"));

        Make(folder, other, 10, perFile: 3);
        string third = folder["cifar-10-batches-bin", "data_batch_3.bin"];
        byte[] whole = File.ReadAllBytes(third);
        File.WriteAllBytes(third, whole[..^1]);
        Assert.That(
            Assert.Throws<SlttException>(() => CifarImages.Load(folder.FullName, 10, true))!.Message,
            Does.Contain(third).And.Contain("truncated"));
        whole[ImageBytes + 1] = 10;
        File.WriteAllBytes(third, whole);
        Assert.That(
            Assert.Throws<SlttException>(() => CifarImages.Load(folder.FullName, 10, true))!.Message,
            Does.Contain(third).And.Contain("image 1 has label 10"));
        File.Delete(third);
        Assert.That(
            Assert.Throws<SlttException>(() => CifarImages.Load(folder.FullName, 10, true))!.Message,
            Does.Contain("12 of 50,000 images").And.Contain("files that are not there: data_batch_3.bin"));
        Assert.That(CifarImages.Load(folder.FullName, 10, train: true, allowIncomplete: true).Count, Is.EqualTo(12));
        Assert.That(
            CifarImages.Load(folder.FullName, 10, train: false, allowIncomplete: true).Count, Is.EqualTo(3), "the test part can be read");
    }

    [TestCase("protocol-5")]
    [TestCase("array-labels")]
    [TestCase("array-labels-5")]
    [TestCase("scalar-labels")]
    [TestCase("column-major")]
    [TestCase("column-major-5")]
    [TestCase("planes")]
    [TestCase("planes-column-major")]
    public void Pickles_saved_again_give_the_same_images(string way)
    {
        using TemporaryFolder folder = new TemporaryFolder();
        CopyAs(Path.Combine(TestFiles.Shipped("cifar"), way), folder, "test_batch");
        CifarImages set = CifarImages.Load(folder.FullName, 10, train: false, allowIncomplete: true);
        Assert.That(set.Labels.ToArray(), Is.EqualTo(new[] { 3, 8 }));
        Assert.That(
            set.Images.ToArray(),
            Is.EqualTo(Enumerable.Range(0, 2 * ImageBytes).Select(i => (byte)(((7 * (i % ImageBytes)) + (13 * (i / ImageBytes))) % 251))));
    }

    [TestCase("channels-last", "pixels of shape (2, 32, 32, 3)")]
    [TestCase("channels-last-strided-5", "pixels of shape (2, 32, 32, 3)")]
    [TestCase("floats", "not an array of bytes")]
    [TestCase("float-labels", "labels is not a list of whole numbers")]
    public void Pickles_of_another_form_are_refused(string way, string reason)
    {
        using TemporaryFolder folder = new TemporaryFolder();
        CopyAs(Path.Combine(TestFiles.Shipped("cifar"), way), folder, "test_batch");
        Assert.That(
            Assert.Throws<SlttException>(() => CifarImages.Load(folder.FullName, 10, train: false, allowIncomplete: true))!.Message,
            Does.Contain(folder["test_batch"]).And.Contain(reason));
    }

    [Test]
    public void A_batch_that_is_short_or_there_twice_is_told()
    {
        using TemporaryFolder folder = new TemporaryFolder();
        using TemporaryFolder other = new TemporaryFolder();
        Make(folder, other, 10, perFile: 4);
        string second = folder["cifar-10-batches-bin", "data_batch_2.bin"];
        File.Copy(folder["cifar-10-batches-bin", "data_batch_1.bin"], second, overwrite: true);
        File.Move(folder["cifar-10-batches-bin", "data_batch_5.bin"], folder["cifar-10-batches-bin", "DATA_BATCH_5.BIN"]);
        SlttException refused = Assert.Throws<SlttException>(() => CifarImages.Load(folder.FullName, 10, train: true))!;
        Assert.That(
            refused.Message,
            Does.StartWith($"{folder["cifar-10-batches-bin"]}: the training part of CIFAR-10 is incomplete: 20 of 50,000 images (")
                .And.Contain("data_batch_2.bin has the images of data_batch_1.bin").And.Contain("data_batch_1.bin 4 of 10,000"));
        Assert.That(refused.Hint, Does.Contain("--allow-incomplete"));
        CifarImages taken = CifarImages.Load(folder.FullName, 10, train: true, allowIncomplete: true);
        Assert.That(taken.Count, Is.EqualTo(20));
        Assert.That(taken.Warnings.Single(), Does.StartWith("incomplete data: ").And.Contain("20 of 50,000"));

        File.Copy(second, folder["cifar-10-batches-bin", "test_batch.bin"], overwrite: true);
        Assert.That(
            Assert.Throws<SlttException>(() => CifarImages.Load(folder.FullName, 10, train: false))!.Message,
            Does.Contain("test_batch.bin has the images of data_batch_1.bin"));
    }

    [Test]
    public void Mutated_pickles_never_surprise()
    {
        using TemporaryFolder python = new TemporaryFolder();
        using TemporaryFolder binary = new TemporaryFolder();
        Make(binary, python, 10, perFile: 2);
        byte[] batch = File.ReadAllBytes(python["cifar-10-batches-py", "test_batch"]);
        using TemporaryFolder folder = new TemporaryFolder();
        Mutations.Check(
            batch,
            path => CifarImages.Load(Path.GetDirectoryName(CopyAs(path, folder, "test_batch"))!, 10, train: false, allowIncomplete: true),
            cases: 400,
            headBytes: batch.Length);
    }

    [Test]
    public void A_pickle_that_wants_more_is_refused()
    {
        using TemporaryFolder folder = new TemporaryFolder();
        folder.Write("test_batch", Encoding.Latin1.GetBytes("cos\nsystem\n(S'true'\ntR."));
        Assert.That(
            Assert.Throws<SlttException>(() => CifarImages.Load(folder.FullName, 10, train: false))!.Message, Does.Contain("os.system"));
    }

    private static string CopyAs(string path, TemporaryFolder folder, string name)
    {
        File.Copy(path, folder[name], overwrite: true);
        return folder[name];
    }

    private static (int Label, byte[] Pixels) Image(int classes, bool train, int index)
    {
        Random random = new Random((classes * 1000) + (train ? 0 : 500) + index);
        byte[] pixels = new byte[ImageBytes];
        int label = random.Next(classes);
        random.NextBytes(pixels);
        return (label, pixels);
    }

    /// <summary>A small CIFAR in both layouts, each in a folder of its own.</summary>
    internal static void Make(TemporaryFolder binary, TemporaryFolder python, int classes, int perFile)
    {
        foreach (bool train in (bool[])[true, false])
        {
            string[] names = (classes, train) switch
            {
                (10, true) => ["data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5"],
                (10, false) => ["test_batch"],
                (_, true) => ["train"],
                _ => ["test"],
            };
            for (int file = 0; file < names.Length; file++)
            {
                List<byte> records = new List<byte>();
                List<byte> pixels = new List<byte>();
                List<int> labels = new List<int>();
                for (int i = 0; i < perFile; i++)
                {
                    (int label, byte[] image) = Image(classes, train, (file * perFile) + i);
                    records.AddRange(classes == 100 ? [(byte)(label / 5), (byte)label] : [(byte)label]);
                    records.AddRange(image);
                    pixels.AddRange(image);
                    labels.Add(label);
                }

                binary.Write(Path.Combine(classes == 10 ? "cifar-10-batches-bin" : "cifar-100-binary", names[file] + ".bin"), [.. records]);
                python.Write(Path.Combine(classes == 10 ? "cifar-10-batches-py" : "cifar-100-python", names[file]),
                    Pickle(classes == 100 ? "fine_labels" : "labels", labels, [.. pixels]));
            }
        }
    }

    /// <summary>A batch as Python 2 pickled it: protocol 2, byte strings, a NumPy array.</summary>
    private static byte[] Pickle(string labelsKey, List<int> labels, byte[] pixels)
    {
        List<byte> bytes = new List<byte>();
        void Text(string ops) => bytes.AddRange(Encoding.Latin1.GetBytes(ops));
        void Str(string text) => Text($"U{(char)text.Length}{text}");
        Text("\u0080\u0002}q\u0001(");
        Str("data");
        Text("cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\0\u0085U\u0001b\u0087R(K\u0001K" + (char)labels.Count
            + "M\0\u000c\u0086");
        Text("cnumpy\ndtype\nU\u0002u1K\0K\u0001\u0087R(K\u0003U\u0001|NNNJ\u00ff\u00ff\u00ff\u00ffJ\u00ff\u00ff\u00ff\u00ffK\0tb\u0089T");
        bytes.AddRange(BitConverter.GetBytes(pixels.Length));
        bytes.AddRange(pixels);
        Text("tb");
        Str(labelsKey);
        Text("](" + string.Concat(labels.Select(l => $"K{(char)l}")) + "e");
        Text("u.");
        return [.. bytes];
    }
}
