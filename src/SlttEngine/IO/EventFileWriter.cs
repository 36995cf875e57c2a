using System.Buffers.Binary;
using System.Globalization;
using System.Numerics;
using Google.Protobuf;
using Tensorboard;

namespace SlttEngine.IO;

/// <summary>Writes what TensorBoard reads: an event file in a folder of the run.</summary>
/// <remarks>
/// The file is a TFRecord file: each record is its length (8 bytes), a masked CRC-32C of the length (4), the data, a masked CRC-32C of the
/// data (4). The data are Event messages of Protocol Buffers (tensorboard.proto). One thread at a time may use an instance.
/// </remarks>
public sealed class EventFileWriter : IDisposable
{
    private const int Rgb = 3;

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

        Write(new Event { WallTime = now, FileVersion = "brain.Event:2" });
        if (firstStep is not null)
        {
            // The start of a session tells TensorBoard where to purge from.
            SessionLog session = new() { Status = SessionLog.Types.SessionStatus.Start };
            Write(new Event { WallTime = now, Step = firstStep.Value, SessionLog = session });
        }
    }

    /// <summary>The event file.</summary>
    public string Path { get; }

    /// <summary>Appends a scalar and flushes it to the operating system.</summary>
    /// <param name="tag">For example train_loss.</param>
    /// <param name="value">Stored as a float.</param>
    /// <param name="step">For example the epoch.</param>
    /// <exception cref="SlttException">The file cannot be written.</exception>
    public void Scalar(string tag, double value, long step) =>
        Write(new Summary.Types.Value { Tag = tag, SimpleValue = (float)value }, step);

    /// <summary>Appends a histogram.</summary>
    /// <param name="tag">For example membrane_potential/neuron1.</param>
    /// <param name="from">Lower end of the first bin.</param>
    /// <param name="to">Upper end of the last.</param>
    /// <param name="counts">How many numbers are in each bin, all of equal width.</param>
    /// <param name="step">For example the epoch.</param>
    /// <exception cref="SlttException">The file cannot be written.</exception>
    internal void Histogram(string tag, double from, double to, IReadOnlyList<long> counts, long step)
    {
        // Empty bins at the ends are left out, but for one on each side.
        int[] filled = [.. Enumerable.Range(0, counts.Count).Where(bin => counts[bin] > 0)];
        int first = Math.Max(0, filled.FirstOrDefault() - 1);
        int last = Math.Min(counts.Count - 1, filled.LastOrDefault() + 1);
        double width = (to - from) / counts.Count;
        HistogramProto histogram = new() { Min = from + (first * width), Max = from + ((last + 1) * width) };
        for (int bin = first; bin <= last; bin++)
        {
            double middle = from + ((bin + 0.5) * width);
            histogram.BucketLimit.Add(from + ((bin + 1) * width));
            histogram.Bucket.Add(counts[bin]);
            histogram.Num += counts[bin];
            histogram.Sum += counts[bin] * middle;
            histogram.SumSquares += counts[bin] * middle * middle;
        }

        Write(new Summary.Types.Value { Tag = tag, Histo = histogram }, step);
    }

    /// <summary>Appends a picture.</summary>
    /// <param name="tag">For example mistakes.</param>
    /// <param name="width">Columns.</param>
    /// <param name="height">Rows.</param>
    /// <param name="png">The picture as a PNG file.</param>
    /// <param name="step">For example the epoch.</param>
    /// <exception cref="SlttException">The file cannot be written.</exception>
    internal void Image(string tag, int width, int height, byte[] png, long step)
    {
        Summary.Types.Image image = new()
        {
            Height = height,
            Width = width,
            Colorspace = Rgb,
            EncodedImageString = ByteString.CopyFrom(png),
        };
        Write(new Summary.Types.Value { Tag = tag, Image = image }, step);
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

    private void Write(Summary.Types.Value value, long step) =>
        Write(new Event { WallTime = Now(), Step = step, Summary = new Summary { Value = { value } } });

    private void Write(Event message)
    {
        byte[] data = message.ToByteArray();
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
}
