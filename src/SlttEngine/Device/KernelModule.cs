using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using ManagedCuda;
using ManagedCuda.BasicTypes;

namespace SlttEngine.Device;

/// <summary>A <see cref="KernelSource"/>, compiled for a device and loaded there.</summary>
internal sealed class KernelModule
{
    private readonly ComputeDevice device;
    private readonly KernelSource source;
    private readonly CUmodule module;
    private readonly Dictionary<string, SourceKernel> kernels;

    private KernelModule(ComputeDevice device, KernelSource source, CUmodule module, IEnumerable<SourceKernel> kernels)
    {
        (this.device, this.source, this.module) = (device, source, module);
        this.kernels = kernels.ToDictionary(k => k.Name);
    }

    /// <summary>Compiles a source, or finds it compiled in the cache, and loads it.</summary>
    /// <param name="device">Where.</param>
    /// <param name="source">The source.</param>
    /// <exception cref="SlttException">There is no compiler, or the source does not compile.</exception>
    public static KernelModule Load(ComputeDevice device, KernelSource source)
    {
        if (device.IsCpu)
        {
            string library = new CpuKernelCompiler().Compile(source, device.Kind == DeviceKind.CpuFaithful);
            CUmodule module = Load(source, CpuMessage, Encoding.UTF8.GetBytes($"SLTT-CPU-MODULE:{library}\0"));
            return new KernelModule(device, source, module, Signatures(module));
        }

        GpuKernelCompiler compiler = GpuKernelCompiler.Open();
        CachedKernels compiled = compiler.Compile(source, Capability(device));
        return new KernelModule(device, source, Load(source, () => "", File.ReadAllBytes(compiled.Path)), PtxSignatures.Of(compiled.Notes));
    }

    /// <summary>The first kernel that is there of these.</summary>
    /// <param name="names">Symbols.</param>
    /// <exception cref="SlttException">None of them is.</exception>
    public CompiledKernel Kernel(params string[] names)
    {
        string? name = Array.Find(names, kernels.ContainsKey);
        if (name is null)
        {
            throw new SlttException(
                ErrorKind.Usage,
                $"{source.Name}: no kernel is called {string.Join(" or ", names)}",
                kernels.Count == 0
                    ? "declare kernels with SLTT_KERNEL, or with SLTT_TYPED_KERNEL for each compute type"
                    : "it has " + string.Join(", ", kernels.Keys.Order(StringComparer.Ordinal)));
        }

        CUfunction function = default;
        DriverCall.Check(DriverAPINativeMethods.ModuleManagement.cuModuleGetFunction(ref function, module, name));
        return new CompiledKernel(device, source.Name, kernels[name], function);
    }

    /// <summary>10 × major + minor of the compute capability.</summary>
    private static int Capability(ComputeDevice device)
    {
        const CUDeviceAttribute Major = (CUDeviceAttribute)75, Minor = (CUDeviceAttribute)76;
        int major = 0, minor = 0;
        DriverCall.Check(DriverAPINativeMethods.DeviceManagement.cuDeviceGetAttribute(ref major, Major, device.Context.Device));
        DriverCall.Check(DriverAPINativeMethods.DeviceManagement.cuDeviceGetAttribute(ref minor, Minor, device.Context.Device));
        return (10 * major) + minor;
    }

    /// <summary>What the CPU device says of a library that does not load, such as one in a folder where nothing may be run.</summary>
    private static unsafe string CpuMessage() => ": " + Marshal.PtrToStringUTF8(
        ((delegate* unmanaged<nint>)NativeLibraries.DriverFunction("sltt_cpu_last_message"))());

    private static unsafe CUmodule Load(KernelSource source, Func<string> detail, byte[] image)
    {
        delegate* unmanaged<CUmodule*, byte*, CUResult> load =
            (delegate* unmanaged<CUmodule*, byte*, CUResult>)NativeLibraries.DriverFunction("cuModuleLoadData");
        CUmodule module = default;
        fixed (byte* bytes = image)
        {
            CUResult result = load(&module, bytes);
            return result == CUResult.Success
                ? module
                : throw new SlttException(
                    ErrorKind.Device,
                    $"{source.Name}: the compiled kernels do not load: {new CudaException(result).Message}{detail()}",
                    "name another folder in SLTT_CACHE_DIR; on a GPU update its driver, or take the NVRTC of its CUDA version");
        }
    }

    /// <summary>The signatures that the CPU device lists: the C++ compiler's own types.</summary>
    private static unsafe IEnumerable<SourceKernel> Signatures(CUmodule module)
    {
        delegate* unmanaged<CUmodule, byte*, nuint, nuint> list =
            (delegate* unmanaged<CUmodule, byte*, nuint, nuint>)NativeLibraries.DriverFunction("sltt_cpu_module_kernels");
        byte[] json = new byte[list(module, null, 0)];
        fixed (byte* bytes = json)
        {
            list(module, bytes, (nuint)json.Length);
        }

        using JsonDocument document = JsonDocument.Parse(json.AsMemory(0, json.Length - 1));
        return
        [
            .. document.RootElement.EnumerateArray().Select(kernel => new SourceKernel(
                kernel.GetProperty("name").GetString()!,
                [
                    .. kernel.GetProperty("parameters").EnumerateArray().Select(parameter => new SourceParameter(
                        parameter.GetProperty("name").GetString()!,
                        parameter.GetProperty("type").GetString()!,
                        parameter.GetProperty("pointer").GetBoolean(),
                        parameter.GetProperty("const").GetBoolean())),
                ])),
        ];
    }
}
