using System.Globalization;
using System.Security;

namespace SlttEngine.Bench;

/// <summary>Line plots side by side, as an SVG file; axes start at 0.</summary>
internal static class SvgPlot
{
    private const int PanelWidth = 420;
    private const int PanelHeight = 300;
    private const int Left = 64;
    private const int Top = 56;
    private const int Bottom = 48;

    private static readonly string[] Colours = ["#1668b8", "#c8551b", "#2f8f4e", "#8a4fb0", "#7a6a00"];

    /// <summary>A named line.</summary>
    internal sealed record Series(string Name, IReadOnlyList<(double X, double Y)> Points);

    /// <summary>Draws the panels.</summary>
    /// <param name="title">Above all.</param>
    /// <param name="xLabel">Below each.</param>
    /// <param name="panels">Heading and lines of each.</param>
    public static string Render(string title, string xLabel, IReadOnlyList<(string Heading, List<Series> Lines)> panels)
    {
        int width = panels.Count * (PanelWidth + Left + 16);
        const int Height = Top + PanelHeight + Bottom;
        StringWriter svg = new(CultureInfo.InvariantCulture) { NewLine = "\n" };
        svg.WriteLine(
            $"""<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{Height}" font-family="sans-serif" font-size="12">""");
        svg.WriteLine($"""<rect width="{width}" height="{Height}" fill="#ffffff"/>""");
        svg.WriteLine($"""<text x="{width / 2}" y="20" text-anchor="middle" font-size="14">{SecurityElement.Escape(title)}</text>""");
        for (int i = 0; i < panels.Count; i++)
        {
            svg.WriteLine($"""<g transform="translate({(i * (PanelWidth + Left + 16)) + Left},{Top})">""");
            Panel(svg, panels[i].Heading, xLabel, panels[i].Lines);
            svg.WriteLine("</g>");
        }

        svg.WriteLine("</svg>");
        return svg.ToString();
    }

    private static void Panel(StringWriter svg, string heading, string xLabel, List<Series> lines)
    {
        double xMax = NiceMaximum(lines.SelectMany(l => l.Points).Max(p => p.X));
        double yMax = NiceMaximum(lines.SelectMany(l => l.Points).Max(p => p.Y));
        string X(double x) => (x / xMax * PanelWidth).ToString("F1", CultureInfo.InvariantCulture);
        string Y(double y) => ((1 - (y / yMax)) * PanelHeight).ToString("F1", CultureInfo.InvariantCulture);

        svg.WriteLine($"""<text x="0" y="-12">{SecurityElement.Escape(heading)}</text>""");
        for (int tick = 0; tick <= 4; tick++)
        {
            double x = xMax * tick / 4, y = yMax * tick / 4;
            svg.WriteLine($"""<line x1="0" x2="{PanelWidth}" y1="{Y(y)}" y2="{Y(y)}" stroke="#dddddd"/>""");
            svg.WriteLine($"""<text x="-6" y="{Y(y)}" dy="4" text-anchor="end">{Label(y)}</text>""");
            svg.WriteLine($"""<text x="{X(x)}" y="{PanelHeight + 16}" text-anchor="middle">{Label(x)}</text>""");
        }

        svg.WriteLine(
            $"""<text x="{PanelWidth / 2}" y="{PanelHeight + 36}" text-anchor="middle">{SecurityElement.Escape(xLabel)}</text>""");
        for (int i = 0; i < lines.Count; i++)
        {
            string colour = Colours[i % Colours.Length];
            string path = string.Join(' ', lines[i].Points.Select(p => $"{X(p.X)},{Y(p.Y)}"));
            svg.WriteLine($"""<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>""");
            foreach ((double x, double y) in lines[i].Points)
            {
                svg.WriteLine($"""<circle cx="{X(x)}" cy="{Y(y)}" r="3" fill="{colour}"/>""");
            }

            svg.WriteLine($"""<text x="8" y="{16 + (16 * i)}" fill="{colour}">{SecurityElement.Escape(lines[i].Name)}</text>""");
        }
    }

    private static string Label(double value) => value.ToString("G4", CultureInfo.InvariantCulture);

    /// <summary>The next 1, 1.2, 1.6, 2, 2.4, 3.2, 4, 4.8, 6, 8 × 10ⁿ: a quarter of it reads well.</summary>
    private static double NiceMaximum(double value)
    {
        if (value <= 0)
        {
            return 1;
        }

        double power = Math.Pow(10, Math.Floor(Math.Log10(value)));
        return new[] { 1, 1.2, 1.6, 2, 2.4, 3.2, 4, 4.8, 6, 8, 10 }.First(m => m * power >= value * 0.9999) * power;
    }
}
