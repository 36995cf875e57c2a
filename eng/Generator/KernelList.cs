using System.Runtime.InteropServices;
using System.Text.Json;

namespace SlttEngine.Generator;

/// <summary>A parameter of a kernel, in C++ terms.</summary>
/// <param name="Name">Its name in the .cu.</param>
/// <param name="Type">f32, f16, bf16, f64, i32, i64, u8, u16, u32, u64 or RunState: the value, or what the pointer points to.</param>
/// <param name="Pointer">True for a pointer.</param>
/// <param name="Const">True for a pointer to what the kernel only reads.</param>
internal sealed record ListedParameter(string Name, string Type, bool Pointer, bool Const);

/// <summary>A kernel of the CPU device.</summary>
/// <param name="Name">Its symbol.</param>
/// <param name="File">The .cu that defines it.</param>
/// <param name="Parameters">Its parameters, in order.</param>
internal sealed record ListedKernel(string Name, string File, IReadOnlyList<ListedParameter> Parameters);

/// <summary>A field of RunState.</summary>
/// <param name="Name">Its name in run_state.cuh.</param>
/// <param name="Type">f32, f64, i32, i64, u32 or u64.</param>
/// <param name="Offset">Bytes in front of it.</param>
/// <param name="Size">Bytes.</param>
internal sealed record ListedField(string Name, string Type, int Offset, int Size);

/// <summary>RunState as the C++ compiler lays it out.</summary>
/// <param name="Size">Bytes.</param>
/// <param name="HostBytes">Bytes that the host writes before each iteration.</param>
/// <param name="Fields">Its fields, in order.</param>
internal sealed record ListedRunState(int Size, int HostBytes, IReadOnlyList<ListedField> Fields);

/// <summary>What a built libsltt_cpu.so says about its kernels.</summary>
/// <param name="Kernels">The engine's kernels; those of the CPU device's own tests are left out.</param>
/// <param name="RunState">RunState's layout.</param>
internal sealed record KernelList(IReadOnlyList<ListedKernel> Kernels, ListedRunState RunState)
{
    private const string TestKernels = "test_kernels.cu";

    private static readonly JsonSerializerOptions Options = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    /// <summary>Reads the list of a library file.</summary>
    public static KernelList Load(string library)
    {
        nint handle = NativeLibrary.Load(Path.GetFullPath(library));
        return Read(NativeLibrary.GetExport(handle, "sltt_cpu_kernels"));
    }

    /// <summary>Reads the list through the library's function sltt_cpu_kernels.</summary>
    public static unsafe KernelList Read(nint function)
    {
        delegate* unmanaged<byte*, nuint, nuint> list = (delegate* unmanaged<byte*, nuint, nuint>)function;
        byte[] json = new byte[list(null, 0)];
        fixed (byte* text = json)
        {
            list(text, (nuint)json.Length);
        }

        KernelList all = JsonSerializer.Deserialize<KernelList>(json.AsSpan(0, json.Length - 1), Options)
            ?? throw new InvalidDataException("the library lists no kernels");
        return all with { Kernels = [.. all.Kernels.Where(k => k.File != TestKernels).OrderBy(k => k.Name, StringComparer.Ordinal)] };
    }
}
