namespace SlttEngine.Data;

/// <summary>The order of an epoch's samples: a function of seed and epoch alone, so a resumed run goes on in the same order.</summary>
public static class EpochOrder
{
    private const ulong ShuffleStream = 0x5348_5546_0000_0000;  // "SHUF"

    /// <summary>
    /// A uniformly random permutation of 0 … count − 1: Fisher and Yates' shuffle, from the last place down, place i swapped with
    /// <see cref="Philox.NextBelow"/>(i + 1) of the sequence (seed, stream "SHUF" + epoch).
    /// </summary>
    public static int[] Shuffled(int count, long seed, int epoch)
    {
        int[] order = Sequential(count);
        Philox random = new Philox((ulong)seed, ShuffleStream + (uint)epoch);
        for (int i = count - 1; i > 0; i--)
        {
            int j = random.NextBelow(i + 1);
            (order[i], order[j]) = (order[j], order[i]);
        }

        return order;
    }

    /// <summary>0 … count − 1.</summary>
    public static int[] Sequential(int count)
    {
        int[] order = new int[count];
        for (int i = 0; i < count; i++)
        {
            order[i] = i;
        }

        return order;
    }

    /// <summary>The number that <see cref="IFrameSet.Read"/> gets as draw in an epoch: all epochs of all seeds differ.</summary>
    public static ulong Draw(long seed, int epoch)
    {
        (uint x0, uint x1, _, _) = Philox.Block((ulong)seed, (uint)epoch, 0x4452_4157_0000_0000);  // "DRAW"
        return x0 | ((ulong)x1 << 32);
    }
}
