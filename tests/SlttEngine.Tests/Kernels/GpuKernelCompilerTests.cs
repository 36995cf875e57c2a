using System.Text;
using SlttEngine.Device;

namespace SlttEngine.Tests.Kernels;

/// <summary>NVRTC needs no GPU: sources are compiled for one, and what can be known of the code is checked.</summary>
internal sealed class GpuKernelCompilerTests
{
    private string folder = "";
    private Nvrtc? compiler;

    [SetUp]
    public void FindCompiler()
    {
        folder = Directory.CreateTempSubdirectory("sltt-nvrtc-").FullName;
        nint library = NativeLibraries.LoadRuntimeCompiler(out _);
        if (library == 0)
        {
            Assert.Ignore("NVRTC is not installed: a GPU's code is not compiled");
        }

        compiler = new Nvrtc(library);
    }

    [TearDown]
    public void DeleteFolder() => Directory.Delete(folder, recursive: true);

    [TestCase(80)]
    [TestCase(90)]
    public void The_examples_kernels_compile_to_the_GPUs_code(int capability)
    {
        CachedKernels compiled = Compile(ChannelGain.Source, capability);
        byte[] code = File.ReadAllBytes(compiled.Path);
        Assert.That(compiled.Path, Does.EndWith($"-sm_{capability}.bin"));
        Assert.That(Encoding.ASCII.GetString(code, 1, 3), Is.EqualTo("ELF"), "a cubin is an ELF file");
        List<SourceKernel> kernels = [.. PtxSignatures.Of(compiled.Notes)];
        Assert.That(kernels.Select(k => k.Name), Is.EquivalentTo(
            new[] { "f32", "f16", "bf16" }.SelectMany(t => new[] { "gain_forward_" + t, "gain_backward_" + t })));
        Assert.That(
            kernels.First(k => k.Name.StartsWith("gain_forward", StringComparison.Ordinal)).Parameters.Select(p => p.Type),
            Is.EqualTo(new[] { "b64", "b64", "b64", "b64", "b32" }));
    }

    /// <summary>A GPU that this NVRTC does not know gets PTX of the newest that it knows.</summary>
    [Test]
    public void A_newer_GPU_gets_PTX()
    {
        CachedKernels compiled = Compile(new("own kernel.cu", "SLTT_KERNEL(f, (float* y), *y = 1)"), 999);
        Assert.That(compiled.Path, Does.EndWith($"-compute_{compiler!.Architectures.Max()}.bin"));
        Assert.That(Encoding.UTF8.GetString(File.ReadAllBytes(compiled.Path)), Does.Contain(".entry f(").And.EndsWith("\0"));
    }

    [Test]
    public void An_error_has_the_sources_own_line()
    {
        SlttException error = Assert.Throws<SlttException>(() => Compile(new("own kernel.cu", "// one\nint x = nobody;\n"), 80))!;
        Assert.That((error.Message, error.Kind), Is.EqualTo(
            ("own_kernel.cu(2): error: identifier \"nobody\" is undefined", ErrorKind.Usage)));
    }

    [Test]
    public void Arguments_are_checked_by_size_and_kind()
    {
        SourceParameter Of(string type) => PtxSignatures.Of($".visible .entry f(\n .param .{type} f_param_0\n)").Single().Parameters[0];
        DevicePtr<float> pointer = default;
        Assert.Multiple(() =>
        {
            Assert.That(Of("u64").Takes(pointer) && Of("u64").Takes(1L) && !Of("u64").Takes(1) && !Of("u64").Takes(1f));
            Assert.That(Of("u32").Takes(1) && Of("u32").Takes(1u) && !Of("u32").Takes(1L) && !Of("u32").Takes(1f));
            Assert.That(Of("f32").Takes(1f) && !Of("f32").Takes(1) && !Of("f32").Takes(1.0) && !Of("f32").Takes(pointer));
            Assert.That(Of("align 8 .b8").Takes(pointer), Is.False);
        });
    }

    [Test]
    public void NVRTC_that_is_missing_is_named()
    {
        SlttException error = GpuKernelCompiler.Missing(["/a/libnvrtc.so.12", "libnvrtc.so.12"]);
        Assert.That((error.Message, error.Kind), Is.EqualTo(
            ("own kernels need NVRTC for a GPU; not found: libnvrtc.so.12 (loader's path, /a)", ErrorKind.Device)));
        Assert.That(error.Hint, Does.Contain("SLTT_CUDA_LIBS"));
    }

    private CachedKernels Compile(KernelSource source, int capability) =>
        new GpuKernelCompiler(compiler!, new KernelCache(folder)).Compile(source, capability);
}
