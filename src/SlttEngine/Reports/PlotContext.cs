using System.Globalization;
using System.Text;
using OxyPlot;

namespace SlttEngine.Reports;

/// <summary>
/// Draws an OxyPlot model as SVG for a page: what OxyPlot's own export writes as colours are classes here, so that the page's style has
/// them for light and dark, and text stays text in the page's font.
/// </summary>
internal sealed class PlotContext : RenderContextBase
{
    private const double DigitWidth = 0.56;

    private readonly StringBuilder svg;
    private int clips;

    /// <summary>Writes marks.</summary>
    /// <param name="svg">Receives them.</param>
    internal PlotContext(StringBuilder svg) => this.svg = svg;

    /// <inheritdoc/>
    public override int ClipCount => clips;

    /// <summary>A colour that stands for a class of the style.</summary>
    /// <param name="kind">The class.</param>
    internal static OxyColor Color(PlotClass kind) => OxyColor.FromArgb(255, 0, 0, (byte)kind);

    /// <inheritdoc/>
    public override void DrawLine(
        IList<ScreenPoint> points, OxyColor stroke, double thickness, EdgeRenderingMode edgeRenderingMode, double[] dashArray,
        LineJoin lineJoin) => Path(points, Class(stroke), closed: false);

    /// <inheritdoc/>
    public override void DrawPolygon(
        IList<ScreenPoint> points, OxyColor fill, OxyColor stroke, double thickness, EdgeRenderingMode edgeRenderingMode,
        double[] dashArray, LineJoin lineJoin) => Path(points, Class(fill), closed: true);

    /// <inheritdoc/>
    public override void DrawEllipse(
        OxyRect extents, OxyColor fill, OxyColor stroke, double thickness, EdgeRenderingMode edgeRenderingMode)
    {
        svg.Append(CultureInfo.InvariantCulture, $"<circle class=\"{Class(fill)}\" cx=\"{extents.Center.X:0.#}\" ")
            .Append(CultureInfo.InvariantCulture, $"cy=\"{extents.Center.Y:0.#}\" r=\"{extents.Width / 2:0.#}\"/>");
    }

    /// <inheritdoc/>
    public override void DrawText(
        ScreenPoint p, string text, OxyColor fill, string fontFamily, double fontSize, double fontWeight, double rotation,
        HorizontalAlignment horizontalAlignment, VerticalAlignment verticalAlignment, OxySize? maxSize)
    {
        if (string.IsNullOrEmpty(text))
        {
            return;
        }

        string anchor = horizontalAlignment switch
        {
            HorizontalAlignment.Left => "start",
            HorizontalAlignment.Right => "end",
            _ => "middle",
        };
        double down = verticalAlignment switch
        {
            VerticalAlignment.Top => 0.8,
            VerticalAlignment.Bottom => -0.2,
            _ => 0.35,
        };
        svg.Append(CultureInfo.InvariantCulture, $"<text class=\"{Class(fill)}\" x=\"{p.X:0.#}\" y=\"{p.Y + (down * fontSize):0.#}\" ")
            .Append(CultureInfo.InvariantCulture, $"text-anchor=\"{anchor}\">{System.Net.WebUtility.HtmlEncode(text)}</text>");
    }

    /// <inheritdoc/>
    public override OxySize MeasureText(string text, string fontFamily, double fontSize, double fontWeight) =>
        string.IsNullOrEmpty(text) ? OxySize.Empty : new OxySize(text.Length * DigitWidth * fontSize, 1.15 * fontSize);

    /// <inheritdoc/>
    public override void PushClip(OxyRect clippingRectangle) => clips++; // Axes hold all points, so nothing is cut.

    /// <inheritdoc/>
    public override void PopClip() => clips--;

    private void Path(IList<ScreenPoint> points, string? kind, bool closed)
    {
        if (kind is null || points.Count < 2)
        {
            return;
        }

        svg.Append("<path class=\"").Append(kind).Append("\" d=\"M");
        for (int i = 0; i < points.Count; i++)
        {
            svg.Append(i == 0 ? string.Empty : i == 1 ? "L" : " ")
                .Append(CultureInfo.InvariantCulture, $"{points[i].X:0.#} {points[i].Y:0.#}");
        }

        svg.Append(closed ? "Z\"/>" : "\"/>");
    }

    /// <summary>The class that a colour stands for; null for none.</summary>
    private static string? Class(OxyColor color) => color.A == 0 || color.R != 0 || color.G != 0 || color.B == 0 ? null
        : (PlotClass)color.B switch
        {
            PlotClass.Text => "tx",
            PlotClass.Grid => "gr",
            PlotClass.Axis => "ax",
            PlotClass.Threshold => "vth",
            PlotClass.Below => "below",
            PlotClass.Above => "above",
            _ => string.Create(CultureInfo.InvariantCulture, $"s{color.B - (int)PlotClass.Series}"),
        };
}

/// <summary>Kinds of marks, which the style sheet gives colours.</summary>
internal enum PlotClass : byte
{
    /// <summary>Numbers at axes.</summary>
    Text = 1,

    /// <summary>Lines of the grid.</summary>
    Grid,

    /// <summary>Axes.</summary>
    Axis,

    /// <summary>v_th.</summary>
    Threshold,

    /// <summary>Potentials below v_th.</summary>
    Below,

    /// <summary>Potentials from v_th on.</summary>
    Above,

    /// <summary>The first series; the others follow.</summary>
    Series = 16,
}
