using System.Globalization;
using SlttEngine.Cli.Options;
using SlttEngine.Data.Sets;

namespace SlttEngine.Cli.Commands;

/// <summary>Says what each data set needs, where it comes from, and what a folder holds of it. Downloads nothing.</summary>
internal sealed class DataCommand : Command
{
    private string? dataSet;
    private string? folder;
    private bool thorough;
    private bool json;

    internal DataCommand() => Options =
    [
        new CliOption("dataset", "DATASET", $"{string.Join(", ", TrainOptionTable.DataSetNames)} (default: all)", value => dataSet = value),
        new CliOption("data_dir", "DIR", "folder to look into (default ./data)", value => folder = value),
        new CliOption(
            "decode", null,
            "decode every file, which takes long for large sets; else lists, labels and the files' first bytes are looked at",
            _ => thorough = true),
        new CliOption("json", null, "the findings as JSON", _ => json = true),
    ];

    /// <inheritdoc/>
    internal override IReadOnlyList<CliOption> Options { get; }

    /// <inheritdoc/>
    internal override int Run(CliContext context, IReadOnlyList<string> positionals)
    {
        IReadOnlyList<NamedDataSet> asked = dataSet is null ? DataSets.All : [DataSets.Find(dataSet)];
        if (folder is not null && !Directory.Exists(folder))
        {
            throw new SlttException(ErrorKind.Data, $"{folder}: there is no such folder", "give the data set's folder with -data_dir");
        }

        string place = folder ?? new TrainOptions().DataDir;
        List<Found> found = [];
        foreach (NamedDataSet set in asked)
        {
            context.Stop.ThrowIfCancellationRequested();
            found.Add(new Found(set, place, set.Inspect(place, thorough)));
        }

        if (json)
        {
            JsonOutput.Write(
                context, found.Select(f => new { f.Set.Name, f.Set.Title, f.Set.Needs, f.Set.Source, f.DataDir, f.Usable, f.Parts }));
        }
        else
        {
            found.ForEach(f => Show(context, f));
        }

        // Asked for by name, it is expected to be there.
        return dataSet is null || found.All(f => f.Usable) ? 0 : (int)ErrorKind.Data;
    }

    private static void Show(CliContext context, Found found)
    {
        context.WriteLine($"{found.Set.Name}: {found.Set.Title}");
        context.WriteLine($"  needs  {found.Set.Needs}");
        context.WriteLine($"  from   {found.Set.Source}");

        // The same of both parts: the set is not there at all.
        if (found.Parts.Select(p => (p.Samples, p.FirstProblem)).Distinct().ToArray() is [(0, { } problem)])
        {
            context.WriteLine($"  found  {problem}");
            return;
        }

        foreach (string form in found.Parts.Select(p => p.Form).OfType<string>().Distinct())
        {
            context.WriteLine($"  form   {form}");
        }

        foreach (DataSetPart part in found.Parts)
        {
            string bad = part.FirstProblem is null ? string.Empty : part.BadFiles > 0 ? $"; {Number(part.BadFiles)} bad, the first: "
                : part.Files > 0 ? "; " : string.Empty;
            context.WriteLine($"  found  {part.Part}: {(part.Files > 0 ? Describe(part) : string.Empty)}{bad}{part.FirstProblem}");
            foreach (string line in part.Incomplete)
            {
                context.WriteLine($"         incomplete: {line}");
            }

            ShowClasses(context, part);
            if (part.NotRead is not null)
            {
                context.WriteLine($"         {part.NotRead}");
            }
        }
    }

    /// <summary>Expected against found, of each class where they differ.</summary>
    private static void ShowClasses(CliContext context, DataSetPart part)
    {
        const int Width = 100;
        if (part.ExpectedByClass is not { } expected)
        {
            return;
        }

        string line = "         by class:";
        foreach (string entry in part.ClassNames.Index().Where(c => part.SamplesByClass[c.Index] != expected[c.Index])
            .Select(c => $"{c.Item} {Number(part.SamplesByClass[c.Index])} of {Number(expected[c.Index])}"))
        {
            if (line.Length + entry.Length > Width)
            {
                context.WriteLine(line);
                line = "                  ";
            }

            line += $" {entry},";
        }

        if (line.EndsWith(','))
        {
            context.WriteLine(line.TrimEnd(','));
        }
    }

    private static string Describe(DataSetPart part)
    {
        int[] present = [.. part.SamplesByClass.Where(n => n > 0)];
        string spread = present.Length == 0 ? string.Empty
            : present.Min() == present.Max() ? $" ({Number(present.Min())} each)"
                : $" ({Number(present.Min())} to {Number(present.Max())} each)";
        return $"{Number(part.Samples)} samples, {Number(present.Length)} of {Number(part.SamplesByClass.Count)} classes{spread}, "
            + $"{Number(part.Files)} {(part.Files == 1 ? "file" : "files")}";
    }

    private static string Number(int value) => value.ToString("#,##0", CultureInfo.InvariantCulture);

    private sealed record Found(NamedDataSet Set, string DataDir, IReadOnlyList<DataSetPart> Parts)
    {
        public bool Usable => Parts.All(p => p.FirstProblem is null && p.Incomplete.Count == 0 && p.Samples > 0);
    }
}
