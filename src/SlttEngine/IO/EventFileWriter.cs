using System.Buffers.Binary;
using System.Globalization;
using System.Numerics;
using System.Text;

namespace SlttEngine.IO;

/// <summary>Writes scalars as TensorBoard reads them: an event file in a folder of the run.</summary>
/// <remarks>
/// The file is a TFRecord file: each record is its length (8 bytes), a masked CRC-32C of the length (4), the data, a masked CRC-32C of the
/// data (4). The data are Event messages in Protocol Buffers' wire format, of which only these fields are written: wall_time (1,
/// double), step (2, integer), file_version (3, text, first record only), summary (5) with one value (1) of tag (1, text) and simple_value
/// (2, float). Source: tensorflow/core/util/event.proto and framework/summary.proto. One thread at a time may use an instance.
/// </remarks>
public sealed class EventFileWriter : IDisposable
{
    private readonly FileStream file;

    /// <summary>Makes a new event file, <c>events.out.tfevents.SECONDS.HOST.PROCESS.N</c>.</summary>
    /// <param name="folder">Made if it is missing.</param>
    /// <param name="firstStep">Where this run begins: TensorBoard drops what earlier files say from there on. Null: from the start.</param>
    /// <exception cref="SlttException">The folder or the file cannot be written.</exception>
    public EventFileWriter(string folder, long? firstStep = null)
    {
        double now = Now();
        string start = string.Create(
            CultureInfo.InvariantCulture, $"events.out.tfevents.{(long)now:0000000000}.{HostName()}.{Environment.ProcessId}.");
        try
        {
            Directory.CreateDirectory(folder);
            int n = 0;
            while (File.Exists(System.IO.Path.Combine(folder, start + n.ToString(CultureInfo.InvariantCulture))))
            {
                n++;
            }

            Path = System.IO.Path.Combine(folder, start + n.ToString(CultureInfo.InvariantCulture));
            file = new FileStream(Path, FileMode.CreateNew, FileAccess.Write, FileShare.Read);
        }
        catch (Exception e) when (FileErrors.IsFileError(e))
        {
            throw FileErrors.Wrap("write", folder, e);
        }

        Message version = new Message();
        version.Double(1, now);
        version.Text(3, "brain.Event:2");
        Write(version);
        if (firstStep is not null)
        {
            // A session log with status START (field 7, value 1) tells TensorBoard where to purge from.
            Message session = new Message();
            session.Integer(1, 1);
            Message restart = new Message();
            restart.Double(1, now);
            restart.Integer(2, firstStep.Value);
            restart.Child(7, session);
            Write(restart);
        }
    }

    /// <summary>The event file.</summary>
    public string Path { get; }

    /// <summary>Appends a scalar and flushes it to the operating system.</summary>
    /// <param name="tag">For example train_loss.</param>
    /// <param name="value">Stored as a float.</param>
    /// <param name="step">For example the epoch.</param>
    /// <exception cref="SlttException">The file cannot be written.</exception>
    public void Scalar(string tag, double value, long step)
    {
        Message scalar = new Message();
        scalar.Text(1, tag);
        scalar.Float(2, (float)value);
        Message summary = new Message();
        summary.Child(1, scalar);
        Message e = new Message();
        e.Double(1, Now());
        e.Integer(2, step);
        e.Child(5, summary);
        Write(e);
    }

    /// <summary>Closes the file.</summary>
    public void Dispose() => file.Dispose();

    /// <summary>The masked checksum of a TFRecord.</summary>
    internal static uint MaskedCrc(ReadOnlySpan<byte> data)
    {
        uint crc = ~0u;
        foreach (byte b in data)
        {
            crc = BitOperations.Crc32C(crc, b);
        }

        crc = ~crc;
        return BitOperations.RotateRight(crc, 15) + 0xa282ead8;
    }

    private static double Now() => (DateTime.UtcNow - DateTime.UnixEpoch).TotalSeconds;

    private static string HostName()
    {
        string name = new([.. Environment.MachineName.Where(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_')]);
        return name.Length > 0 ? name : "host";
    }

    private void Write(Message message)
    {
        ReadOnlySpan<byte> data = message.Bytes;
        byte[] record = new byte[16 + data.Length];
        BinaryPrimitives.WriteInt64LittleEndian(record, data.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(record.AsSpan(8), MaskedCrc(record.AsSpan(0, 8)));
        data.CopyTo(record.AsSpan(12));
        BinaryPrimitives.WriteUInt32LittleEndian(record.AsSpan(12 + data.Length), MaskedCrc(data));
        try
        {
            file.Write(record);
            file.Flush();
        }
        catch (Exception e) when (FileErrors.IsFileError(e))
        {
            throw FileErrors.Wrap("write", Path, e);
        }
    }

    /// <summary>A message in Protocol Buffers' wire format.</summary>
    private sealed class Message
    {
        private readonly List<byte> bytes = [];

        internal ReadOnlySpan<byte> Bytes => System.Runtime.InteropServices.CollectionsMarshal.AsSpan(bytes);

        internal void Integer(int field, long value)
        {
            Varint((ulong)field << 3);
            Varint((ulong)value);
        }

        internal void Double(int field, double value)
        {
            Varint(((ulong)field << 3) | 1);
            bytes.AddRange(BitConverter.GetBytes(value));
        }

        internal void Float(int field, float value)
        {
            Varint(((ulong)field << 3) | 5);
            bytes.AddRange(BitConverter.GetBytes(value));
        }

        internal void Text(int field, string value) => Content(field, Encoding.UTF8.GetBytes(value));

        internal void Child(int field, Message child) => Content(field, child.Bytes);

        private void Content(int field, ReadOnlySpan<byte> content)
        {
            Varint(((ulong)field << 3) | 2);
            Varint((ulong)content.Length);
            bytes.AddRange(content);
        }

        private void Varint(ulong value)
        {
            for (; value >= 128; value >>= 7)
            {
                bytes.Add((byte)(value | 128));
            }

            bytes.Add((byte)value);
        }
    }
}
