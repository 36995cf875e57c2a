using System.Globalization;
using System.Security.Cryptography;
using SlttEngine.Cli.Options;
using SlttEngine.Data;
using SlttEngine.Data.Sets;
using SlttEngine.Device;
using SlttEngine.Graph;
using SlttEngine.IO;
using SlttEngine.Training;
using Spectre.Console;

namespace SlttEngine.Cli.Commands;

/// <summary>Says which classes a checkpoint sees in files: images, or recordings of an event camera.</summary>
internal sealed class PredictCommand : Command
{
    private const int LargestBatch = 32;

    private static readonly string[] Used =
    [
        "device", "b", "dataset", "model", "T", "tau", "width_divisor", "batch_norm", "plain_resize", "split_by", "duration", "from",
    ];

    private readonly TrainOptionSet set = new(new TrainOptions());
    private readonly List<FailedFile> failed = [];
    private bool json;
    private bool csv;

    internal PredictCommand() => Options =
    [
        new CliOption(
            "json", null, "JSON: each class's probability, preprocessing, class names, the checkpoint's hash", _ => json = true),
        new CliOption("csv", null, "CSV: a line a sample with each class's probability", _ => csv = true),
        .. set.Options.Where(o => Used.Contains(o.Name)).Select(o => o.Name switch
        {
            "b" => o with { Help = $"samples that are computed together (default: as many as there are, at most {LargestBatch})" },
            "device" => o,
            _ => o with { Help = o.Help + "; needed for a checkpoint that does not describe its run" },
        }),
    ];

    /// <inheritdoc/>
    internal override string? Positionals => "CHECKPOINT FILES…";

    /// <inheritdoc/>
    internal override IReadOnlyList<CliOption> Options { get; }

    /// <inheritdoc/>
    internal override int Run(CliContext context, IReadOnlyList<string> positionals)
    {
        if (positionals.Count < 2 || (json && csv))
        {
            throw new SlttException(
                ErrorKind.Usage, json && csv ? "--json and --csv are two forms of the same" : "predict takes a checkpoint and files",
                "sltt predict CHECKPOINT FILES…: a checkpoint or a run folder, then images or recordings or folders of them");
        }

        TrainOptions options = set.ReadForCheckpoint(CheckpointPlace.Find(positionals[0]), out string? args, out CheckpointFile checkpoint);
        RunDescription? run = RunDescription.Read(checkpoint);
        if (run is null && args is null)
        {
            context.Error.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"note: {checkpoint.Path} does not describe its run: taken as {options.Model}, {options.Dataset}, T = {options.T}, "
                    + $"tau = {options.Tau}; options say otherwise"));
        }

        if (run is { DataSet: null })
        {
            throw new SlttException(
                ErrorKind.Usage, $"{checkpoint.Path}: it was trained on a program's own data set, whose files only that program can read",
                "that program predicts with Trainer.Load and Predict");
        }

        SampleFiles reader = options.Data.Files(RunFactory.Data(options));
        IReadOnlyList<string> files = reader.Find([.. positionals.Skip(1)]);
        SampleFormat format = Normalisation(reader.Format, run);
        using ComputeDevice device = ComputeDevice.Open(options.Device, out string reason);
        using IDisposable use = device.Use();
        TrainingOptions training = RunFactory.Training(options);
        Network network = training.Build(format.Shape, run?.Classes ?? format.Classes);
        int batch = Math.Min(set.Has("b") ? options.BatchSize : LargestBatch, files.Count);
        using Predictor predictor = new(device, network, training, batch, isStatic: format.Shape.Steps == 1);
        NetworkState.Load(predictor.Store, checkpoint, note: line => context.Error.WriteLine("note: " + line));
        string[] classes = [.. run?.ClassNames ?? Enumerable.Range(0, network.Classes).Select(i => $"class {i}")];
        IEnumerable<Answer> answers = Predict(context, reader, files, format, predictor);
        if (json)
        {
            WriteJson(context, options, device, checkpoint, classes, (reader.Preprocessing, format), [.. answers]);
        }
        else if (csv)
        {
            WriteCsv(context, classes, answers);
        }
        else
        {
            context.WriteLine($"device: {device.Name} ({reason})");
            context.WriteLine($"checkpoint: {checkpoint.Path}: {options.Model} on {options.Dataset}, T = {options.T}");
            context.WriteLine($"input: {reader.Preprocessing}");
            WriteTable(context, classes, [.. answers]);
        }

        return failed.Count == 0 ? 0 : throw new SlttException(
            ErrorKind.Data, $"{failed.Count} of {files.Count} {(files.Count == 1 ? "file" : "files")} could not be read",
            "the lines above say why");
    }

    /// <summary>The format with the numbers that the run normalised by, if they are known.</summary>
    private static SampleFormat Normalisation(SampleFormat format, RunDescription? run) => (format, run) switch
    {
        (SampleFormat.Images images, { Mean: { } mean, Std: { } std }) => images with { Mean = [.. mean], Std = [.. std] },
        (SampleFormat.Frames frames, { Scale: { } scale, Shift: { } shift }) => frames with { Scale = [.. scale], Shift = [.. shift] },
        _ => format,
    };

    /// <summary>The answers in the files' order, a batch at a time. A file that can't be read gets a line, and the others go on.</summary>
    private IEnumerable<Answer> Predict(
        CliContext context, SampleFiles reader, IReadOnlyList<string> files, SampleFormat format, Predictor predictor)
    {
        int length = format.Shape.Length;
        float[] values = new float[(long)predictor.Batch * length];
        List<FileSample> waiting = [];
        foreach (FileSample sample in files.SelectMany(file => Read(context, reader, file)))
        {
            context.Stop.ThrowIfCancellationRequested();
            SampleReader.Normalise(format, sample.Elements, values.AsSpan(waiting.Count * length, length));
            waiting.Add(sample with { Elements = [] });
            if (waiting.Count == predictor.Batch)
            {
                foreach (Answer answer in Answers())
                {
                    yield return answer;
                }
            }
        }

        foreach (Answer answer in Answers())
        {
            yield return answer;
        }

        Answer[] Answers()
        {
            Prediction[] predictions = waiting.Count == 0 ? [] : predictor.Run(values, waiting.Count);
            Answer[] answers = [.. waiting.Zip(predictions, (sample, prediction) => new Answer(sample, prediction.Probabilities))];
            waiting.Clear();
            return answers;
        }
    }

    private IEnumerable<FileSample> Read(CliContext context, SampleFiles reader, string file)
    {
        try
        {
            return reader.Read(file);
        }
        catch (SlttException e)
        {
            string message = e.Message.ReplaceLineEndings(" ");
            failed.Add(new FailedFile(file, message));
            context.Error.WriteLine("sltt: " + message);
            return [];
        }
    }

    private static void WriteTable(CliContext context, string[] classes, Answer[] answers)
    {
        if (answers.Length == 0)
        {
            return;
        }

        bool parts = answers.Any(a => a.Sample.Gesture is not null);
        Table table = new Table().Border(TableBorder.Rounded).AddColumn("file");
        if (parts)
        {
            table.AddColumn(new TableColumn("seconds").RightAligned()).AddColumn("labelled");
        }

        table.AddColumn("class").AddColumn(new TableColumn("probability").RightAligned()).AddColumn("next");
        string? last = null;
        foreach (Answer answer in answers)
        {
            int[] order = answer.Order;
            string next = string.Join(", ", order.Skip(1).Take(1).Select(c => $"{classes[c]} {Percent(answer.Probabilities[c])}"));
            string file = answer.Sample.File == last ? string.Empty : answer.Sample.File;
            last = answer.Sample.File;
            string[] part = !parts ? [] : answer.Sample.Gesture is { } g
                ? [string.Create(CultureInfo.InvariantCulture, $"{g.Start / 1e6:0.0} – {g.End / 1e6:0.0}"), GestureName(g)] : ["", ""];
            table.AddRow([.. ((string[])[file, .. part, classes[order[0]], Percent(answer.Probabilities[order[0]]), next])
                .Select(Markup.Escape)]);
        }

        context.Console.Write(table);
    }

    private static void WriteCsv(CliContext context, string[] classes, IEnumerable<Answer> answers)
    {
        context.Output.WriteLine(
            string.Join(',', ((string[])["file", "start_us", "end_us", "label", "class", "probability", .. classes]).Select(Quote)));
        foreach (Answer answer in answers)
        {
            int best = answer.Order[0];
            context.Output.WriteLine(string.Join(',', (string[])[
                Quote(answer.Sample.File), Whole(answer.Sample.Gesture?.Start), Whole(answer.Sample.Gesture?.End),
                Quote(answer.Sample.Gesture is { } gesture ? GestureName(gesture) : string.Empty), Quote(classes[best]),
                Number(answer.Probabilities[best]), .. answer.Probabilities.Select(Number)]));
        }
    }

    private void WriteJson(
        CliContext context, TrainOptions options, ComputeDevice device, CheckpointFile checkpoint, string[] classes,
        (string Text, SampleFormat Format) input, Answer[] answers)
    {
        using FileStream file = File.OpenRead(checkpoint.Path);
        (float[] scale, float[] shift) = input.Format switch
        {
            SampleFormat.Images images => ([.. images.Std.Select(s => 1 / (255 * s))], [.. images.Mean.Zip(images.Std, (m, s) => -m / s)]),
            SampleFormat.Frames frames => (frames.Scale, frames.Shift),
            _ => (Array.Empty<float>(), Array.Empty<float>()),
        };
        FrameShape shape = input.Format.Shape;
        JsonOutput.Write(context, new
        {
            Checkpoint = checkpoint.Path,
            CheckpointSha256 = Convert.ToHexStringLower(SHA256.HashData(file)),
            options.Model,
            options.Dataset,
            options.T,
            Device = device.Name,
            Preprocessing = new
            {
                Text = input.Text,
                Shape = (int[])[shape.Steps, shape.Channels, shape.Height, shape.Width],
                Scale = scale,
                Shift = shift,
            },
            Classes = classes,
            Predictions = answers.Select(answer => new
            {
                answer.Sample.File,
                StartUs = answer.Sample.Gesture?.Start,
                EndUs = answer.Sample.Gesture?.End,
                Label = answer.Sample.Gesture is { } gesture ? GestureName(gesture) : null,
                Class = classes[answer.Order[0]],
                Index = answer.Order[0],
                Probability = answer.Probabilities[answer.Order[0]],
                answer.Probabilities,
            }),
            Failed = failed,
        });
    }

    private static string GestureName(GestureLabel label) => DvsGesture.ClassNames[DvsGesture.ClassOf(label.Label)];

    private static string Percent(double share) => (100 * share).ToString("0.0", CultureInfo.InvariantCulture) + " %";

    private static string Number(double value) => value.ToString("R", CultureInfo.InvariantCulture);

    private static string Whole(long? value) => value?.ToString(CultureInfo.InvariantCulture) ?? string.Empty;

    // RFC 4180.
    private static string Quote(string text) =>
        text.AsSpan().IndexOfAny("\",\r\n") < 0 ? text : $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";

    /// <summary>A file that could not be read.</summary>
    private sealed record FailedFile(string File, string Error);

    /// <summary>What the network says of a sample.</summary>
    private sealed record Answer(FileSample Sample, IReadOnlyList<double> Probabilities)
    {
        /// <summary>The classes, the most probable first.</summary>
        internal int[] Order { get; } = [.. Enumerable.Range(0, Probabilities.Count).OrderByDescending(c => Probabilities[c])];
    }
}
