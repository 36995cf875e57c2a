using System.Globalization;
using System.Security;
using SkiaSharp;
using SlttEngine.Cli.Options;
using SlttEngine.Data;
using SlttEngine.Data.Sets;
using SlttEngine.Device;
using SlttEngine.Graph;
using SlttEngine.IO;
using SlttEngine.Reports;
using SlttEngine.Training;

namespace SlttEngine.Bench;

/// <summary>A recorded gesture through a trained network: what the camera saw in each time step, and where neurons fired.</summary>
internal static class SpikeFigure
{
    private const int Cell = 92;
    private const int Gap = 4;
    private const int LabelWidth = 128;
    private const int HeadHeight = 28;
    private const int Layers = 4;

    private static readonly SKColor On = new(0xd9, 0x5f, 0x02), Off = new(0x1b, 0x7f, 0xc4), Spike = new(0x1b, 0x9e, 0x77);

    /// <summary>Draws the gesture of a recording of which the network is surest.</summary>
    /// <param name="checkpoint">Of a network trained on DVS-Gesture's layout, such as the demo's.</param>
    /// <param name="recording">A recording with its labels file.</param>
    /// <exception cref="SlttException">One of them can't be used.</exception>
    internal static string Draw(string checkpoint, string recording)
    {
        TrainOptionSet set = new(new TrainOptions());
        TrainOptions options = set.ReadForCheckpoint(checkpoint, out _, out CheckpointFile read);
        SampleFiles reader = options.Data.Files(RunFactory.Data(options));
        using ComputeDevice device = ComputeDevice.Open(DeviceKind.Cpu);
        TrainingOptions training = RunFactory.Training(options);
        Network network = training.Build(reader.Format.Shape, reader.Format.Classes);
        using Predictor predictor = new(device, network, training, 1, isStatic: false);
        NetworkState.Load(predictor.Store, read);
        (FileSample Sample, float[] Input, int Class, double Probability)[] answers =
        [
            .. reader.Read(recording).Select(sample =>
            {
                float[] input = new float[reader.Format.Shape.Length];
                SampleReader.Normalise(reader.Format, sample.Elements, input);
                Prediction prediction = predictor.Run(input, 1)[0];
                return (sample, input, prediction.Class, prediction.Probabilities[prediction.Class]);
            }),
        ];
        (FileSample sample, float[] input, int answer, double probability) = answers
            .Where(a => a.Sample.Gesture is { } gesture && DvsGesture.ClassOf(gesture.Label) == a.Class)
            .DefaultIfEmpty(answers[0]).MaxBy(a => a.Probability);
        string[] all = [.. network.Layers.Where(l => l.Spikes is not null).Select(l => l.Name)];
        string[] shown = [.. Enumerable.Range(0, Layers).Select(i => all[i * (all.Length - 1) / (Layers - 1)]).Distinct()];
        SpikeRecord[] records = [.. shown.Select(layer => predictor.Watch(layer, input))];
        return Draw(reader.Format.Shape, input, records, DvsGesture.ClassNames[answer], probability);
    }

    private static string Draw(FrameShape shape, float[] input, SpikeRecord[] records, string answer, double probability)
    {
        int width = LabelWidth + (shape.Steps * (Cell + Gap)), height = HeadHeight + ((records.Length + 1) * (Cell + Gap)) + 30;
        StringWriter svg = new(CultureInfo.InvariantCulture) { NewLine = "\n" };
        Figures.Begin(svg, width, height, $"A gesture of an event camera and the spikes that it causes; the network answers {answer}");
        for (int t = 0; t < shape.Steps; t++)
        {
            svg.WriteLine($"""<text class="quiet" x="{X(t) + (Cell / 2)}" y="18" text-anchor="middle">t = {t + 1}</text>""");
        }

        Row(svg, 0, "camera", "events, two polarities", t => Frame(shape, input.AsSpan(t * shape.FrameLength, shape.FrameLength)));
        for (int i = 0; i < records.Length; i++)
        {
            SpikeRecord record = records[i];
            int largest = Enumerable.Range(0, record.Steps).Max(t => Counts(record, t).Max());
            Row(
                svg, i + 1, record.Layer,
                $"{record.Neurons:#,##0} neurons, firing rate {(100 * record.FiringRate).ToString("0.#", CultureInfo.InvariantCulture)} %",
                t => Map(record, Counts(record, t), largest));
        }

        svg.WriteLine(
            $"""<text class="head" x="0" y="{height - 8}">answer: {SecurityElement.Escape(answer)}, """
                + $"{(100 * probability).ToString("0.#", CultureInfo.InvariantCulture)} %</text>");
        svg.WriteLine("</svg>");
        return svg.ToString();

        void Row(StringWriter writer, int row, string name, string what, Func<int, string> picture)
        {
            int top = HeadHeight + (row * (Cell + Gap));
            writer.WriteLine($"""<text x="0" y="{top + 40}">{SecurityElement.Escape(name)}</text>""");
            string[] words = what.Split(", ");
            for (int i = 0; i < words.Length; i++)
            {
                writer.WriteLine($"""<text class="quiet" x="0" y="{top + 56 + (15 * i)}">{SecurityElement.Escape(words[i])}</text>""");
            }

            for (int t = 0; t < shape.Steps; t++)
            {
                writer.WriteLine($"""<rect class="cell" x="{X(t)}" y="{top}" width="{Cell}" height="{Cell}"/>""");
                writer.WriteLine(
                    $"""<image x="{X(t)}" y="{top}" width="{Cell}" height="{Cell}" image-rendering="pixelated" """
                        + $"href=\"{picture(t)}\"/>");
            }
        }

        static int X(int t) => LabelWidth + (t * (Cell + Gap));
    }

    /// <summary>How many channels fire at each pixel.</summary>
    private static int[] Counts(SpikeRecord record, int t)
    {
        bool[] spikes = record.Spikes(t);
        int[] counts = new int[record.Height * record.Width];
        for (int i = 0; i < spikes.Length; i++)
        {
            counts[i % counts.Length] += spikes[i] ? 1 : 0;
        }

        return counts;
    }

    private static string Map(SpikeRecord record, int[] counts, int largest) =>
        Paint(record.Width, record.Height, i => Spike.WithAlpha((byte)(255 * Math.Sqrt(counts[i] / (double)Math.Max(1, largest)))));

    private static string Frame(FrameShape shape, ReadOnlySpan<float> frame)
    {
        // Two pixels a side become one: at this size single pixels vanish.
        float[] values = frame.ToArray();
        int width = shape.Width / 2, height = shape.Height / 2;
        float Sum(int channel, int i)
        {
            int at = (channel * shape.Height * shape.Width) + (2 * (i / width) * shape.Width) + (2 * (i % width));
            return values[at] + values[at + 1] + values[at + shape.Width] + values[at + shape.Width + 1];
        }

        float largest = Enumerable.Range(0, width * height).Max(i => Math.Max(Sum(0, i), Sum(1, i)));
        return Paint(width, height, i =>
        {
            (float off, float on) = (Sum(0, i), Sum(1, i));
            double strength = Math.Max(off, on) / Math.Max(1, 0.4 * largest);
            return (on >= off ? On : Off).WithAlpha((byte)(255 * Math.Min(1, Math.Sqrt(strength))));
        });
    }

    /// <summary>The picture as a data URI.</summary>
    private static string Paint(int width, int height, Func<int, SKColor> colour)
    {
        byte[] rgba = new byte[4 * width * height];
        for (int i = 0; i < width * height; i++)
        {
            SKColor c = colour(i);
            ((byte[])[c.Red, c.Green, c.Blue, c.Alpha]).CopyTo(rgba.AsSpan(4 * i));
        }

        return PictureUri.Of(rgba, width, height);
    }
}
