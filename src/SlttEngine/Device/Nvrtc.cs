using System.Runtime.InteropServices;
using System.Text;

namespace SlttEngine.Device;

/// <summary>NVRTC's C functions: compiles CUDA C++ without nvcc.</summary>
internal sealed unsafe class Nvrtc
{
    private readonly nint library;

    /// <summary>Binds a library.</summary>
    /// <param name="library">Its handle.</param>
    public Nvrtc(nint library) => this.library = library;

    /// <summary>Its version, such as 12.4.</summary>
    public string Version
    {
        get
        {
            int major, minor;
            Check(((delegate* unmanaged<int*, int*, int>)Function("nvrtcVersion"))(&major, &minor), "nvrtcVersion");
            return $"{major}.{minor}";
        }
    }

    /// <summary>The compute capabilities that it compiles for: 80 for sm_80.</summary>
    public int[] Architectures
    {
        get
        {
            int count;
            Check(((delegate* unmanaged<int*, int>)Function("nvrtcGetNumSupportedArchs"))(&count), "nvrtcGetNumSupportedArchs");
            int[] all = new int[count];
            fixed (int* first = all)
            {
                Check(((delegate* unmanaged<int*, int>)Function("nvrtcGetSupportedArchs"))(first), "nvrtcGetSupportedArchs");
            }

            return all;
        }
    }

    /// <summary>Compiles a translation unit.</summary>
    /// <param name="unit">The text.</param>
    /// <param name="name">Its name in messages.</param>
    /// <param name="options">Options, nvcc's.</param>
    /// <returns>PTX, the GPU's code (empty where the options ask for PTX alone) and the messages; no PTX if it does not compile.</returns>
    public (string? Ptx, byte[] Code, string Log) Compile(string unit, string name, string[] options)
    {
        nint program;
        nint[] texts = [.. options.Prepend(name).Prepend(unit).Select(Marshal.StringToCoTaskMemUTF8)];
        try
        {
            delegate* unmanaged<nint*, nint, nint, int, nint*, nint*, int> create =
                (delegate* unmanaged<nint*, nint, nint, int, nint*, nint*, int>)Function("nvrtcCreateProgram");
            Check(create(&program, texts[0], texts[1], 0, null, null), "nvrtcCreateProgram");
            fixed (nint* first = texts)
            {
                int status = ((delegate* unmanaged<nint, int, nint*, int>)Function("nvrtcCompileProgram"))(
                    program, options.Length, first + 2);
                string log = Text(Bytes(program, "nvrtcGetProgramLogSize", "nvrtcGetProgramLog"));
                return status == 0
                    ? (Text(Bytes(program, "nvrtcGetPTXSize", "nvrtcGetPTX")), Bytes(program, "nvrtcGetCUBINSize", "nvrtcGetCUBIN"), log)
                    : (null, [], log.Length > 0 ? log : $"error: NVRTC's status {status}");
            }
        }
        finally
        {
            ((delegate* unmanaged<nint*, int>)Function("nvrtcDestroyProgram"))(&program);
            foreach (nint text in texts)
            {
                Marshal.FreeCoTaskMem(text);
            }
        }
    }

    private static string Text(byte[] bytes) => Encoding.UTF8.GetString(bytes).TrimEnd('\0');

    private static void Check(int status, string call)
    {
        if (status != 0)
        {
            throw new SlttException(ErrorKind.Device, $"{call}: NVRTC's status {status}");
        }
    }

    private byte[] Bytes(nint program, string sizeCall, string call)
    {
        nuint size;
        Check(((delegate* unmanaged<nint, nuint*, int>)Function(sizeCall))(program, &size), sizeCall);
        byte[] bytes = new byte[size];
        fixed (byte* first = bytes)
        {
            if (size > 0)
            {
                Check(((delegate* unmanaged<nint, byte*, int>)Function(call))(program, first), call);
            }
        }

        return bytes;
    }

    private nint Function(string name) => NativeLibrary.TryGetExport(library, name, out nint address)
        ? address
        : throw new SlttException(ErrorKind.Device, $"this NVRTC has no {name}", "install NVRTC 11.2 or newer");
}
