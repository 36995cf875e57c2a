using SlttEngine.Device;

namespace SlttEngine.Tests.Kernels;

/// <summary>Philox4x32-10, written from the paper's definition, and the dropout masks that the kernels make of it.</summary>
internal static class Philox
{
    public static uint[] Draw(uint c0, uint c1, uint c2, uint c3, ulong key)
    {
        uint[] c = [c0, c1, c2, c3];
        uint k0 = (uint)key, k1 = (uint)(key >> 32);
        for (int round = 0; round < 10; round++)
        {
            ulong left = 0xD2511F53ul * c[0], right = 0xCD9E8D57ul * c[2];
            c = [(uint)(right >> 32) ^ c[1] ^ k0, (uint)right, (uint)(left >> 32) ^ c[3] ^ k1, (uint)left];
            k0 = unchecked(k0 + 0x9E3779B9u);
            k1 = unchecked(k1 + 0xBB67AE85u);
        }

        return c;
    }

    /// <summary>0 or 1/(1-rate) for each of the first elements.</summary>
    public static float[] Mask(int count, float rate, uint layer, RunState state)
    {
        float[] mask = new float[count];
        for (int i = 0; i < count; i++)
        {
            uint[] words = Draw((uint)(i / 8), layer << 8, (uint)state.Iteration, (uint)(state.Iteration >> 32), state.Seed);
            uint bits = (words[i % 8 / 2] >> (i % 2 * 16)) & 0xffff;
            mask[i] = rate == 0 ? 1 : bits < Math.Round(rate * 65536) ? 0 : 1 / (1 - rate);
        }

        return mask;
    }
}
