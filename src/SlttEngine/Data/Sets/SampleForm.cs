using SlttEngine.IO;

namespace SlttEngine.Data.Sets;

/// <summary>A form of an event data set with one sample in a file, as another program left it in a folder.</summary>
/// <param name="Title">What it is, for people.</param>
/// <param name="Folder">Where it is.</param>
/// <param name="Part">Lists the training or the test part: what it holds, and paths and labels.</param>
/// <param name="Read">Reads a file of that path and label.</param>
internal sealed record SampleForm(
    string Title, string Folder, Func<bool, (PartContents Contents, (string Path, int Label)[] Files)> Part,
    Func<string, int, EventSample> Read)
{
    /// <summary>In what the samples differ from those of the authors' recordings; null if in nothing.</summary>
    internal string? Remark { get; init; }

    /// <summary>How a file begins.</summary>
    internal byte[] Start { get; init; } = "PK"u8.ToArray();

    /// <summary>What it is, where, and the remark.</summary>
    internal string Description => $"{Title} in {Folder}" + (Remark is null ? string.Empty : $" ({Remark})");
}

/// <summary>The samples of a part of a <see cref="SampleForm"/>.</summary>
internal sealed class SampleFormRecordings : EventRecordings
{
    private readonly string name;
    private readonly SampleForm form;
    private readonly (string Path, int Label)[] files;

    /// <param name="name">The cache's name of the data set.</param>
    /// <param name="form">The form.</param>
    /// <param name="train">Which part.</param>
    /// <param name="options">T and split.</param>
    /// <param name="transform">What is done to the counts.</param>
    internal SampleFormRecordings(string name, SampleForm form, bool train, DataSetOptions options, EventTransform transform)
        : base(train, options.Steps, transform, options.Split)
    {
        (this.name, this.form) = (name, form);
        (Contents, files) = form.Part(train);
    }

    internal override string Name => $"{name}-{(Train ? "train" : "test")}";

    internal override PartContents Contents { get; }

    internal override int Count => files.Length;

    internal override IEnumerable<string> Files(int index) => [files[index].Path];

    internal override IReadOnlyList<int> Labels(int index) => [files[index].Label];

    internal override void CheckStart(int index) => FileErrors.RequireStart(files[index].Path, form.Start);

    internal override IEnumerable<EventSample> Decode(int index) => [form.Read(files[index].Path, files[index].Label)];
}
