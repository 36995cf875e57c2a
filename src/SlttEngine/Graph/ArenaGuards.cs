using ManagedCuda;
using ManagedCuda.BasicTypes;
using SlttEngine.Device;

namespace SlttEngine.Graph;

/// <summary>
/// Finds operations that write beyond their buffers, on the strict CPU device: a pattern lies behind each buffer of the arena, and is
/// checked after each operation that writes the buffer and when the buffer's life ends.
/// </summary>
/// <remarks>
/// Writing and checking are launches among the program's other ones, so they are captured and replayed with them. The first violation's
/// number stays in a word on the device, which the host reads at the end of an iteration.
/// </remarks>
internal sealed class ArenaGuards : IDisposable
{
    /// <summary>Bytes of a guard, at least.</summary>
    public const long Bytes = 256;

    private readonly ComputeDevice device;
    private readonly Arena arena;
    private readonly List<string> violations = [];
    private CudaDeviceVariable<int>? violated;

    /// <summary>Creates the guards of a program.</summary>
    /// <param name="device">The strict CPU device.</param>
    /// <param name="arena">A plan with guards.</param>
    public ArenaGuards(ComputeDevice device, Arena arena) => (this.device, this.arena) = (device, arena);

    /// <summary>Gives the guards their memory: a word.</summary>
    public void Allocate()
    {
        violated = new CudaDeviceVariable<int>(1);
        violated.MemsetAsync(0u, device.Stream.Stream);
    }

    /// <summary>Puts the operations that write and check guards between a program's own.</summary>
    /// <param name="ops">Operations that run one after the other.</param>
    public IReadOnlyList<Op> Around(IReadOnlyList<Op> ops)
    {
        // Buffers that take each other's place within an operation have one placement, and so one guard.
        Dictionary<Arena.Placement, int> last = [];
        for (int i = 0; i < ops.Count; i++)
        {
            foreach (DeviceBuffer scratch in Buffers(ops[i]).Where(b => b.IsScratch))
            {
                last[arena.Of(scratch)] = i;
            }
        }

        List<Op> guarded = [];
        HashSet<Arena.Placement> alive = [];
        for (int i = 0; i < ops.Count; i++)
        {
            foreach (DeviceBuffer scratch in ops[i].Writes.Where(b => b.IsScratch))
            {
                if (alive.Add(arena.Of(scratch)))
                {
                    guarded.Add(Write(scratch));
                }
            }

            guarded.Add(ops[i]);
            foreach (DeviceBuffer buffer in Buffers(ops[i]))
            {
                bool ends = buffer.IsScratch && last[arena.Of(buffer)] == i;
                if (ends || ops[i].Writes.Contains(buffer))
                {
                    guarded.Add(Check(buffer, ops[i].Name));
                }

                if (ends)
                {
                    alive.Remove(arena.Of(buffer));
                }
            }
        }

        return guarded;
    }

    /// <summary>The operations that write the guards of the buffers with memory of their own, for the beginning of an iteration.</summary>
    public IEnumerable<Op> WritePersistent() => arena.Persistent.Select(b => AllCopies(b, Write(b)));

    /// <summary>The operations that check them, for its end.</summary>
    public IEnumerable<Op> CheckPersistent() => arena.Persistent.Select(b => AllCopies(b, Check(b, "any operation")));

    /// <summary>Waits for the device and checks what it found.</summary>
    /// <exception cref="SlttException">An operation wrote beyond a buffer.</exception>
    public void ThrowIfViolated()
    {
        int[] number = new int[1];
        HostCopy.ToHost<int>(device, violated!.DevicePointer, number);
        if (number[0] != 0)
        {
            throw new SlttException(
                ErrorKind.Device, violations[number[0] - 1], "correct the operation, or the size that it declares for its buffer");
        }
    }

    /// <inheritdoc/>
    public void Dispose() => violated?.Dispose();

    private static IEnumerable<DeviceBuffer> Buffers(Op op) => op.Reads.Concat(op.Writes).Distinct();

    private static Op AllCopies(DeviceBuffer buffer, Op op) => op with
    {
        Launch = _ =>
        {
            for (int piece = 0; piece < buffer.Pieces; piece++)
            {
                op.Launch(piece);
            }
        },
    };

    private Op Write(DeviceBuffer buffer) => new(
        "guard behind " + buffer.Name,
        [],
        [],
        t => device.Kernels.GuardWrite(LaunchShape.OneThread, Guard(buffer, t), arena.Of(buffer).GuardBytes));

    private Op Check(DeviceBuffer buffer, string op)
    {
        violations.Add($"{op} has written beyond the {buffer.PieceBytes} bytes of '{buffer.Name}'");
        int number = violations.Count;
        return new(
            "check of " + buffer.Name,
            [],
            [],
            t => device.Kernels.GuardCheck(
                LaunchShape.OneThread, Guard(buffer, t), arena.Of(buffer).GuardBytes, number, new(violated!.DevicePointer)));
    }

    private DevicePtr<byte> Guard(DeviceBuffer buffer, int t) =>
        new(new CUdeviceptr(
            (ulong)buffer.PieceAddress(buffer.IsSideBySide ? 0 : t % buffer.Copies).Pointer + (ulong)arena.Of(buffer).Guard));
}
