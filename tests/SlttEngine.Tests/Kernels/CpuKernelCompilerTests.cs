using System.Runtime.Versioning;
using SlttEngine.Device;

namespace SlttEngine.Tests.Kernels;

/// <summary>g++ for kernels of a user's own: what is compiled when, how a refusal reads. The strict mode compiles faster.</summary>
[SupportedOSPlatform("linux")]
internal sealed class CpuKernelCompilerTests
{
    private static readonly KernelSource Source = new("nothing.cu", "// nothing");

    private string folder = "";

    [SetUp]
    public void MakeFolder() => folder = Directory.CreateTempSubdirectory("sltt-own-").FullName;

    [TearDown]
    public void DeleteFolder() => Directory.Delete(folder, recursive: true);

    [Test]
    public void An_error_has_the_sources_own_line()
    {
        SlttException error = Assert.Throws<SlttException>(
            () => Compile("broken.cu", "// one\n\nint x = nobody;\n"))!;
        Assert.That(error.Message, Does.Match(@"^broken\.cu:3:.*nobody"));
        Assert.That(error.Kind, Is.EqualTo(ErrorKind.Usage));
    }

    /// <summary>The engine's header finds the mistake, in a template that line 2 asks for.</summary>
    [Test]
    public void An_error_in_a_header_names_the_line_that_leads_there()
    {
        Assert.That(
            () => Compile("led.cu", "// one\nSLTT_KERNEL(f, (float* y), store<1>(y, 0, 1.0f))\n"),
            Throws.TypeOf<SlttException>().With.Message.Match(@"led\.cu:2"));
    }

    [Test]
    public void Gpp_that_is_missing_or_old_is_named()
    {
        string old = Path.Combine(folder, "old-g++");
        File.WriteAllText(old, "#!/bin/sh\necho 10.2.1\n");
        File.SetUnixFileMode(old, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        Assert.That(
            () => new CpuKernelCompiler("no-such-g++").Compile(Source, faithful: true),
            Throws.TypeOf<SlttException>().With.Message.EqualTo(
                "own kernels need g++ 11 or newer on the PATH for the CPU device; no-such-g++ does not start"));
        SlttException error = Assert.Throws<SlttException>(() => new CpuKernelCompiler(old).Compile(Source, faithful: true))!;
        Assert.That((error.Message, error.Kind), Is.EqualTo(
            ($"own kernels need g++ 11 or newer for the CPU device; {old} is 10.2.1", ErrorKind.Device)));
    }

    /// <summary>The same text is compiled one time; another text, or a damaged file, anew.</summary>
    [Test]
    public void The_cache_goes_by_content()
    {
        int compiled = 0;
        CachedKernels Find(string key) => new KernelCache(folder).FindOrMake("name", ".so", key, (headers, made) =>
        {
            Assert.That(File.Exists(Path.Combine(headers, "common", "sltt.cuh")));
            compiled++;
            File.WriteAllText(made, "code of " + key);
            return "notes";
        });
        CachedKernels first = Find("a");
        Assert.That((Find("a"), compiled), Is.EqualTo((first, 1)));
        Assert.That((Find("b").Path == first.Path, compiled), Is.EqualTo((false, 2)));
        File.WriteAllText(first.Path, "damaged");
        Assert.That((Find("a"), compiled), Is.EqualTo((first, 3)));
        Assert.That(File.ReadAllText(first.Path), Is.EqualTo("code of a"));
        File.WriteAllText(first.Path + ".stamp", "");
        Assert.That((Find("a"), compiled), Is.EqualTo((first, 4)));
        Assert.That(Directory.EnumerateFileSystemEntries(folder).Count(), Is.EqualTo(4), "two entries, and nothing left over");
    }

    [Test]
    public void A_folder_that_cannot_be_written_is_replaced_by_a_temporary_one()
    {
        string file = Path.Combine(folder, "file");
        File.WriteAllText(file, "");
        CachedKernels made = new KernelCache(Path.Combine(file, "kernels")).FindOrMake("name", ".so", "k", (_, to) =>
        {
            File.WriteAllText(to, "code");
            return "";
        });
        Assert.That(made.Path, Does.StartWith(Path.GetTempPath()));
        Assert.That(File.ReadAllText(made.Path), Is.EqualTo("code"));
    }

    private string Compile(string name, string text) =>
        new CpuKernelCompiler(cache: new KernelCache(folder)).Compile(new KernelSource(name, text), faithful: true);
}
