using System.Reflection;
using System.Runtime.InteropServices;
using ManagedCuda;
using ManagedCuda.CudaDNN;

namespace SlttEngine.Tests.ManagedCudaApi;

/// <summary>The CPU device exports each function that the host imports. A missing one would fail only at its first call.</summary>
public sealed class NativeFunctionTests
{
    private const BindingFlags Declared =
        BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Static | BindingFlags.Instance | BindingFlags.DeclaredOnly;

    private static readonly string[] Imported =
    [
        .. new[] { typeof(CudaContext), typeof(CudaDNNContext) }
            .SelectMany(type => type.Assembly.GetTypes())
            .SelectMany(type => type.GetMethods(Declared))
            .Select(method => method.GetCustomAttribute<DllImportAttribute>()?.EntryPoint)
            .OfType<string>()
            .Distinct()
            .Order(StringComparer.Ordinal),
    ];

    [Test]
    public void TheCpuDeviceExportsEachImport()
    {
        nint library = NativeLibrary.Load(Path.Combine(AppContext.BaseDirectory, "libsltt_cpu.so"));
        Assert.That(Imported, Has.Length.GreaterThan(80));
        Assert.That(Imported.Where(name => !NativeLibrary.TryGetExport(library, name, out _)), Is.Empty);
    }
}
