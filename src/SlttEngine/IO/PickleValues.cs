using System.Collections;
using System.Text;

namespace SlttEngine.IO;

/// <summary>What a name in a pickle stands for: called with the arguments that the pickle gives it.</summary>
internal delegate object? PickleCallable(object?[] arguments);

/// <summary>An object whose state the pickle sets after it was made (opcode BUILD).</summary>
internal interface IPickleBuildable
{
    /// <summary>Takes the state; throws <see cref="PickleFormatException"/> if it is not of the expected form.</summary>
    void Build(object? state);
}

/// <summary>A pickle that is malformed; <see cref="Unpickler"/> turns it into an error that names the file.</summary>
internal sealed class PickleFormatException(string message) : Exception(message);

/// <summary>A name that the reader allows, not called yet.</summary>
internal sealed record PickleGlobal(string Module, string Name, PickleCallable Call)
{
    /// <summary><c>module.name</c>.</summary>
    internal string FullName => $"{Module}.{Name}";
}

/// <summary>An object of a class that the reader does not know: the class's name. Its arguments, items and state are dropped.</summary>
internal sealed class PickleOpaque(string name) : IPickleBuildable
{
    /// <summary><c>module.name</c>.</summary>
    internal string Name => name;

    /// <summary>Drops the state.</summary>
    public void Build(object? state)
    {
    }
}

/// <summary>
/// A Python dict or OrderedDict in its order. Python 2 strings count as text. Keys that are neither text nor numbers are kept as they are.
/// </summary>
internal sealed class PickleDict : IEnumerable<KeyValuePair<object, object?>>, IPickleBuildable
{
    private static readonly object None = new();
    private readonly OrderedDictionary<object, object?> items = [];

    /// <summary>The number of items.</summary>
    internal int Count => items.Count;

    /// <summary>Whether it is to be written as an OrderedDict.</summary>
    internal bool Ordered { get; init; }

    /// <summary>Sets an item, as Python does: the last value wins, the first place stays.</summary>
    internal void Set(object? key, object? value) => items[Key(key)] = value;

    /// <summary>The item of a text key.</summary>
    internal bool TryGet(string key, out object? value) => items.TryGetValue(key, out value);

    /// <summary>The items in order.</summary>
    public IEnumerator<KeyValuePair<object, object?>> GetEnumerator() => items.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary>A subclass's or OrderedDict's attributes (such as a state dict's metadata): checked and dropped.</summary>
    public void Build(object? state)
    {
        if (state is not PickleDict)
        {
            throw new PickleFormatException("a dictionary's state is not a dictionary");
        }
    }

    private static object Key(object? key) => key switch
    {
        string or long or double or bool => key,
        byte[] bytes => Encoding.Latin1.GetString(bytes),
        null => None,
        _ => key,
    };
}

/// <summary>Helpers over the plain values that a pickle is made of.</summary>
internal static class PickleValues
{
    /// <summary>Text: a string, or a Python 2 string taken as Latin-1; null if it is neither.</summary>
    internal static string? Text(object? value) => value switch
    {
        string text => text,
        byte[] bytes => Encoding.Latin1.GetString(bytes),
        _ => null,
    };

    /// <summary>A tuple or list of integers; null if it is neither.</summary>
    internal static long[]? Longs(object? value)
    {
        IReadOnlyList<object?>? items = Items(value);
        if (items is null)
        {
            return null;
        }

        long[] longs = new long[items.Count];
        for (int i = 0; i < longs.Length; i++)
        {
            if (items[i] is not long item)
            {
                return null;
            }

            longs[i] = item;
        }

        return longs;
    }

    /// <summary>A tuple's or list's items; null if it is neither.</summary>
    internal static IReadOnlyList<object?>? Items(object? value) => value switch
    {
        object?[] tuple => tuple,
        List<object?> list => list,
        _ => null,
    };
}
