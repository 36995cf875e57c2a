using System.Diagnostics;
using System.Text;
using System.Text.Json.Nodes;
using SlttEngine.IO;

namespace SlttEngine.Tests.IO;

/// <summary>Checkpoints in all their formats: what PyTorch wrote, and what PyTorch must read.</summary>
public sealed class CheckpointFileTests
{
    private static string[] Recorded => TestFiles.Golden("checkpoint", "*.pth");

    [TestCaseSource(nameof(Recorded))]
    public void A_pth_file_holds_what_its_safetensors_file_says(string pth)
    {
        string expected = pth.Replace("_legacy", "", StringComparison.Ordinal).Replace(".pth", ".safetensors", StringComparison.Ordinal);
        AssertSame(CheckpointFile.Read(pth), CheckpointFile.Read(expected));
    }

    [TestCase("resnet18_sltt")]
    [TestCase("vgg11_sltt_adamw")]
    public void A_checkpoint_survives_every_format(string name)
    {
        using TemporaryFolder folder = new TemporaryFolder();
        CheckpointFile recorded = CheckpointFile.Read(TestFiles.Shipped($"checkpoint/{name}.safetensors"));
        Dictionary<string, string> metadata = new Dictionary<string, string>(
            recorded.Metadata)
        { ["model"] = "spiking \"x\"", ["rng"] = "{\"step\": 12}" };
        CheckpointFile checkpoint = new CheckpointFile([.. recorded.Tensors, NamedTensor.Int64("loader.position", [2], [7, -1])], metadata);
        checkpoint.WritePth(folder["a.pth"]);
        CheckpointFile fromPth = CheckpointFile.Read(folder["a.pth"]);
        AssertSame(fromPth, checkpoint);
        fromPth.WriteSafeTensors(folder["b.safetensors"]);
        AssertSame(CheckpointFile.Read(folder["b.safetensors"]), checkpoint);
        checkpoint.WritePth(folder["c.pth"]);
        Assert.That(File.ReadAllBytes(folder["c.pth"]), Is.EqualTo(File.ReadAllBytes(folder["a.pth"])), "same content, same bytes");
    }

    [Test]
    public void PyTorch_reads_what_is_written_and_is_read()
    {
        const string Script = """
            import sys, collections
            try:
                import torch
            except Exception:
                sys.exit(77)
            folder, golden = sys.argv[1:]
            ours, theirs = torch.load(folder + "/ours.pth"), torch.load(golden)
            assert list(ours) == list(theirs), list(ours)
            assert type(ours["net"]) is collections.OrderedDict and list(ours["net"]) == list(theirs["net"])
            for name, tensor in theirs["net"].items():
                assert ours["net"][name].dtype == tensor.dtype and torch.equal(ours["net"][name], tensor), name
            for key in ("lr_scheduler", "epoch", "max_test_acc"):
                assert repr(ours[key]) == repr(theirs[key]), key  # 3 is not 3.0
            assert repr(ours["optimizer"]["param_groups"]) == repr(theirs["optimizer"]["param_groups"])
            assert list(ours["optimizer"]["state"]) == list(theirs["optimizer"]["state"])
            for index, state in theirs["optimizer"]["state"].items():
                for key, tensor in state.items():
                    assert torch.equal(ours["optimizer"]["state"][index][key], tensor), (index, key)
            parameters = [torch.nn.Parameter(torch.zeros_like(s["exp_avg"])) for s in theirs["optimizer"]["state"].values()]
            torch.optim.AdamW(parameters).load_state_dict(ours["optimizer"])

            base = torch.arange(24.0).reshape(4, 6)
            odd = collections.OrderedDict(
                whole=base, row=base[2], column=base[:, 1], transposed=base.t(), tail=base[1:, 2:], expanded=base[:1].expand(3, 6),
                half=base.half(), bf16=base.bfloat16(), double=base.double(), bool=base > 3, byte=base.byte(), int=base.int(),
                short=base.short(), char=base.char(), scalar=torch.tensor(5), empty=torch.zeros(0, 3), parameter=torch.nn.Parameter(base))
            for legacy in (False, True):
                torch.save(
                    {"net": odd, "max_test_acc": 0, "epoch": 2**40}, folder
                    + f"/odd{int(legacy)}.pth", _use_new_zipfile_serialization=not legacy)
            torch.save(odd, folder + "/bare.pth")
            """;
        using TemporaryFolder folder = new TemporaryFolder();
        string golden = TestFiles.Shipped("checkpoint/vgg11_sltt_adamw.pth");
        CheckpointFile.Read(golden).WritePth(folder["ours.pth"]);
        RunPython(Script, folder.FullName, golden);

        float[] all = [.. Enumerable.Range(0, 24).Select(i => (float)i)];
        foreach (string name in (string[])["odd0.pth", "odd1.pth", "bare.pth"])
        {
            CheckpointFile odd = CheckpointFile.Read(folder[name]);
            Dictionary<string, NamedTensor> tensors = odd.Tensors.ToDictionary(t => t.Name["net.".Length..]);
            Assert.That(tensors["whole"].ToFloat32(), Is.EqualTo(all));
            Assert.That(tensors["row"].ToFloat32(), Is.EqualTo(all[12..18]));
            Assert.That(tensors["column"].ToFloat32(), Is.EqualTo(new float[] { 1, 7, 13, 19 }));
            Assert.That(tensors["transposed"].Shape, Is.EqualTo(new long[] { 6, 4 }));
            Assert.That(tensors["transposed"].ToFloat32()[..5], Is.EqualTo(new float[] { 0, 6, 12, 18, 1 }));
            Assert.That(tensors["tail"].ToFloat32(), Is.EqualTo(new float[] { 8, 9, 10, 11, 14, 15, 16, 17, 20, 21, 22, 23 }));
            Assert.That(tensors["expanded"].ToFloat32(), Is.EqualTo(new float[] { 0, 1, 2, 3, 4, 5, 0, 1, 2, 3, 4, 5, 0, 1, 2, 3, 4, 5 }));
            Assert.That(tensors["half"].Type, Is.EqualTo(TensorType.F16));
            Assert.That(tensors["half"].ToFloat32(), Is.EqualTo(all));
            Assert.That(tensors["bf16"].ToFloat32(), Is.EqualTo(all));
            Assert.That(tensors["double"].ToFloat32(), Is.EqualTo(all));
            Assert.That(tensors["bool"].ToInt64().Sum(), Is.EqualTo(20));
            Assert.That(tensors["char"].ToInt64(), Is.EqualTo(all.Select(x => (long)x)));
            Assert.That(tensors["scalar"].ToInt64(), Is.EqualTo(new long[] { 5 }));
            Assert.That(tensors["scalar"].Shape, Is.Empty);
            Assert.That(tensors["empty"].Shape, Is.EqualTo(new long[] { 0, 3 }));
            Assert.That(tensors["parameter"].ToFloat32(), Is.EqualTo(all));
            if (name != "bare.pth")
            {
                Assert.That(odd.Metadata["epoch"], Is.EqualTo("1099511627776"));
                Assert.That(odd.Metadata["max_test_acc"], Is.EqualTo("0"));
            }
        }
    }

    [Test]
    public void What_is_not_a_tensor_or_a_plain_container_is_refused_by_name()
    {
        using TemporaryFolder folder = new TemporaryFolder();
        string evil = folder.Write("evil.pth", LegacyFile("cposix\nsystem\n(X\u0004\0\0\0truetR."));
        Assert.That(Assert.Throws<SlttException>(() => CheckpointFile.Read(evil))!.Message, Does.Contain(evil).And.Contain("posix.system"));
        string stacked = folder.Write("stacked.pth", LegacyFile("\u008c\u0008builtins\u008c\u0004eval\u0093."));
        Assert.That(Assert.Throws<SlttException>(() => CheckpointFile.Read(stacked))!.Message, Does.Contain("builtins.eval"));
        string called = folder.Write("called.pth", LegacyFile("ctorch\nFloatStorage\n(I1\ntR."));
        Assert.That(Assert.Throws<SlttException>(() => CheckpointFile.Read(called))!.Message, Does.Contain("torch.FloatStorage"));
        string extension = folder.Write("extension.pth", LegacyFile("\x82\x01."));
        Assert.That(Assert.Throws<SlttException>(() => CheckpointFile.Read(extension))!.Message, Does.Contain("0x82"));
        string cyclic = folder.Write("cyclic.pth", LegacyFile("}q\0X\x03\0\0\0net}sX\x0c\0\0\0lr_schedulerh\0sX\x01\0\0\0xh\0s."));
        Assert.That(Assert.Throws<SlttException>(() => CheckpointFile.Read(cyclic))!.Message, Does.Contain("too deep"));
    }

    [Test]
    public void Other_files_are_refused()
    {
        using TemporaryFolder folder = new TemporaryFolder();
        foreach (
            byte[] content in (
            byte[][])[[], "PK\x03\x04"u8.ToArray(), "hello, world"u8.ToArray(), [0x80, 2, 0x8a, 0x0a, 0x6c], LegacyFile("I1\n.")])
        {
            string path = folder.Write("x.pth", content);
            SlttException error = Assert.Throws<SlttException>(() => CheckpointFile.Read(path))!;
            Assert.That(error.Message, Does.Contain(path));
            Assert.That(error.Kind, Is.EqualTo(ErrorKind.Data));
        }

        byte[] whole = File.ReadAllBytes(TestFiles.Shipped("checkpoint/resnet18_sltt_legacy.pth"));
        string cut = folder.Write("cut.pth", whole.AsSpan(0, whole.Length - 5));
        Assert.That(Assert.Throws<SlttException>(() => CheckpointFile.Read(cut))!.Message, Does.Contain("truncated"));
    }

    [TestCase("resnet18_sltt.pth")]
    [TestCase("resnet18_sltt_legacy.pth")]
    [TestCase("resnet18_sltt.safetensors")]
    public void Mutated_files_never_surprise(string name) =>
        Mutations.Check(
            File.ReadAllBytes(TestFiles.Shipped("checkpoint/" + name)), path => CheckpointFile.Read(path), cases: 300, headBytes: 20000);

    [Test]
    public void Zip_damage_is_found_by_checksum()
    {
        using TemporaryFolder folder = new TemporaryFolder();
        byte[] bytes = File.ReadAllBytes(TestFiles.Shipped("checkpoint/resnet18_sltt.pth"));
        bytes[bytes.AsSpan().IndexOf("resnet18_sltt/data/0"u8) + 128] ^= 1;
        string path = folder.Write("damaged.pth", bytes);
        Assert.That(Assert.Throws<SlttException>(() => CheckpointFile.Read(path))!.Message, Does.Contain("damaged"));
    }

    internal static byte[] LegacyFile(string pickle)
    {
        // Magic number, protocol version and system information as torch.save writes them, then the given pickle.
        byte[] magic = [0x80, 2, 0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, (byte)'.'];
        byte[] version = [0x80, 2, (byte)'M', 0xe9, 0x03, (byte)'.'];
        return [
            .. magic, .. version, 0x80, 2, (byte)'}', (byte)'.', 0x80, 2, .. Encoding.Latin1.GetBytes(pickle), 0x80, 2, (byte)']',
            (byte)'.'];
    }

    /// <summary>Same tensors, byte for byte, and same metadata; integers stay integers.</summary>
    internal static void AssertSame(CheckpointFile actual, CheckpointFile expected)
    {
        Assert.That(actual.Tensors.Select(t => t.Name), Is.EqualTo(expected.Tensors.Select(t => t.Name)));
        foreach ((NamedTensor a, NamedTensor e) in actual.Tensors.Zip(expected.Tensors))
        {
            Assert.That(a.Type, Is.EqualTo(e.Type), a.Name);
            Assert.That(a.Shape, Is.EqualTo(e.Shape), a.Name);
            Assert.That(a.Bytes.SequenceEqual(e.Bytes), a.Name);
        }

        Assert.That(actual.Metadata.Keys, Is.EquivalentTo(expected.Metadata.Keys));
        foreach ((string key, string value) in expected.Metadata)
        {
            bool same = key is "model" or "rng" ? actual.Metadata[key] == value
                : JsonNode.DeepEquals(JsonNode.Parse(actual.Metadata[key]), JsonNode.Parse(value))
                    && actual.Metadata[key].Count(c => c == '.') == value.Count(c => c == '.');
            Assert.That(same, $"{key}: {actual.Metadata[key]} and {value}");
        }
    }

    internal static void RunPython(string script, params string[] arguments)
    {
        ProcessStartInfo start = new ProcessStartInfo("/usr/bin/python3") { RedirectStandardError = true };
        start.ArgumentList.Add("-c");
        start.ArgumentList.Add(script);
        foreach (string argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        if (!File.Exists(start.FileName))
        {
            Assert.Ignore("no python3 on this machine: the recorded files alone are compared");
        }

        using Process python = Process.Start(start)!;
        string error = python.StandardError.ReadToEnd();
        python.WaitForExit();
        if (python.ExitCode == 77)
        {
            Assert.Ignore("python3 has no torch: the recorded files alone are compared");
        }

        Assert.That(python.ExitCode, Is.Zero, error);
    }
}
