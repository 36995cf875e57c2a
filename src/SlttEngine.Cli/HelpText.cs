namespace SlttEngine.Cli;

/// <summary>Writes help so that it fits a terminal of 80 columns.</summary>
/// <param name="output">Where to.</param>
internal sealed class HelpText(TextWriter output)
{
    private const int Columns = 80;

    /// <summary>A paragraph.</summary>
    /// <param name="text">Its words.</param>
    internal void Paragraph(string text) => Wrap(string.Empty, text, 0);

    /// <summary>Two columns: names and descriptions.</summary>
    /// <param name="rows">One a name.</param>
    internal void Table(IReadOnlyList<(string Name, string Text)> rows)
    {
        int width = rows.Count == 0 ? 0 : rows.Max(r => r.Name.Length);
        foreach ((string name, string text) in rows)
        {
            Wrap($"  {name.PadRight(width)}  ", text, width + 4);
        }
    }

    /// <summary>An empty line.</summary>
    internal void Gap() => output.WriteLine();

    private void Wrap(string line, string text, int indent)
    {
        bool begun = false;
        foreach (string word in text.Split(' '))
        {
            if (begun && line.Length + 1 + word.Length > Columns)
            {
                output.WriteLine(line);
                (line, begun) = (new string(' ', indent), false);
            }

            line += begun ? " " + word : word;
            begun = true;
        }

        output.WriteLine(line);
    }
}
