using ManagedCuda.BasicTypes;

namespace SlttEngine.Graph;

/// <summary>Gives every tensor of a program its offset in one block of memory; scratch is shared by lifetime.</summary>
/// <remarks>Pure arithmetic: nothing is allocated here, so a plan costs nothing and is exact.</remarks>
public sealed class Arena
{
    private readonly Dictionary<DeviceBuffer, long> offsets = [];

    private Arena()
    {
    }

    /// <summary>Bytes in all.</summary>
    public long Bytes { get; private set; }

    /// <summary>Bytes at the start that each iteration sets to zero.</summary>
    public long ZeroedBytes { get; private set; }

    /// <summary>Bytes at the end that scratch tensors share.</summary>
    public long ScratchBytes { get; private set; }

    /// <summary>The tensors that have memory of their own, with their bytes.</summary>
    public IEnumerable<DeviceBuffer> Persistent => offsets.Keys.Where(t => !t.IsScratch);

    /// <summary>Rounds up to the alignment of every tensor, 256 bytes.</summary>
    /// <param name="bytes">Bytes.</param>
    public static long Aligned(long bytes) => (bytes + 255) / 256 * 256;

    /// <summary>Plans the memory of a program.</summary>
    /// <param name="persistent">Tensors with memory of their own.</param>
    /// <param name="segments">Lists of operations that run one after the other; scratch does not outlive its segment.</param>
    public static Arena Plan(IEnumerable<DeviceBuffer> persistent, IEnumerable<IReadOnlyList<Op>> segments)
    {
        Arena arena = new();
        long end = 0;
        foreach (DeviceBuffer tensor in persistent.OrderByDescending(t => t.Zeroed))
        {
            arena.offsets.Add(tensor, end);
            end += tensor.TotalBytes;
            if (tensor.Zeroed)
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

    /// <summary>Gives the tensors their addresses.</summary>
    /// <param name="start">Start of the block, at least <see cref="Bytes"/> long.</param>
    public void Place(CUdeviceptr start)
    {
        foreach ((DeviceBuffer tensor, long offset) in offsets)
        {
            tensor.Place(new CUdeviceptr((ulong)start.Pointer + (ulong)offset));
        }
    }

    private long PlaceScratch(IReadOnlyList<Op> segment, long start)
    {
        List<Life> lives = Lives(segment);
        List<Life> placed = [];
        long peak = 0;
        foreach (Life life in lives.OrderByDescending(l => l.Bytes))
        {
            long offset = 0;
            foreach (Life other in placed.Where(o => o.First <= life.Last && life.First <= o.Last).OrderBy(o => o.Offset))
            {
                if (offset + life.Bytes <= other.Offset)
                {
                    break;
                }

                offset = Math.Max(offset, other.Offset + other.Bytes);
            }

            life.Offset = offset;
            placed.Add(life);
            peak = Math.Max(peak, offset + life.Bytes);
            foreach (DeviceBuffer tensor in life.Tensors)
            {
                if (!offsets.TryAdd(tensor, start + offset) && offsets[tensor] != start + offset)
                {
                    throw new InvalidOperationException($"scratch tensor {tensor.Name} is used in two segments");
                }
            }
        }

        return peak;
    }

    /// <summary>First and last use of each scratch tensor; tensors that may share memory in place share a life.</summary>
    private static List<Life> Lives(IReadOnlyList<Op> segment)
    {
        Dictionary<DeviceBuffer, Life> lives = [];
        for (int i = 0; i < segment.Count; i++)
        {
            foreach (DeviceBuffer tensor in segment[i].Reads.Concat(segment[i].Writes).Where(t => t.IsScratch))
            {
                if (!lives.TryGetValue(tensor, out Life? life))
                {
                    if (!segment[i].Writes.Contains(tensor))
                    {
                        throw new InvalidOperationException($"{segment[i].Name} reads {tensor.Name} before it is written");
                    }

                    life = new Life(tensor, i);
                    lives.Add(tensor, life);
                }

                life.Last = i;
            }
        }

        for (int i = 0; i < segment.Count; i++)
        {
            if (segment[i].InPlace is { } pair && lives.TryGetValue(pair.Input, out Life? input) && lives.TryGetValue(pair.Output, out Life? output)
                && input.Last == i && output.First == i && input != output)
            {
                input.Merge(output);
                foreach (DeviceBuffer tensor in output.Tensors)
                {
                    lives[tensor] = input;
                }
            }
        }

        return [.. lives.Values.Distinct()];
    }

    private sealed class Life(DeviceBuffer tensor, int first)
    {
        public List<DeviceBuffer> Tensors { get; } = [tensor];

        public int First { get; } = first;

        public int Last { get; set; } = first;

        public long Bytes { get; private set; } = Aligned(tensor.Bytes);

        public long Offset { get; set; }

        public void Merge(Life other)
        {
            Tensors.AddRange(other.Tensors);
            Last = other.Last;
            Bytes = Math.Max(Bytes, other.Bytes);
        }
    }
}
