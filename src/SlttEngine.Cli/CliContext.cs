using Spectre.Console;

namespace SlttEngine.Cli;

/// <summary>What a command gets from the process it runs in; tests give their own.</summary>
/// <param name="Output">Standard output, for results.</param>
/// <param name="Console">The same output for tables and the live bar.</param>
/// <param name="Error">Standard error.</param>
/// <param name="Time">The clock.</param>
/// <param name="Stop">Asks a run to end after its step, with everything saved.</param>
internal sealed record CliContext(TextWriter Output, IAnsiConsole Console, TextWriter Error, TimeProvider Time, CancellationToken Stop)
{
    /// <summary>What sltt was called with.</summary>
    internal IReadOnlyList<string> Arguments { get; init; } = [];

    /// <summary>A context for a writer that is no terminal: plain text, lines as long as they come.</summary>
    /// <param name="output">Where results go.</param>
    /// <param name="error">Where errors go.</param>
    /// <param name="stop">Asks a run to end.</param>
    internal static CliContext Plain(TextWriter output, TextWriter error, CancellationToken stop) =>
        new(output, CreateConsole(output), error, TimeProvider.System, stop);

    /// <summary>A context for the process's own output.</summary>
    /// <param name="stop">Asks a run to end.</param>
    internal static CliContext ForProcess(CancellationToken stop)
    {
        TextWriter error = new StandardStream(System.Console.Error, lossy: true);
        return System.Console.IsOutputRedirected
            ? Plain(new StandardStream(System.Console.Out, lossy: false), error, stop)
            : new(
                new StandardStream(System.Console.Out, lossy: true),
                AnsiConsole.Create(new AnsiConsoleSettings { Out = new TerminalOutput() }), error, TimeProvider.System, stop);
    }

    /// <summary>A line to standard output, above the live bar if there is one.</summary>
    /// <param name="line">The text, shown as it is.</param>
    internal void WriteLine(string line)
    {
        if (Console.Profile.Capabilities.Interactive)
        {
            Console.Write(new Text(line + "\n"));
        }
        else
        {
            Output.WriteLine(line);
        }
    }

    private static IAnsiConsole CreateConsole(TextWriter output)
    {
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new AnsiConsoleOutput(output),
            Ansi = AnsiSupport.No,
            ColorSystem = ColorSystemSupport.NoColors,
            Interactive = InteractionSupport.No,
        });
        console.Profile.Width = 160;
        return console;
    }
}
