using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using SharpFuzz.Common;

namespace SlttEngine.Fuzz;

/// <summary>Which branches an input took and about how often, as AFL counts it: a byte for each pair of successive blocks.</summary>
internal sealed unsafe class Coverage
{
    private const int Size = 1 << 16;

    private static readonly byte* Map = (byte*)NativeMemory.AllocZeroed(Size);

    private readonly byte[] seen = new byte[Size];

    /// <summary>Pairs of blocks that some input has taken.</summary>
    internal int Edges => seen.Count(b => b != 0);

    /// <summary>Instrumented code writes there from its first line on.</summary>
    [ModuleInitializer]
    internal static void Start() => Trace.SharedMem = Map;

    /// <summary>To be called before an input is read.</summary>
    internal static void Clear()
    {
        NativeMemory.Clear(Map, Size);
        Trace.PrevLocation = 0;
    }

    /// <summary>True if the input did something that none before it did; remembers it.</summary>
    internal bool IsNew()
    {
        bool isNew = false;
        for (int word = 0; word < Size; word += sizeof(ulong))
        {
            if (*(ulong*)(Map + word) == 0)
            {
                continue;
            }

            for (int i = word; i < word + sizeof(ulong); i++)
            {
                byte bucket = Bucket(Map[i]);
                isNew |= (bucket & ~seen[i]) != 0;
                seen[i] |= bucket;
            }
        }

        return isNew;
    }

    /// <summary>1, 2, 3, 4–7, 8–15, 16–31, 32–127 and more are told apart: a loop that runs 40 or 41 times does nothing new.</summary>
    private static byte Bucket(byte count) => count switch
    {
        0 => 0,
        1 => 1,
        2 => 2,
        3 => 4,
        < 8 => 8,
        < 16 => 16,
        < 32 => 32,
        < 128 => 64,
        _ => 128,
    };
}
