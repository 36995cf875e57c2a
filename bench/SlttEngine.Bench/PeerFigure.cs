using System.Globalization;
using System.Security;

namespace SlttEngine.Bench;

/// <summary>Time, memory and accuracy beside the official programs and SpikingJelly, as bars: read from a page of bench/results.</summary>
internal static class PeerFigure
{
    private const int Width = 960;
    private const int PanelWidth = 300;
    private const int BarHeight = 22;
    private const int NameHeight = 18;

    // The page's rows, by how they begin.
    private const string Ours = "**ResNet-18, CIFAR-10, T = 6, batch 128: SlttEngine, SLTT**";
    private const string SpikingJelly = "SpikingJelly 2, Triton, BPTT, channels_last";
    private const string Official = "official SLTT";

    private static readonly string[] Names = ["SlttEngine", "SpikingJelly 2 (Triton, BPTT)", "official program"];

    /// <summary>Draws the page's ResNet-18.</summary>
    /// <param name="page">A Markdown file of bench/results with the tables of peers and of accuracy.</param>
    /// <exception cref="SlttException">It has no such row.</exception>
    internal static string Draw(string page)
    {
        string[] lines = File.ReadAllLines(page);
        string card = lines[0].TrimStart('#', ' ');
        string[] rows = [Ours, SpikingJelly, Official];
        (string Heading, string Unit, double?[] Values)[] panels =
        [
            ("Time of a training iteration", "ms", [.. rows.Select(row => Number(lines, row, 1))]),
            ("Peak device memory", "MB", [.. rows.Select(row => Number(lines, row, 4))]),
            ("Test accuracy after 4 epochs", "%",
                [Number(lines, "SlttEngine, seed 2022", 4), null, Number(lines, "official, seed 2022", 4)]),
        ];
        const int Height = 60 + (3 * (BarHeight + NameHeight + 8)) + 34;
        StringWriter svg = new(CultureInfo.InvariantCulture) { NewLine = "\n" };
        Figures.Begin(svg, Width, Height, "Time, memory and accuracy of SlttEngine beside SpikingJelly 2 and the official program");
        svg.WriteLine("<style>.ours{fill:#1668b8}.peer{fill:#9a9a9a}@media(prefers-color-scheme:dark){.ours{fill:#5aa9f0}}</style>");
        for (int i = 0; i < panels.Length; i++)
        {
            svg.WriteLine($"""<g transform="translate({i * (PanelWidth + 30)},0)">""");
            Panel(svg, panels[i].Heading, panels[i].Unit, panels[i].Values);
            svg.WriteLine("</g>");
        }

        svg.WriteLine(
            $"""<text class="quiet" x="0" y="{Height - 10}">Spiking ResNet-18, CIFAR-10, T = 6, batch 128, float16. {card}: """
                + $"bench/results/{Path.GetFileName(page)}</text>");
        svg.WriteLine("</svg>");
        return svg.ToString();
    }

    private static void Panel(StringWriter svg, string heading, string unit, double?[] values)
    {
        svg.WriteLine($"""<text class="head" x="0" y="20">{SecurityElement.Escape(heading)}</text>""");
        double largest = values.Max() ?? 1;
        for (int i = 0; i < values.Length; i++)
        {
            int top = 36 + (i * (BarHeight + NameHeight + 8));
            svg.WriteLine($"""<text x="0" y="{top + 12}">{Names[i]}</text>""");
            if (values[i] is not { } value)
            {
                svg.WriteLine($"""<text class="quiet" x="0" y="{top + NameHeight + 16}">not measured</text>""");
                continue;
            }

            double length = value / largest * (PanelWidth - 80);
            svg.WriteLine(
                $"""<rect class="{(i == 0 ? "ours" : "peer")}" x="0" y="{top + NameHeight}" width="{length:0.0}" height="{BarHeight}" """
                    + """rx="2"/>""");
            svg.WriteLine($"""<text x="{length + 6:0.0}" y="{top + NameHeight + 16}">{value:#,##0.#} {unit}</text>""");
        }
    }

    private static double Number(string[] lines, string row, int column)
    {
        string[] cells = lines.Select(line => line.Split('|', StringSplitOptions.TrimEntries)).FirstOrDefault(
            cells => cells.Length > column + 1 && cells[1] == row)
            ?? throw new SlttException(ErrorKind.Data, $"the page has no row '{row}'", "give a page like bench/results/2026-11-26-h200.md");
        const NumberStyles Styles = NumberStyles.Float | NumberStyles.AllowThousands;
        return double.TryParse(cells[column + 1], Styles, CultureInfo.InvariantCulture, out double x)
            ? x : throw new SlttException(ErrorKind.Data, $"row '{row}': '{cells[column + 1]}' is no number");
    }
}
