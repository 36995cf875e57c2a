using System.Buffers.Binary;
using Google.FlatBuffers;
using K4os.Compression.LZ4.Streams;
using SlttEngine.IO;
using ZstdSharp;

namespace SlttEngine.Data;

/// <summary>How the packets of an AEDAT 4.0 file are compressed, as its header numbers it.</summary>
internal enum Aedat4Compression
{
    /// <summary>Not at all.</summary>
    None,

    /// <summary>A frame of LZ4.</summary>
    Lz4,

    /// <summary>The same, by a slower encoder.</summary>
    Lz4High,

    /// <summary>A frame of ZSTD.</summary>
    Zstd,

    /// <summary>The same, by a slower encoder.</summary>
    ZstdHigh,
}

/// <summary>
/// A packet of events: a FlatBuffer EVTS behind its length, with a vector of structs (t 8 bytes, x 2, y 2, on 1, 3 unused).
/// </summary>
internal static class Aedat4Packet
{
    private const int EventBytes = 16;

    /// <summary>
    /// Real packets shrink to a quarter. What claims to grow by more than this would cost memory that the file does not justify.
    /// </summary>
    private const int MaxGrowth = 1024;

    /// <summary>Decompresses a packet and adds its events.</summary>
    internal static void Read(string path, ReadOnlyMemory<byte> packet, Aedat4Compression compression, CheckedEvents events)
    {
        byte[] bytes;
        try
        {
            bytes = compression switch
            {
                Aedat4Compression.None => packet.ToArray(),
                Aedat4Compression.Lz4 or Aedat4Compression.Lz4High => Lz4(path, packet),
                _ => Zstd(path, packet.Span),
            };
        }
        catch (Exception e) when (e is not SlttException)
        {
            // The libraries have no exception of their own for damaged data.
            throw FileErrors.Bad(path, $"a packet of {packet.Length} bytes cannot be decompressed: damaged?", null, e);
        }

        ByteBuffer buffer = Aedat4Header.FlatBuffer(bytes, 4, "EVTS"u8, Verify)
            ?? throw FileErrors.Bad(path, "a packet of the stream of events is no FlatBuffer EVTS: damaged?");

        Table table = new(buffer.GetInt(4) + 4, buffer);
        int offset = table.__offset(4);
        if (offset == 0)
        {
            return;  // no events for a while
        }

        int count = table.__vector_len(offset);
        ReadOnlySpan<byte> data = bytes.AsSpan(table.__vector(offset), count * EventBytes);
        events.List.Reserve(count);
        for (; data.Length > 0; data = data[EventBytes..])
        {
            events.Add(
                BinaryPrimitives.ReadInt64LittleEndian(data), BinaryPrimitives.ReadInt16LittleEndian(data[8..]),
                BinaryPrimitives.ReadInt16LittleEndian(data[10..]), data[12]);
        }
    }

    private static bool Verify(Verifier verifier, uint table) =>
        verifier.VerifyTableStart(table) && verifier.VerifyVectorOfData(table, 4, EventBytes, false) && verifier.VerifyTableEnd(table);

    private static byte[] Lz4(string path, ReadOnlyMemory<byte> packet)
    {
        using LZ4DecoderStream decoder = LZ4Stream.Decode(new MemoryStream(packet.ToArray(), writable: false));
        byte[] bytes = new byte[StartLength(packet.Length)];
        int length = 0;
        while (true)
        {
            int read = decoder.Read(bytes.AsSpan(length));
            length += read;
            if (read == 0)
            {
                return bytes[..length];
            }

            if (length == bytes.Length)
            {
                bytes = Grow(path, bytes, packet.Length);
            }
        }
    }

    /// <summary>At one blow into an array: the streaming decoder would first make a window as large as the frame's header wants.</summary>
    private static byte[] Zstd(string path, ReadOnlySpan<byte> packet)
    {
        using Decompressor decompressor = new();
        byte[] bytes = new byte[StartLength(packet.Length)];
        int length;
        while (!decompressor.TryUnwrap(packet, bytes, out length))
        {
            bytes = Grow(path, bytes, packet.Length);
        }

        return bytes[..length];
    }

    private static int StartLength(int packed) => (int)Math.Min(MaxLength(packed), (16L * packed) + 1024);

    private static byte[] Grow(string path, byte[] bytes, int packed)
    {
        long max = MaxLength(packed);
        if (bytes.Length >= max)
        {
            throw FileErrors.Bad(path, $"a packet of {packed} bytes grows to more than {max}: damaged?");
        }

        Array.Resize(ref bytes, (int)Math.Min(max, 4L * bytes.Length));
        return bytes;
    }

    private static long MaxLength(int packed) => Math.Min(Array.MaxLength, ((long)MaxGrowth * packed) + 1024);
}
