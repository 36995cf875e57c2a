using System.Globalization;
using System.IO.Compression;
using System.Text;

namespace SlttEngine.Tests.IO;

/// <summary>Makes .npy and .npz files as NumPy writes them, or wrong in one way.</summary>
internal static class NumpyFiles
{
    /// <summary>A .npy file.</summary>
    /// <param name="descr">The element type, as in the header: &lt;i8.</param>
    /// <param name="shape">As in the header: (3,).</param>
    /// <param name="data">The elements.</param>
    /// <param name="fortran">The header says Fortran order.</param>
    internal static byte[] Npy(string descr, string shape, byte[] data, bool fortran = false)
    {
        string order = fortran ? "True" : "False";
        string header = $"{{'descr': '{descr}', 'fortran_order': {order}, 'shape': {shape}, }}";
        header = header.PadRight(128 - 10 - 1) + "\n";
        return [0x93, .. "NUMPY"u8, 1, 0, (byte)header.Length, (byte)(header.Length >> 8), .. Encoding.Latin1.GetBytes(header), .. data];
    }

    /// <summary>A .npy file of int64.</summary>
    internal static byte[] Npy(params long[] values) =>
        Npy("<i8", string.Create(CultureInfo.InvariantCulture, $"({values.Length},)"), [.. values.SelectMany(BitConverter.GetBytes)]);

    /// <summary>A .npz file of arrays in .npy format.</summary>
    internal static byte[] Npz(params (string Name, byte[] Npy)[] arrays)
    {
        using MemoryStream file = new();
        using (ZipArchive zip = new(file, ZipArchiveMode.Create, leaveOpen: true))
        {
            foreach ((string name, byte[] npy) in arrays)
            {
                using Stream entry = zip.CreateEntry(name + ".npy").Open();
                entry.Write(npy);
            }
        }

        return file.ToArray();
    }

    /// <summary>A .npz file of events in SpikingJelly's form.</summary>
    internal static byte[] Events(long[] t, long[] x, long[] y, long[] p) =>
        Npz(("t", Npy(t)), ("x", Npy(x)), ("y", Npy(y)), ("p", Npy(p)));

    /// <summary>A sound one: 40 events, 10 µs apart.</summary>
    internal static byte[] Events()
    {
        long[] n = [.. Enumerable.Range(0, 40).Select(i => (long)i)];
        return Events([.. n.Select(i => 10 * i)], n, [.. n.Select(i => 2 * i)], [.. n.Select(i => i % 2)]);
    }

    /// <summary>A .npz file of frames in SpikingJelly's form: doubles, T frames, some counts.</summary>
    internal static byte[] Frames(int steps, string name = "frames", double value = 1)
    {
        double[] counts = new double[steps * 2 * 128 * 128];
        for (int i = 5; i < counts.Length; i += 997)
        {
            counts[i] = value;
        }

        return Npz((name, Npy("<f8", $"({steps}, 2, 128, 128)", [.. counts.SelectMany(BitConverter.GetBytes)])));
    }
}
