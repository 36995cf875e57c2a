using System.Globalization;
using SlttEngine.Cli.Options;
using SlttEngine.Data;
using SlttEngine.Graph;
using SlttEngine.Models;
using Spectre.Console;

namespace SlttEngine.Cli.Commands;

/// <summary>Lists the models with what they have and what a step of them costs.</summary>
internal sealed class ModelsCommand : Command
{
    private string? dataSet;
    private int? classes;
    private int widthDivisor = 1;
    private bool json;

    internal ModelsCommand()
    {
        // Choice and number as training reads them.
        CliOption Training(string name, string help, Action<TrainOptions> apply)
        {
            OptionDescriptor option = TrainOptionTable.Find(name)!;
            return new CliOption(name, option.ValueName, help, value => apply(option.Apply(new TrainOptions(), value).Validate()));
        }

        Options =
        [
            Training(
                "dataset", $"what they are built for: {string.Join(", ", TrainOptionTable.DataSetNames)} (default: each model's own)",
                o => dataSet = o.Dataset),
            new CliOption("classes", "N", "logits (default: the data set's classes)", value => classes = ParseClasses(value)),
            Training("width_divisor", "divides every inner channel count of the models (default 1)", o => widthDivisor = o.WidthDivisor),
            new CliOption("json", null, "the list as JSON", _ => json = true),
        ];
    }

    /// <inheritdoc/>
    internal override IReadOnlyList<CliOption> Options { get; }

    /// <inheritdoc/>
    internal override int Run(CliContext context, IReadOnlyList<string> positionals)
    {
        Listed[] models = [.. ModelCatalog.All.Select(Count)];
        if (json)
        {
            JsonOutput.Write(context, models);
            return 0;
        }

        // Without lines and in millions it fits 80 columns.
        Table table = new Table().Border(TableBorder.None).AddColumn("model").AddColumn("data set").AddColumn("input");
        foreach (string column in (ReadOnlySpan<string>)["classes", "params", "neurons", "MACs"])
        {
            table.AddColumn(new TableColumn(column).RightAligned());
        }

        foreach (Listed m in models)
        {
            table.AddRow(
                m.Model, m.Dataset, string.Join('×', m.Input), m.Classes.ToString(CultureInfo.InvariantCulture),
                Millions(m.Parameters, "0.00"), Millions(m.Neurons, "0.00"), Millions(m.MacsAStep, "0.0"));
        }

        context.Console.Write(table);
        context.WriteLine(
            "one sample, in millions (exact with --json): input is channels × height × width; MACs are the multiplications of all weights "
                + "in one time step, computed in full");
        foreach (ModelEntry entry in ModelCatalog.All)
        {
            context.WriteLine($"  {entry.Name,-20}{entry.Summary}");
        }

        return 0;
    }

    private Listed Count(ModelEntry entry)
    {
        TrainOptions options = new() { Model = entry.Name, Dataset = dataSet ?? entry.DataSet, WidthDivisor = widthDivisor };
        SampleFormat format = RunFactory.Format(options);
        FrameShape shape = format.Shape;
        Network network = RunFactory.Network(options, shape, classes ?? format.Classes);
        NetworkCost cost = new(network);
        return new Listed(
            entry.Name, entry.Summary, options.Dataset, [
                shape.Channels, shape.Height, shape.Width], network.Classes, network.ParameterCount, cost.Neurons, cost.MultiplyAdds);
    }

    private static string Millions(long value, string format) => (value / 1e6).ToString(format, CultureInfo.InvariantCulture);

    private static int ParseClasses(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int value) && value is > 0 and <= 1_000_000
            ? value
            : throw new SlttException(ErrorKind.Usage, $"-classes {text}: must be a whole number of at least 1");

    private sealed record Listed(
        string Model, string Summary, string Dataset, int[] Input, int Classes, long Parameters, long Neurons, long MacsAStep);
}
