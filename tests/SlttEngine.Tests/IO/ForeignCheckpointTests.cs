using System.Buffers.Binary;
using System.Text;
using SlttEngine.IO;

namespace SlttEngine.Tests.IO;

/// <summary>Checkpoints that other programs write: their keys, names, extras and missing checksums.</summary>
public sealed class ForeignCheckpointTests
{
    private TemporaryFolder folder = null!;

    [SetUp]
    public void MakeFolder() => folder = new TemporaryFolder();

    [TearDown]
    public void RemoveFolder() => folder.Dispose();

    [TestCase("net")]
    [TestCase("state_dict")]
    [TestCase("model")]
    [TestCase("model_state_dict")]
    public void A_network_lies_under_any_of_the_usual_keys(string key)
    {
        CheckpointFile file = Read(Dict((key, State("conv.weight")), ("epoch", 3L)));
        Assert.That(Names(file), Is.EqualTo(new[] { "net.conv.weight" }));
        Assert.That(file.Metadata["epoch"], Is.EqualTo("3"));
        Assert.That(file.Notes, Is.Empty);
    }

    [Test]
    public void Two_networks_are_refused_if_they_differ_and_a_copy_is_named()
    {
        Assert.That(
            () => Read(Dict(("net", State("conv.weight")), ("model", State("conv.weight", 2f)))),
            Throws.TypeOf<SlttException>().With.Message.Contains("two networks that differ, under net and model"));
        Assert.That(
            Read(Dict(("net", State("conv.weight")), ("model", State("conv.weight")))).Notes.Single(), Does.Contain("the same network"));
        Assert.That(
            Read(Dict(("net", State("conv.weight")), ("model_ema", State("conv.weight", 2f)), ("loss", 0.5))).Notes.Single(),
            Does.EndWith("not read: model_ema (1 entries, tensors among them), loss"));

        // A model's name under the key is no network.
        Assert.That(Names(Read(Dict(("model", "resnet"), ("state_dict", State("a"))))), Is.EqualTo(new[] { "net.a" }));
    }

    [TestCase("module.conv.weight")]
    [TestCase("_orig_mod.conv.weight")]
    [TestCase("net.conv.weight")]
    [TestCase("model.conv.weight")]
    [TestCase("module._orig_mod.model.conv.weight")]
    [TestCase("conv._orig_mod.weight")]
    [TestCase("conv.module.weight")]
    public void Prefixes_of_wrappers_are_stripped_and_said(string name)
    {
        CheckpointFile file = Read(Dict(("net", State(name, 1f, "fc.bias")))).WithPlainNames();
        Assert.That(Names(file), Is.EqualTo(new[] { "net.conv.weight", "net.fc.bias" }));
        Assert.That(file.Notes.Single(), Does.EndWith("stripped from 1 of 2 names"));
    }

    [Test]
    public void A_name_that_the_model_has_is_not_stripped()
    {
        CheckpointFile file = Read(Dict(("net", State("model.weight", 1f, "total_ops"))));
        Assert.That(Names(file.WithPlainNames(["model.weight", "total_ops"])), Is.EqualTo(new[] { "net.model.weight", "net.total_ops" }));
    }

    [Test]
    public void Two_tensors_never_become_one() => Assert.That(
        () => Read(Dict(("net", State("module.conv.weight", 1f, "conv.weight")))).WithPlainNames(),
        Throws.TypeOf<SlttException>().With.Message.Contains("holds conv.weight as module.conv.weight and as conv.weight"));

    [Test]
    public void What_a_profiler_left_is_left_out_and_named()
    {
        CheckpointFile file = Read(Dict(("net", State("conv.weight", 1f, "total_ops", "conv.total_params")))).WithPlainNames();
        Assert.That(Names(file), Is.EqualTo(new[] { "net.conv.weight" }));
        Assert.That(file.Notes.Single(), Does.Contain("(2 buffers): total_ops, conv.total_params"));
    }

    [Test]
    public void Checksums_that_were_not_computed_are_none()
    {
        string path = folder["plain.pth"];
        PthWriter.Write(path, Dict(("net", State("conv.weight"))));
        byte[] bytes = File.ReadAllBytes(path);
        for (int i = 0; i + 30 < bytes.Length; i++)
        {
            ReadOnlySpan<byte> at = bytes.AsSpan(i);
            int crc = at.StartsWith("PK\x03\x04"u8) ? 14 : at.StartsWith("PK\x01\x02"u8) ? 16 : at.StartsWith("PK\x07\x08"u8) ? 4 : 0;
            if (crc > 0)
            {
                BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(i + crc), 0);
            }
        }

        Assert.That(CheckpointFile.Read(folder.Write("nocrc.pth", bytes)).Tensors[0].ToFloat32(), Is.EqualTo(new[] { 1f }));
    }

    private static IEnumerable<TestCaseData> Objects()
    {
        static TestCaseData Case(string title, string pickle, string? name) =>
            new TestCaseData(pickle, name).SetArgDisplayNames(title);

        yield return Case("a namespace", "cargparse\nNamespace\n)\x81}X\x02\0\0\0lrG?\xb9\x99\x99\x99\x99\x99\x9asb", "argparse.Namespace");
        yield return Case("a counter", "ccollections\nCounter\n}X\x01\0\0\0aK\x01s\x85R", "");
        yield return Case("a defaultdict", "ccollections\ndefaultdict\nc__builtin__\nint\n\x85RX\x01\0\0\0aK\x01s", "");
        yield return Case("a set", "c__builtin__\nset\n](K\x01K\u0002e\x85R", "__builtin__.set");
        yield return Case("a set of protocol 4", "\x8f(K\x01K\x02\x90", "set");
        yield return Case("a frozen set", "(K\x01\x91", "frozenset");
        yield return Case("a dtype", "ctorch\nfloat16\n", "torch.float16");
        yield return Case("a device", "ctorch\ndevice\nX\x04\0\0\0cuda\x85R", "torch.device");
        yield return Case("a system call", "cposix\nsystem\nX\x04\0\0\0true\x85R", "posix.system");
        yield return Case(
            "a chain of calls", "c__builtin__\ngetattr\ncos\npath\nX\x04\0\0\0join\x86RX\x01\0\0\0a\x85R", "__builtin__.getattr");
        yield return Case("named arguments", "cpkg\nThing\n)}\x92", "pkg.Thing");
        yield return Case("no call at all", "(X\x01\0\0\0acnumpy\ndtype\nX\x03\0\0\0U10K\0K\x01\x87RtR", null);
        yield return Case("a tuple for a key", "}(K\x01K\x02\x86K\x03u", "");
    }

    /// <summary>{net: {}, KEY: an object as pickle writes it}: the object is skipped, by name, and nothing is run.</summary>
    [TestCaseSource(nameof(Objects))]
    public void Objects_among_the_extras_are_skipped_by_name(string pickle, string? name)
    {
        string path = folder.Write("x.pth", Legacy($"}}(X\x03\0\0\0net}}X\x04\0\0\0args{pickle}u."));
        if (name is null)
        {
            Assert.That(() => CheckpointFile.Read(path), Throws.TypeOf<SlttException>(), "a call of what is no name");
            return;
        }

        Assert.That(
            CheckpointFile.Read(path).Notes.Single(), Does.EndWith("not read: args" + (name.Length > 0 ? $" ({name})" : string.Empty)));
    }

    private static IEnumerable<TestCaseData> Replaced()
    {
        yield return new TestCaseData("X\x03\0\0\0netcmodels\nNet\n)\x81", "its net is an object of models.Net").SetArgDisplayNames("all");
        yield return new TestCaseData("X\x03\0\0\0net}X\x01\0\0\0acmodels\nNet\n)\x81s", "a is an object of models.Net")
            .SetArgDisplayNames("one tensor");
    }

    [TestCaseSource(nameof(Replaced))]
    public void An_object_in_place_of_tensors_is_refused_by_name(string items, string message) => Assert.That(
        () => CheckpointFile.Read(folder.Write("x.pth", Legacy($"}}({items}u."))),
        Throws.TypeOf<SlttException>().With.Message.Contains(message));

    private static IEnumerable<TestCaseData> Numbers()
    {
        static TestCaseData Case(string title, string pickle, string? number) =>
            new TestCaseData(pickle, number).SetArgDisplayNames(title);

        yield return Case(
            "a scalar of protocol 2",
            "cnumpy.core.multiarray\nscalar\nDTYPEf8c_codecs\nencode\nX\x09\0\0\0\0\0\0\0\0\0\u00c3\u00a0?X\x06\0\0\0latin1\x86R\x86R",
            "0.5");
        yield return Case("a scalar of NumPy 2", "cnumpy._core.multiarray\nscalar\nDTYPEi8C\x08\x07\0\0\0\0\0\0\0\x86R", "7");
        yield return Case(
            "an array without dimensions", "cnumpy.core.multiarray\n_reconstruct\n(tR(K\x01)DTYPEi4\u0089C\x04\x05\0\0\0tb",
            "5");
        yield return Case("a big-endian scalar", "cnumpy.core.multiarray\nscalar\nDTYPE>f8C\x08\0\0\0\0\0\0\u00e0?\x86R", null);
    }

    /// <summary>NumPy's numbers and arrays without dimensions are numbers.</summary>
    [TestCaseSource(nameof(Numbers))]
    public void Numbers_of_NumPy_are_numbers(string pickle, string? number)
    {
        char order = pickle.Contains(">f8", StringComparison.Ordinal) ? '>' : '<';
        foreach (string type in (string[])["f8", "i8", "i4"])
        {
            string made = $"cnumpy\ndtype\nX\x02\0\0\0{type}K\0K\x01\x87R";
            string state = $"(K\x03X\x01\0\0\0{order}NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\0tb";
            pickle = pickle.Replace(">" + type, type, StringComparison.Ordinal).Replace(
                "DTYPE" + type, made + state, StringComparison.Ordinal);
        }

        CheckpointFile file = CheckpointFile.Read(folder.Write("x.pth", Legacy($"}}(X\x03\0\0\0net}}X\x0c\0\0\0max_test_acc{pickle}u.")));
        Assert.That(file.Metadata.GetValueOrDefault("max_test_acc"), Is.EqualTo(number));
    }

    [Test]
    public void Floats_that_JSON_has_not_go_both_ways()
    {
        CheckpointFile file = Read(Dict(("net", State("a")), ("max_test_acc", double.NegativeInfinity)));
        file.WriteSafeTensors(folder["a.safetensors"]);
        CheckpointFile.Read(folder["a.safetensors"]).WritePth(folder["b.pth"]);
        Assert.That(((PickleDict)PthReader.Read(folder["b.pth"])!).TryGet("max_test_acc", out object? value));
        Assert.That(value, Is.EqualTo(double.NegativeInfinity));
    }

    [Test]
    public void What_PyTorch_writes_of_such_files_is_read()
    {
        const string Script = """
            import sys
            try:
                import numpy as np, torch
            except Exception:
                sys.exit(77)
            import argparse, collections
            folder, = sys.argv[1:]
            t = torch.arange(4.0)
            for i, (net, extra) in enumerate([
                    ({"module.a": t}, {"args": argparse.Namespace(lr=0.1, betas=(0.9, 0.99), f=collections.OrderedDict)}),
                    ({"a": t.bfloat16()}, {"counts": collections.Counter("aab"), "rng": np.random.get_state(), "seen": {1, "b"}}),
                    ({"a": torch.nn.Parameter(t)}, {"dtype": torch.float16, "on": torch.device("cpu"), "d": collections.defaultdict(list)}),
                    (collections.defaultdict(float, a=t), {"t": np.array([("x", 1)], dtype=[("n", "U4"), ("v", "i4")]), "c": 1j})]):
                for protocol in (2, 4):
                    torch.save({"net": net, "epoch": np.int64(3), "max_test_acc": np.array(0.25), **extra},
                               f"{folder}/{i}{protocol}.pth", pickle_protocol=protocol)
            """;
        CheckpointFileTests.RunPython(Script, folder.FullName);
        foreach (string file in Directory.GetFiles(folder.FullName))
        {
            CheckpointFile read = CheckpointFile.Read(file).WithPlainNames();
            Assert.That(read.Tensors.Single().Name, Is.EqualTo("net.a"), file);
            Assert.That(read.Tensors[0].ToFloat32(), Is.EqualTo(new float[] { 0, 1, 2, 3 }), file);
            Assert.That((read.Metadata["epoch"], read.Metadata["max_test_acc"]), Is.EqualTo(("3", "0.25")), file);
            Assert.That(read.Notes, Is.Not.Empty, file);
        }
    }

    private static IEnumerable<string> Names(CheckpointFile file) => file.Tensors.Select(t => t.Name);

    private CheckpointFile Read(PickleDict root)
    {
        string path = folder["written.pth"];
        PthWriter.Write(path, root);
        return CheckpointFile.Read(path);
    }

    private static PickleDict Dict(params (string Key, object? Value)[] items)
    {
        PickleDict dict = new PickleDict();
        foreach ((string key, object? value) in items)
        {
            dict.Set(key, value);
        }

        return dict;
    }

    private static PickleDict State(string name, float value = 1, params string[] more) => Dict(
        [.. more.Prepend(name).Select(n => (n, (object?)NamedTensor.Float32(n, [1], [value])))]);

    private static byte[] Legacy(string pickle) => CheckpointFileTests.LegacyFile(pickle);
}
