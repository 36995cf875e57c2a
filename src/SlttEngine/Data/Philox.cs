namespace SlttEngine.Data;

/// <summary>
/// Random numbers as a pure function of a seed, a stream and a position: Philox4x32-10 (Salmon et al., SC 2011), the generator that the
/// kernels use too. Nothing needs to be saved to go on where a run stopped.
/// </summary>
/// <remarks>One thread at a time may use an instance; make one for each thread.</remarks>
public struct Philox
{
    private readonly ulong seed;
    private readonly ulong stream;
    private ulong counter;
    private (uint X0, uint X1, uint X2, uint X3) words;
    private int left;

    /// <summary>The sequence of a seed and a stream, from its start.</summary>
    /// <param name="seed">The key.</param>
    /// <param name="stream">The upper half of the counter: sequences of different streams never overlap.</param>
    public Philox(ulong seed, ulong stream)
    {
        this.seed = seed;
        this.stream = stream;
    }

    /// <summary>The four words of one counter value.</summary>
    public static (uint X0, uint X1, uint X2, uint X3) Block(ulong seed, ulong low, ulong high)
    {
        uint c0 = (uint)low, c1 = (uint)(low >> 32), c2 = (uint)high, c3 = (uint)(high >> 32);
        uint k0 = (uint)seed, k1 = (uint)(seed >> 32);
        for (int round = 0; round < 10; round++)
        {
            ulong a = 0xD2511F53ul * c0, b = 0xCD9E8D57ul * c2;
            c0 = (uint)(b >> 32) ^ c1 ^ k0;
            c1 = (uint)b;
            c2 = (uint)(a >> 32) ^ c3 ^ k1;
            c3 = (uint)a;
            k0 += 0x9E3779B9u;
            k1 += 0xBB67AE85u;
        }

        return (c0, c1, c2, c3);
    }

    /// <summary>The next 32 bits.</summary>
    public uint NextUInt32()
    {
        if (left == 0)
        {
            words = Block(seed, counter++, stream);
            left = 4;
        }

        return left-- switch
        {
            4 => words.X0,
            3 => words.X1,
            2 => words.X2,
            _ => words.X3,
        };
    }

    /// <summary>The next 64 bits.</summary>
    public ulong NextUInt64() => NextUInt32() | ((ulong)NextUInt32() << 32);

    /// <summary>A uniform integer in [0, bound); the bias is below bound / 2⁶⁴.</summary>
    public int NextBelow(int bound) => (int)Math.BigMul(NextUInt64(), (ulong)bound, out _);

    /// <summary>Uniform in [0, 1), 53 bits.</summary>
    public double NextDouble() => (NextUInt64() >> 11) * (1.0 / (1ul << 53));

    /// <summary>Uniform in [low, high).</summary>
    public double NextBetween(double low, double high) => low + ((high - low) * NextDouble());

    /// <summary>Normal with mean 0 and deviation 1 (Box and Muller, one of the pair).</summary>
    public double NextNormal() => Math.Sqrt(-2 * Math.Log(1 - NextDouble())) * Math.Cos(2 * Math.PI * NextDouble());
}
