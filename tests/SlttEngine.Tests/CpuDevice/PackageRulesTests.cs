using System.Runtime.InteropServices;
using SlttEngine.Build;

namespace SlttEngine.Tests.CpuDevice;

/// <summary>What the packages' native libraries may ask of a machine. eng/Build checks every packaged one by the same rules.</summary>
public sealed partial class PackageRulesTests
{
    private const string Device = "libsltt_cpu.so";

    private static byte[] Bytes => File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, Device));

    [Test]
    public void The_CPU_device_keeps_the_rules()
    {
        ElfFile library = new(Device, Bytes);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(library.Libraries, Has.Member("libdnnl.so.2").And.Member("libc.so.6"));
            Assert.That(library.Newest("GLIBC"), Is.GreaterThanOrEqualTo(new Version(2, 2, 5)));
            Assert.That(library.SearchPath, Is.EqualTo("$ORIGIN"), "its libraries, and theirs, are found beside it");
        }
    }

    [Test]
    public void The_CPU_device_asks_for_no_newer_glibc()
    {
        // With a newer glibc than Debian 12's a build may ask for more. Packages are not made there.
        Version machine = Version.Parse(Marshal.PtrToStringUTF8(LibraryVersion())!);
        Assume.That(machine, Is.LessThanOrEqualTo(new Version(2, 36)));
        Assert.That(PackageRules.Broken(new ElfFile(Device, Bytes), _ => true), Is.Null);
    }

    [Test]
    public void A_newer_symbol_is_found()
    {
        // The library's own string GLIBC_2.34 becomes GLIBC_2.99.
        byte[] bytes = Bytes;
        int at = bytes.AsSpan().IndexOf("GLIBC_2.34\0"u8);
        Assert.That(at, Is.Positive);
        "99"u8.CopyTo(bytes.AsSpan(at + "GLIBC_2.".Length));
        Assert.That(PackageRules.Broken(new ElfFile(Device, bytes), _ => true), Does.StartWith("asks for GLIBC_2.99"));
    }

    [Test]
    public void A_library_that_the_package_lacks_is_found() => Assert.That(
        PackageRules.Broken(new ElfFile(Device, Bytes), name => name != "libdnnl.so.2"),
        Is.EqualTo("needs libdnnl.so.2, which the package lacks"));

    [Test]
    public void A_file_of_another_kind_is_refused() =>
        Assert.Throws<InvalidDataException>(() => _ = new ElfFile("text", new byte[100]));

    [LibraryImport("libc", EntryPoint = "gnu_get_libc_version")]
    private static partial nint LibraryVersion();
}
