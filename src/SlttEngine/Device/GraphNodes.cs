using System.Runtime.InteropServices;
using ManagedCuda.BasicTypes;

namespace SlttEngine.Device;

/// <summary>What a graph's node does (CUgraphNodeType); the engine's graphs have no other kinds.</summary>
internal enum GraphNodeType
{
    /// <summary>A kernel's launch.</summary>
    Kernel = 0,

    /// <summary>A copy.</summary>
    Copy = 1,

    /// <summary>A fill of memory.</summary>
    Fill = 2,
}

/// <summary>A fill of rows of elements, <see cref="Pitch"/> bytes apart: CUDA_MEMSET_NODE_PARAMS.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct GraphFill
{
    public ulong Target;
    public nuint Pitch;
    public uint Value;
    public uint ElementSize;
    public nuint Width;
    public nuint Height;
}

/// <summary>A kernel's launch: CUDA_KERNEL_NODE_PARAMS_v2.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct GraphLaunch
{
    public nint Function;
    public uint GridX;
    public uint GridY;
    public uint GridZ;
    public uint BlockX;
    public uint BlockY;
    public uint BlockZ;
    public uint SharedBytes;
    public void** Arguments;
    public void** Extra;
    public nint LibraryKernel;
    public nint Context;
}

/// <summary>
/// The driver's functions on the nodes of a graph; cuda.h says what each does. Handles are pointers. The caller checks each status.
/// </summary>
/// <remarks>They are declared here and not in src/ManagedCuda, which has only what the published ManagedCuda declares the same
/// way.</remarks>
internal static unsafe partial class GraphNodes
{
    private const string Driver = "nvcuda";

    [LibraryImport(Driver, EntryPoint = "cuGraphGetNodes")]
    public static partial CUResult All(nint graph, nint* nodes, nuint* count);

    [LibraryImport(Driver, EntryPoint = "cuGraphNodeGetType")]
    public static partial CUResult Type(nint node, GraphNodeType* type);

    [LibraryImport(Driver, EntryPoint = "cuGraphMemsetNodeGetParams")]
    public static partial CUResult Fill(nint node, GraphFill* fill);

    [LibraryImport(Driver, EntryPoint = "cuGraphNodeGetDependencies")]
    public static partial CUResult Dependencies(nint node, nint* nodes, nuint* count);

    [LibraryImport(Driver, EntryPoint = "cuGraphNodeGetDependentNodes")]
    public static partial CUResult DependentNodes(nint node, nint* nodes, nuint* count);

    [LibraryImport(Driver, EntryPoint = "cuGraphAddKernelNode_v2")]
    public static partial CUResult AddKernel(nint* node, nint graph, nint* dependencies, nuint count, GraphLaunch* launch);

    [LibraryImport(Driver, EntryPoint = "cuGraphAddDependencies")]
    public static partial CUResult AddDependencies(nint graph, nint* from, nint* to, nuint count);

    [LibraryImport(Driver, EntryPoint = "cuGraphDestroyNode")]
    public static partial CUResult Destroy(nint node);
}
