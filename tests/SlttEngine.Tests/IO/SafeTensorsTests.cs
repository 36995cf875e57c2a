using System.Text;
using SlttEngine.IO;

namespace SlttEngine.Tests.IO;

/// <summary>The safetensors reader and writer.</summary>
public sealed class SafeTensorsTests
{
    private static readonly NamedTensor[] Tensors =
    [
        NamedTensor.Float32("b.weight", [2, 3], [1, 2, 3, 4, 5, float.NegativeInfinity]),
        NamedTensor.Int64("a.count", [], [long.MinValue]),
        NamedTensor.Float32("empty", [0, 7], []),
        NamedTensor.Raw("bytes", TensorType.U8, [5], [1, 2, 3, 4, 5]),
        NamedTensor.Raw("flags", TensorType.Bool, [3], [1, 0, 1]),
        NamedTensor.Raw("small", TensorType.U16, [2], [0xff, 0xff, 1, 0]),
    ];

    [Test]
    public void What_is_written_is_read_back()
    {
        using TemporaryFolder folder = new TemporaryFolder();
        string path = folder["x.safetensors"];
        Dictionary<string, string> metadata = new Dictionary<string, string> { ["epoch"] = "3", ["text"] = "line\n\"quoted\" é 漢" };
        SafeTensorsWriter.Write(path, Tensors, metadata);
        using SafeTensorsFile file = SafeTensorsFile.Open(path);
        Assert.That(file.Names, Is.EqualTo(Tensors.Select(t => t.Name)));
        Assert.That(file.Metadata, Is.EquivalentTo(metadata));
        foreach (NamedTensor tensor in Tensors)
        {
            Assert.That(file.DType(tensor.Name), Is.EqualTo(tensor.Type));
            Assert.That(file.Shape(tensor.Name), Is.EqualTo(tensor.Shape));
            Assert.That(file.ReadBytes(tensor.Name), Is.EqualTo(tensor.Bytes.ToArray()));
        }

        Assert.That(file.ReadFloat32("b.weight"), Is.EqualTo(new[] { 1, 2, 3, 4, 5, float.NegativeInfinity }));
        Assert.That(file.ReadInt64("a.count"), Is.EqualTo(new[] { long.MinValue }));
        Assert.That(file.ReadInt64("small"), Is.EqualTo(new long[] { 65535, 1 }));
        Assert.That(file.ReadInt64("flags"), Is.EqualTo(new long[] { 1, 0, 1 }));
        Assert.That(Assert.Throws<SlttException>(() => file.ReadFloat32("a.count"))!.Message, Does.Contain(path).And.Contain("a.count"));
        Assert.That(Assert.Throws<SlttException>(() => file.ReadBytes("nothing"))!.Message, Does.Contain(path).And.Contain("nothing"));
    }

    [Test]
    public void Every_floating_point_type_is_converted()
    {
        double[] numbers = [0, -1.5, 1.0 / 3, 65504, 1e-7];
        byte[] f64 = [.. numbers.SelectMany(BitConverter.GetBytes)];
        byte[] f16 = [.. numbers.SelectMany(x => BitConverter.GetBytes((Half)x))];
        byte[] bf16 = [.. numbers.SelectMany(x => BitConverter.GetBytes((float)x).Skip(2))];
        Assert.That(NamedTensor.Raw("x", TensorType.F64, [5], f64).ToFloat32(), Is.EqualTo(numbers.Select(x => (float)x)));
        Assert.That(NamedTensor.Raw("x", TensorType.F16, [5], f16).ToFloat32(), Is.EqualTo(numbers.Select(x => (float)(Half)x)));
        Assert.That(NamedTensor.Raw("x", TensorType.BF16, [5], bf16).ToFloat32(),
            Is.EqualTo(numbers.Select(x => BitConverter.UInt32BitsToSingle(BitConverter.SingleToUInt32Bits((float)x) & 0xffff0000))));
    }

    [Test]
    public void Recorded_files_open()
    {
        using SafeTensorsFile file = SafeTensorsFile.Open(TestFiles.Shipped("checkpoint/resnet18_sltt.safetensors"));
        Assert.That(file.Names[0], Is.EqualTo("net.conv1.weight"));
        Assert.That(file.Shape("net.conv1.weight"), Is.EqualTo(new long[] { 4, 3, 3, 3 }));
        Assert.That(file.Shape("net.layer1.0.bn1.num_batches_tracked"), Is.Empty);
        Assert.That(file.Metadata["epoch"], Is.EqualTo("3"));
        Assert.That(file.ReadFloat32("net.conv1.weight").All(float.IsFinite));
    }

    [TestCase("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}""", 4, "do not hold", TestName = "Too few bytes for the shape")]
    [TestCase("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", 7, "outside the file", TestName = "Cut off")]
    [TestCase(
        """{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[2,6]}}""", 8, "overlaps",
        TestName = "Overlap")]
    [TestCase(
        """{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}""", 8, "twice",
        TestName = "Listed twice")]
    [TestCase("""{"a":{"dtype":"Q4","shape":[1],"data_offsets":[0,4]}}""", 4, "Q4", TestName = "Unknown type")]
    [TestCase("""{"a":{"dtype":"F32","shape":[-1,-1],"data_offsets":[0,4]}}""", 4, "not a list of sizes", TestName = "Negative size")]
    [TestCase(
        """{"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]}}""", 4, "not a list of sizes",
        TestName = "Sizes that overflow")]
    [TestCase("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[-4,0]}}""", 4, "outside the file", TestName = "Negative offset")]
    [TestCase("""{"a":{"dtype":"F32","shape":[1]}}""", 4, "lacks", TestName = "No offsets")]
    [TestCase("""{"__metadata__":{"a":1}}""", 0, "not a string", TestName = "Metadata that are no strings")]
    [TestCase("""{"a":""", 0, "not valid JSON", TestName = "Half a header")]
    [TestCase("[]", 0, "not a JSON object", TestName = "A list")]
    public void A_bad_header_is_refused_by_name(string header, int dataBytes, string what)
    {
        using TemporaryFolder folder = new TemporaryFolder();
        byte[] json = Encoding.UTF8.GetBytes(header);
        string path = folder.Write("bad.safetensors", [.. BitConverter.GetBytes((long)json.Length), .. json, .. new byte[dataBytes]]);
        SlttException error = Assert.Throws<SlttException>(() => SafeTensorsFile.Open(path).Dispose())!;
        Assert.That(error.Kind, Is.EqualTo(ErrorKind.Data));
        Assert.That(error.Message, Does.Contain(path).And.Contain(what));
    }

    [Test]
    public void Missing_and_short_files_are_refused()
    {
        using TemporaryFolder folder = new TemporaryFolder();
        Assert.That(Assert.Throws<SlttException>(() => SafeTensorsFile.Open(folder["none"]).Dispose())!.Message,
            Is.EqualTo($"cannot read {folder["none"]}: file not found"));
        Assert.Throws<SlttException>(() => SafeTensorsFile.Open(folder.Write("empty", [])).Dispose());
        Assert.Throws<SlttException>(
            () => SafeTensorsFile.Open(folder.Write("long", [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1])).Dispose());
        Assert.Throws<SlttException>(() => SafeTensorsFile.Open(folder.FullName).Dispose());
    }

    [Test]
    public void Mutated_files_never_surprise()
    {
        using TemporaryFolder folder = new TemporaryFolder();
        SafeTensorsWriter.Write(folder["x"], Tensors, new Dictionary<string, string> { ["epoch"] = "3" });
        Mutations.Check(File.ReadAllBytes(folder["x"]), path =>
        {
            using SafeTensorsFile file = SafeTensorsFile.Open(path);
            foreach (string name in file.Names)
            {
                file.ReadBytes(name);
            }
        }, cases: 500);
    }

    [Test]
    public void A_failed_write_leaves_the_older_file_whole()
    {
        using TemporaryFolder folder = new TemporaryFolder();
        string path = folder["x"];
        AtomicFile.Write(path, s => s.Write("older"u8));
        SlttException error = Assert.Throws<SlttException>(() => AtomicFile.Write(path, s =>
        {
            s.Write("new, but the disk is fu"u8);
            throw new IOException("No space left on device : '/somewhere'");
        }))!;
        Assert.That(error.Message, Is.EqualTo($"cannot write {path}: No space left on device"));
        Assert.That(error.Hint, Does.Contain("space"));
        Assert.That(File.ReadAllText(path), Is.EqualTo("older"));
        Assert.That(Directory.GetFiles(folder.FullName), Has.Length.EqualTo(1), "no left-overs");

        // What a killed process leaves behind is in nobody's way.
        File.WriteAllText(AtomicFile.TemporaryPath(path), "half");
        Assert.That(File.ReadAllText(path), Is.EqualTo("older"));
        AtomicFile.Write(path, s => s.Write("newer"u8));
        Assert.That(File.ReadAllText(path), Is.EqualTo("newer"));
        Assert.That(Directory.GetFiles(folder.FullName), Has.Length.EqualTo(1));
    }

    [Test]
    public void The_writer_refuses_a_name_given_twice() =>
        Assert.Throws<ArgumentException>(() => SafeTensorsWriter.Write("never", [Tensors[0], Tensors[0]]));
}
