namespace SlttEngine.Cli.Options;

/// <summary>One option of a run: the same entry serves the command line, the help and args.txt.</summary>
/// <param name="Name">As the official programs spell it, without the dash: data_dir.</param>
/// <param name="ValueName">What stands for its value in the help; null for a switch.</param>
/// <param name="Help">One line.</param>
/// <param name="Apply">Reads a value into the options; throws a usage <see cref="SlttException"/> for a value it can't be. A switch gets
/// True or False.</param>
/// <param name="Text">The value as Python's repr() writes it: args.txt.</param>
/// <param name="Choices">The only values it can have, or null.</param>
public sealed record OptionDescriptor(
    string Name,
    string? ValueName,
    string Help,
    Func<TrainOptions, string, TrainOptions> Apply,
    Func<TrainOptions, string> Text,
    IReadOnlyList<string>? Choices = null)
{
    /// <summary>True for an option that takes no value.</summary>
    public bool IsSwitch => ValueName is null;
}
