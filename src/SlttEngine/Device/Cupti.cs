using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace SlttEngine.Device;

/// <summary>CUPTI's activity records: when each kernel, clear and copy of this process ran on the GPU, also inside CUDA graphs.</summary>
/// <remarks>
/// One at a time in a process, as CUPTI's callbacks are. The fields read are those with which CUpti_ActivityKernel4 (CUDA 9) and all later
/// kernel records begin, as do the records of clears and copies: NVIDIA adds fields at the end.
/// </remarks>
internal sealed unsafe class Cupti : IDisposable
{
    private const int CopyKind = 1; // CUPTI_ACTIVITY_KIND_MEMCPY, _MEMSET, _CONCURRENT_KERNEL
    private const int ClearKind = 2;
    private const int KernelKind = 10;
    private const int BufferBytes = 8 << 20;
    private const int BufferAlignment = 8;
    private const uint EvenUnfinished = 1; // CUPTI_ACTIVITY_FLAG_FLUSH_FORCED

    private static readonly int[] Kinds = [KernelKind, ClearKind, CopyKind];
    private static readonly Lock Gate = new();
    private static readonly Dictionary<nint, string> Names = [];
    private static List<DeviceActivity> records = [];
    private static delegate* unmanaged<byte*, nuint, byte**, int> nextRecord;

    private readonly nint library;

    private Cupti(nint library) => this.library = library;

    /// <summary>Starts recording.</summary>
    /// <param name="library">CUPTI; 0: it was not found.</param>
    /// <param name="whyNot">Why it can't, in one line.</param>
    /// <returns>Null if it can't.</returns>
    public static Cupti? TryStart(nint library, out string whyNot)
    {
        whyNot = "CUPTI not found (SLTT_CUDA_LIBS can name its folder)";
        if (library == 0)
        {
            return null;
        }

        Cupti cupti = new(library);
        try
        {
            nextRecord = (delegate* unmanaged<byte*, nuint, byte**, int>)cupti.Function("cuptiActivityGetNextRecord");
            delegate* unmanaged<nint, nint, int> register =
                (delegate* unmanaged<nint, nint, int>)cupti.Function("cuptiActivityRegisterCallbacks");
            delegate* unmanaged<byte**, nuint*, nuint*, void> request = &Request;
            delegate* unmanaged<nint, uint, byte*, nuint, nuint, void> complete = &Complete;
            cupti.Check(register((nint)request, (nint)complete), "cuptiActivityRegisterCallbacks");
            foreach (int kind in Kinds)
            {
                cupti.Check(((delegate* unmanaged<int, int>)cupti.Function("cuptiActivityEnable"))(kind), "cuptiActivityEnable");
            }

            return cupti;
        }
        catch (Exception e) when (e is SlttException or EntryPointNotFoundException)
        {
            whyNot = e.Message;
            cupti.Dispose();
            return null;
        }
    }

    /// <summary>What ran since the last call, by its start. The device must have been waited for.</summary>
    public IReadOnlyList<DeviceActivity> Drain()
    {
        Check(((delegate* unmanaged<uint, int>)Function("cuptiActivityFlushAll"))(EvenUnfinished), "cuptiActivityFlushAll");
        lock (Gate)
        {
            List<DeviceActivity> drained = records;
            records = [];
            drained.Sort((a, b) => a.Start.CompareTo(b.Start));
            return drained;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (NativeLibrary.TryGetExport(library, "cuptiActivityDisable", out nint disable))
        {
            foreach (int kind in Kinds)
            {
                _ = ((delegate* unmanaged<int, int>)disable)(kind);
            }
        }
    }

    [UnmanagedCallersOnly]
    private static void Request(byte** buffer, nuint* size, nuint* largestNumber)
    {
        *buffer = (byte*)NativeMemory.AlignedAlloc(BufferBytes, BufferAlignment);
        *size = BufferBytes;
        *largestNumber = 0; // as many as fit
    }

    [UnmanagedCallersOnly]
    private static void Complete(nint context, uint stream, byte* buffer, nuint size, nuint valid)
    {
        byte* record = null;
        lock (Gate)
        {
            while (valid > 0 && nextRecord(buffer, valid, &record) == 0)
            {
                int kind = Unsafe.ReadUnaligned<int>(record);
                if (kind == KernelKind)
                {
                    KernelRecord* kernel = (KernelRecord*)record;
                    records.Add(new(NameOf(kernel->Name), kernel->Stream, kernel->Start, kernel->End, 0));
                }
                else if (kind is ClearKind or CopyKind)
                {
                    MemoryRecord* memory = (MemoryRecord*)record;
                    records.Add(new(
                        kind == ClearKind ? DeviceActivity.Clear : DeviceActivity.Copy, memory->Stream, memory->Start, memory->End,
                        (long)memory->Bytes));
                }
            }
        }

        NativeMemory.AlignedFree(buffer);
    }

    /// <summary>CUPTI keeps a kernel's name as long as its module is loaded, always at one place.</summary>
    private static string NameOf(nint text)
    {
        if (!Names.TryGetValue(text, out string? name))
        {
            Names[text] = name = Marshal.PtrToStringUTF8(text) ?? "(unnamed)";
        }

        return name;
    }

    private nint Function(string name) => NativeLibrary.GetExport(library, name);

    private void Check(int status, string call)
    {
        if (status == 0)
        {
            return;
        }

        nint text = 0;
        if (NativeLibrary.TryGetExport(library, "cuptiGetResultString", out nint describe))
        {
            _ = ((delegate* unmanaged<int, nint*, int>)describe)(status, &text);
        }

        throw new SlttException(ErrorKind.Device, $"{call}: {Marshal.PtrToStringUTF8(text) ?? $"CUPTI's error {status}"}");
    }

    /// <summary>The beginning of a kernel's record.</summary>
    [StructLayout(LayoutKind.Explicit)]
    private struct KernelRecord
    {
        [FieldOffset(16)]
        public ulong Start;

        [FieldOffset(24)]
        public ulong End;

        [FieldOffset(48)]
        public uint Stream;

        [FieldOffset(104)]
        public nint Name;
    }

    /// <summary>The beginning of the record of a clear or a copy.</summary>
    [StructLayout(LayoutKind.Explicit)]
    private struct MemoryRecord
    {
        [FieldOffset(8)]
        public ulong Bytes;

        [FieldOffset(16)]
        public ulong Start;

        [FieldOffset(24)]
        public ulong End;

        [FieldOffset(40)]
        public uint Stream;
    }
}
