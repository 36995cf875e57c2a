using ManagedCuda.BasicTypes;

namespace SlttEngine.Graph;

/// <summary>Gives every buffer of a program its offset in one block of memory; scratch is shared by lifetime.</summary>
/// <remarks>Pure arithmetic: nothing is allocated here, so a plan costs nothing and is exact.</remarks>
public sealed class Arena
{
    private readonly Dictionary<DeviceBuffer, Placement> placements = [];
    private readonly long guardBytes;

    private Arena(long guardBytes) => this.guardBytes = guardBytes;

    /// <summary>Bytes in all.</summary>
    public long Bytes { get; private set; }

    /// <summary>First byte, once it is placed.</summary>
    public CUdeviceptr Start { get; private set; }

    /// <summary>Bytes at the start that each iteration sets to zero.</summary>
    public long ZeroedBytes { get; private set; }

    /// <summary>Bytes at the end that scratch buffers share.</summary>
    public long ScratchBytes { get; private set; }

    /// <summary>The buffers that have memory of their own.</summary>
    public IEnumerable<DeviceBuffer> Persistent => placements.Keys.Where(b => !b.IsScratch);

    /// <summary>Rounds up to the alignment of every buffer, 256 bytes.</summary>
    /// <param name="bytes">Bytes.</param>
    public static long Aligned(long bytes) => (bytes + 255) / 256 * 256;

    /// <summary>Plans the memory of a program.</summary>
    /// <param name="persistent">Buffers with memory of their own.</param>
    /// <param name="segments">Lists of operations that run one after the other; scratch does not outlive its segment.</param>
    /// <param name="guardBytes">Bytes behind each buffer that no operation may touch; 0 but for the strict CPU device.</param>
    public static Arena Plan(IEnumerable<DeviceBuffer> persistent, IEnumerable<IReadOnlyList<Op>> segments, long guardBytes = 0)
    {
        Arena arena = new(guardBytes);
        long end = 0;
        foreach (DeviceBuffer buffer in persistent.OrderByDescending(b => b.Zeroed))
        {
            long piece = arena.Guarded(buffer.PieceBytes);
            arena.placements.Add(buffer, new Placement(end, buffer.PieceBytes, piece - buffer.PieceBytes));
            end += buffer.Pieces * piece;
            if (!buffer.IsSideBySide)
            {
                buffer.Stride = piece;
            }

            if (buffer.Zeroed)
            {
                arena.ZeroedBytes = end;
            }
        }

        foreach (IReadOnlyList<Op> segment in segments)
        {
            arena.ScratchBytes = Math.Max(arena.ScratchBytes, arena.PlaceScratch(segment, end));
        }

        arena.Bytes = end + arena.ScratchBytes;
        return arena;
    }

    /// <summary>Gives the buffers their addresses.</summary>
    /// <param name="start">Start of the block, at least <see cref="Bytes"/> long.</param>
    public void Place(CUdeviceptr start)
    {
        Start = start;
        foreach ((DeviceBuffer buffer, Placement placement) in placements)
        {
            buffer.Place(new CUdeviceptr((ulong)start.Pointer + (ulong)placement.Offset));
        }
    }

    /// <summary>Where a buffer lies.</summary>
    /// <param name="buffer">A buffer of the program.</param>
    internal Placement Of(DeviceBuffer buffer) => placements[buffer];

    private long Guarded(long bytes) => Aligned(bytes + guardBytes);

    private long PlaceScratch(IReadOnlyList<Op> segment, long start)
    {
        List<Life> placed = [];
        long peak = 0;
        foreach (Life life in Lives(segment).OrderByDescending(l => Guarded(l.Bytes)))
        {
            long size = Guarded(life.Bytes);
            long offset = 0;
            foreach (Life other in placed.Where(o => o.First <= life.Last && life.First <= o.Last).OrderBy(o => o.Offset))
            {
                if (offset + size <= other.Offset)
                {
                    break;
                }

                offset = Math.Max(offset, other.Offset + Guarded(other.Bytes));
            }

            life.Offset = offset;
            placed.Add(life);
            peak = Math.Max(peak, offset + size);
            Placement placement = new(start + offset, life.Bytes, size - life.Bytes); // The guard lies behind the largest buffer.
            foreach (DeviceBuffer buffer in life.Buffers)
            {
                if (!placements.TryAdd(buffer, placement) && placements[buffer].Offset != placement.Offset)
                {
                    throw new InvalidOperationException($"scratch buffer {buffer.Name} is used in two segments");
                }
            }
        }

        return peak;
    }

    /// <summary>First and last use of each scratch buffer; buffers that may share memory in place share a life.</summary>
    private static List<Life> Lives(IReadOnlyList<Op> segment)
    {
        Dictionary<DeviceBuffer, Life> lives = [];
        for (int i = 0; i < segment.Count; i++)
        {
            foreach (DeviceBuffer buffer in segment[i].Reads.Concat(segment[i].Writes).Where(b => b.IsScratch))
            {
                if (!lives.TryGetValue(buffer, out Life? life))
                {
                    if (!segment[i].Writes.Contains(buffer))
                    {
                        throw new InvalidOperationException($"{segment[i].Name} reads {buffer.Name} before it is written");
                    }

                    life = new Life(buffer, i);
                    lives.Add(buffer, life);
                }

                life.Last = i;
            }
        }

        for (int i = 0; i < segment.Count; i++)
        {
            if (segment[i].InPlace is { } pair
                && lives.TryGetValue(pair.Input, out Life? input)
                && lives.TryGetValue(pair.Output, out Life? output)
                && input.Last == i && output.First == i && input != output)
            {
                input.Merge(output);
                foreach (DeviceBuffer buffer in output.Buffers)
                {
                    lives[buffer] = input;
                }
            }
        }

        return [.. lives.Values.Distinct()];
    }

    /// <summary>Where buffers lie in the arena: one of its own, or several that take each other's place within an operation.</summary>
    /// <param name="offset">First byte of the first copy.</param>
    /// <param name="guard">First byte of the guard behind a part, from the part's first byte.</param>
    /// <param name="guardBytes">Bytes up to the next buffer that no operation may touch.</param>
    internal sealed class Placement(long offset, long guard, long guardBytes)
    {
        /// <summary>First byte of the first copy.</summary>
        public long Offset => offset;

        /// <summary>First byte of the guard behind a part, from the part's first byte.</summary>
        public long Guard => guard;

        /// <summary>Bytes up to the next buffer that no operation may touch.</summary>
        public long GuardBytes => guardBytes;
    }

    private sealed class Life(DeviceBuffer buffer, int first)
    {
        public List<DeviceBuffer> Buffers { get; } = [buffer];

        public int First { get; } = first;

        public int Last { get; set; } = first;

        public long Bytes { get; private set; } = buffer.PieceBytes;

        public long Offset { get; set; }

        public void Merge(Life other)
        {
            Buffers.AddRange(other.Buffers);
            Last = other.Last;
            Bytes = Math.Max(Bytes, other.Bytes);
        }
    }
}
