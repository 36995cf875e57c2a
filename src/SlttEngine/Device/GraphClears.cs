using ManagedCuda;
using ManagedCuda.BasicTypes;

namespace SlttEngine.Device;

/// <summary>
/// Replaces the small fills of a captured graph by launches of the kernel `fill`. cuDNN asks for many fills of 4 bytes, and a GPU pauses
/// around a fill longer than between two kernels.
/// </summary>
internal static unsafe class GraphClears
{
    /// <summary>`kernels`: small fills become launches; unset or `memset`: they stay.</summary>
    public const string Variable = "SLTT_GRAPH_CLEARS";

    /// <summary>A larger fill stays: the driver's own runs at the memory's speed.</summary>
    private const ulong LargestBytes = 4096;

    private delegate CUResult NodeList(nint handle, nint* nodes, nuint* count);

    /// <summary>What <see cref="Variable"/> asks for.</summary>
    /// <exception cref="SlttException">It is something else.</exception>
    public static bool AreKernels => Environment.GetEnvironmentVariable(Variable) switch
    {
        null or "" or "memset" => false,
        "kernels" => true,
        string other => throw new SlttException(ErrorKind.Usage, $"{Variable} is '{other}'", "set it to kernels or memset"),
    };

    /// <summary>Replaces the small fills.</summary>
    /// <param name="device">The device, whose `fill` is launched.</param>
    /// <param name="graph">A graph that is not instantiated yet.</param>
    public static void Replace(ComputeDevice device, CUgraph graph)
    {
        foreach (nint node in Nodes(graph))
        {
            // A list that the driver refuses has edges of another kind than "runs behind". Such a fill stays.
            if (TypeOf(node) == GraphNodeType.Fill && SmallFill(node) is { } fill
                && TryList(GraphNodes.Dependencies, node) is { } before && TryList(GraphNodes.DependentNodes, node) is { } behind)
            {
                nint launch = AddLaunch(device, graph, before, fill);
                fixed (nint* to = behind)
                {
                    nint[] from = [.. behind.Select(_ => launch)];
                    fixed (nint* first = from)
                    {
                        DriverCall.Check(GraphNodes.AddDependencies(graph.Pointer, first, to, (nuint)behind.Length));
                    }
                }

                DriverCall.Check(GraphNodes.Destroy(node));
            }
        }
    }

    /// <summary>How many nodes of a kind a graph has.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="type">The kind.</param>
    public static int Count(CUgraph graph, GraphNodeType type) => Nodes(graph).Count(node => TypeOf(node) == type);

    private static nint[] Nodes(CUgraph graph) => TryList(GraphNodes.All, graph.Pointer) ?? throw new CudaException(CUResult.ErrorUnknown);

    private static nint[]? TryList(NodeList list, nint handle)
    {
        nuint count = 0;
        if (list(handle, null, &count) != CUResult.Success)
        {
            return null;
        }

        nint[] nodes = new nint[count];
        fixed (nint* first = nodes)
        {
            return count == 0 || list(handle, first, &count) == CUResult.Success ? nodes : null;
        }
    }

    private static GraphNodeType TypeOf(nint node)
    {
        GraphNodeType type;
        DriverCall.Check(GraphNodes.Type(node, &type));
        return type;
    }

    /// <summary>The word that a fill writes, where and how often; null: it is large, or not of whole words.</summary>
    private static (ulong Target, uint Word, long Count)? SmallFill(nint node)
    {
        GraphFill fill;
        DriverCall.Check(GraphNodes.Fill(node, &fill));
        ulong bytes = fill.Width * fill.ElementSize;
        uint word = fill.ElementSize switch
        {
            1 => (fill.Value & 0xff) * 0x01010101,
            2 => (fill.Value & 0xffff) * 0x00010001,
            _ => fill.Value,
        };
        return fill.Height == 1 && bytes <= LargestBytes && bytes % 4 == 0 && fill.Target % 4 == 0
            ? (fill.Target, word, (long)bytes / 4)
            : null;
    }

    private static nint AddLaunch(ComputeDevice device, CUgraph graph, nint[] before, (ulong Target, uint Word, long Count) fill)
    {
        (ulong target, uint word, long count) = fill;
        void** arguments = stackalloc void*[] { &target, &word, &count };
        GraphLaunch launch = new()
        {
            Function = device.Kernels.Function("fill").Pointer,
            GridX = 1,
            GridY = 1,
            GridZ = 1,
            BlockX = count <= 32 ? 32u : 256u,
            BlockY = 1,
            BlockZ = 1,
            Arguments = arguments,
        };
        nint node;
        fixed (nint* dependencies = before)
        {
            DriverCall.Check(GraphNodes.AddKernel(&node, graph.Pointer, dependencies, (nuint)before.Length, &launch));
        }

        return node;
    }
}
