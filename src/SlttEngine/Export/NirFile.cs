using PureHDF;
using PureHDF.Filters;
using PureHDF.VOL.Native;
using SlttEngine.IO;

namespace SlttEngine.Export;

/// <summary>A NIR graph that is being put together, in the HDF5 layout of the Python package nir.</summary>
internal sealed class NirFile
{
    /// <summary>The version of the package whose layout it is.</summary>
    internal const string Version = "1.0.7";

    // Numbers from which on a constant is worth a compressed chunk.
    private const int Large = 64;

    private readonly Dictionary<string, H5Group> nodes = [];
    private readonly List<(string From, string To)> edges = [];
    private readonly Dictionary<(float Value, int Length), float[]> constants = [];
    private readonly List<(string Path, float[] Values)> written = [];

    /// <summary>Nodes so far.</summary>
    internal int Nodes => nodes.Count;

    /// <summary>Edges so far.</summary>
    internal int Edges => edges.Count;

    /// <summary>Numbers of all weights and biases.</summary>
    internal long Parameters { get; private set; }

    /// <summary>Appends a node.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="type">Its type: LI, Conv2d …</param>
    /// <exception cref="SlttException">No node can have this name.</exception>
    internal Node Add(string name, string type)
    {
        H5Group group = new() { ["type"] = type };
        return name.Contains('/', StringComparison.Ordinal) || !nodes.TryAdd(name, group)
            ? throw new SlttException(
                ErrorKind.Usage, $"{name}: a NIR node can't have this name", "give the layer another one, without a slash")
            : new Node(this, name, group);
    }

    /// <summary>Appends a connection.</summary>
    /// <param name="from">A node.</param>
    /// <param name="to">The node that reads it; what several write is added up.</param>
    internal void Connect(string from, string to) => edges.Add((from, to));

    /// <summary>Writes the file, and reads its numbers back before it takes its name.</summary>
    /// <param name="path">The file.</param>
    /// <param name="metadata">Names and texts.</param>
    /// <exception cref="SlttException">It can't be written.</exception>
    internal void Write(string path, IReadOnlyDictionary<string, string> metadata)
    {
        string[,] pairs = new string[edges.Count, 2];
        for (int i = 0; i < edges.Count; i++)
        {
            (pairs[i, 0], pairs[i, 1]) = edges[i];
        }

        H5Group graph = new() { ["type"] = "NIRGraph", ["edges"] = pairs, ["nodes"] = Group(nodes), ["metadata"] = Group(metadata) };
        H5File file = new() { ["version"] = Version, ["node"] = graph };
        AtomicFile.Write(path, stream =>
        {
            file.Write(stream);
            stream.Flush();
            Check(stream, path);
        });
    }

    /// <summary>Layers of equal size and constants share an array: a deep network has tens of millions of neurons.</summary>
    private float[] Filled(float value, int length)
    {
        if (!constants.TryGetValue((value, length), out float[]? values))
        {
            constants[(value, length)] = values = new float[length];
            Array.Fill(values, value);
        }

        return values;
    }

    private static H5Group Group<T>(IReadOnlyDictionary<string, T> members)
        where T : notnull
    {
        H5Group group = [];
        foreach ((string name, T member) in members)
        {
            group[name] = member;
        }

        return group;
    }

    private void Check(Stream stream, string path)
    {
        stream.Position = 0;
        using NativeFile file = H5File.Open(stream, leaveOpen: true);
        foreach ((string name, float[] values) in written)
        {
            if (!file.Dataset(name).Read<float[]>().AsSpan().SequenceEqual(values))
            {
                throw FileErrors.Bad(path, $"{name} does not read back as it was written", "export again; report it if it happens again");
            }
        }
    }

    /// <summary>A node that is being filled.</summary>
    /// <param name="owner">Its graph.</param>
    /// <param name="name">Its name.</param>
    /// <param name="group">Its datasets.</param>
    internal sealed class Node(NirFile owner, string name, H5Group group)
    {
        /// <summary>Weights or biases.</summary>
        /// <param name="field">The dataset.</param>
        /// <param name="values">Numbers in the order of the dimensions, the last one fastest.</param>
        /// <param name="dimensions">The dimensions.</param>
        internal Node Weights(string field, float[] values, params int[] dimensions)
        {
            owner.Parameters += values.Length;
            return Set(field, values, dimensions, compressed: false);
        }

        /// <summary>One number for each neuron: the same.</summary>
        /// <param name="field">The dataset.</param>
        /// <param name="value">The number.</param>
        /// <param name="dimensions">The neurons' dimensions.</param>
        internal Node Filled(string field, double value, int[] dimensions)
        {
            float[] values = owner.Filled((float)value, dimensions.Aggregate(1, (a, b) => a * b));
            return Set(field, values, dimensions, compressed: values.Length >= Large);
        }

        /// <summary>A list of whole numbers.</summary>
        /// <param name="field">The dataset.</param>
        /// <param name="values">The numbers.</param>
        internal Node Integers(string field, params int[] values)
        {
            group[field] = values.Select(v => (long)v).ToArray();
            return this;
        }

        /// <summary>A whole number.</summary>
        /// <param name="field">The dataset.</param>
        /// <param name="value">The number.</param>
        internal Node Integer(string field, int value)
        {
            group[field] = (long)value;
            return this;
        }

        private Node Set(string field, float[] values, int[] dimensions, bool compressed)
        {
            ulong[] size = [.. dimensions.Select(d => (ulong)d)];
            group[field] = compressed
                ? new H5Dataset(
                    values,
                    chunks: [.. dimensions.Select(d => (uint)d)],
                    fileDims: size,
                    datasetCreation: new H5DatasetCreation(Filters: [DeflateFilter.Id]))
                : new H5Dataset(values, fileDims: size);
            owner.written.Add(($"/node/nodes/{name}/{field}", values));
            return this;
        }
    }
}
