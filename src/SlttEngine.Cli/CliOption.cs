namespace SlttEngine.Cli;

/// <summary>An option of a command. It is written -name value, -name=value or with two dashes; - and _ within the name are one.</summary>
/// <param name="Name">Without the dashes, with underscores.</param>
/// <param name="ValueName">What stands for its value in the help; null for a switch.</param>
/// <param name="Help">One line.</param>
/// <param name="Apply">Gets the value; the empty string for a switch.</param>
/// <param name="Idle">Read and checked, but without effect on this command.</param>
internal sealed record CliOption(string Name, string? ValueName, string Help, Action<string> Apply, bool Idle = false);
