using System.Text;
using Spectre.Console;

namespace SlttEngine.Cli;

/// <summary>A terminal that may go away: what can't be written to it any more is dropped, and the run goes on to its end.</summary>
internal sealed class TerminalOutput : IAnsiConsoleOutput
{
    private readonly AnsiConsoleOutput terminal = new(System.Console.Out);

    /// <inheritdoc/>
    public TextWriter Writer { get; } = new StandardStream(System.Console.Out, lossy: true);

    /// <inheritdoc/>
    public bool IsTerminal => terminal.IsTerminal;

    /// <inheritdoc/>
    public int Width => terminal.Width;

    /// <inheritdoc/>
    public int Height => terminal.Height;

    /// <inheritdoc/>
    public void SetEncoding(Encoding encoding) => terminal.SetEncoding(encoding);
}
