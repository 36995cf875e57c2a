namespace SlttEngine.Cli;

/// <summary>One of the things that sltt does. A new one is made for each call: its options write into it.</summary>
internal abstract class Command
{
    /// <summary>Name of the positional arguments in the help; null if there are none.</summary>
    internal virtual string? Positionals => null;

    /// <summary>The options, besides --help and --verbose.</summary>
    internal abstract IReadOnlyList<CliOption> Options { get; }

    /// <summary>Does it.</summary>
    /// <param name="context">Where it writes, and how it is stopped.</param>
    /// <param name="positionals">What is not an option.</param>
    /// <returns>The exit code.</returns>
    internal abstract int Run(CliContext context, IReadOnlyList<string> positionals);
}
