using System.Globalization;
using System.Text;
using System.Text.Json;
using OxyPlot;
using OxyPlot.Axes;
using OxyPlot.Series;

namespace SlttEngine.Reports;

/// <summary>A line of a plot.</summary>
/// <param name="Name">In the legend.</param>
/// <param name="Points">By epoch; NaN where there is none.</param>
/// <param name="Style">Which of the style sheet's series it is.</param>
internal sealed record Curve(string Name, IReadOnlyList<(int Epoch, double Value)> Points, int Style);

/// <summary>A plot of curves over epochs.</summary>
/// <param name="Title">What is drawn.</param>
/// <param name="Curves">The lines.</param>
internal sealed record CurvePlot(string Title, IReadOnlyList<Curve> Curves)
{
    private const int Width = 360;
    private const int Height = 190;
    private const int MaxPoints = 200;
    private const int MarkedPoints = 40;

    /// <summary>The unit behind values.</summary>
    public string Unit { get; init; } = string.Empty;

    /// <summary>True: the axis begins at 0.</summary>
    public bool FromZero { get; init; }

    /// <summary>What a reader is to see in it; a sentence under the title.</summary>
    public string? Hint { get; init; }

    /// <summary>Adds the plot with its legend; the script of the page shows values under the pointer.</summary>
    /// <param name="page">Receives it.</param>
    internal void Write(HtmlBuilder page)
    {
        Curve[] thin = [.. Thinned().Select(c => c with { Points = [.. c.Points.Where(p => double.IsFinite(p.Value))] })];
        page.Add($"<figure class=\"plot\"><figcaption><b>{Title}</b>");
        if (Curves.Count > 1)
        {
            foreach (Curve curve in Curves)
            {
                page.Add($" <span class=\"key\">{PageFrame.Line(curve.Style)}{curve.Name}</span>");
            }
        }

        page.Add($"</figcaption>");
        if (thin.All(c => c.Points.Count == 0))
        {
            page.Add($"<p class=\"none\">No finite number so far.</p></figure>");
            return;
        }

        PlotModel model = Model(thin);
        StringBuilder marks = new();
        ((IPlotModel)model).Update(true);
        ((IPlotModel)model).Render(new PlotContext(marks), new OxyRect(0, 0, Width, Height));
        page.Add($"<svg class=\"curves\" viewBox=\"0 0 {Width} {Height}\" role=\"img\" tabindex=\"0\" aria-label=\"{Summary()}\" ");
        page.Add($"data-plot=\"{Data(model, thin)}\">{new Markup(marks.ToString())}</svg>");
        page.Add($"<p class=\"read\" aria-live=\"off\">{Readout()}</p>");
        if (Hint is not null)
        {
            page.Add($"<p class=\"hint\">{Hint}</p>");
        }

        page.Add($"</figure>");
    }

    /// <summary>A model with the page's axes: no frame, a grid of thin lines, numbers in the page's font.</summary>
    /// <param name="fontSize">Of the numbers.</param>
    /// <param name="bottom">The axis of x.</param>
    /// <param name="left">The axis of y.</param>
    internal static PlotModel Styled(double fontSize, LinearAxis bottom, LinearAxis left)
    {
        OxyColor text = PlotContext.Color(PlotClass.Text), axis = PlotContext.Color(PlotClass.Axis);
        foreach (LinearAxis each in (ReadOnlySpan<LinearAxis>)[bottom, left])
        {
            (each.TextColor, each.TicklineColor, each.AxislineColor) = (text, axis, axis);
            (each.TickStyle, each.MajorTickSize, each.MinorTickSize, each.FontSize) = (TickStyle.None, 2, 0, fontSize);
        }

        (bottom.Position, left.Position, bottom.AxislineStyle) = (AxisPosition.Bottom, AxisPosition.Left, LineStyle.Solid);
        PlotModel model = new()
        {
            DefaultFontSize = fontSize,
            PlotAreaBorderThickness = new OxyThickness(0),
            Padding = new OxyThickness(0, 6, 8, 0),
            TextColor = text,
        };
        model.Axes.Add(bottom);
        model.Axes.Add(left);
        return model;
    }

    private PlotModel Model(Curve[] curves)
    {
        int first = curves.Where(c => c.Points.Count > 0).Min(c => c.Points[0].Epoch);
        int last = curves.Where(c => c.Points.Count > 0).Max(c => c.Points[^1].Epoch);
        LinearAxis bottom = new()
        {
            Minimum = first == last ? first - 0.5 : first,
            Maximum = first == last ? last + 0.5 : last,
            MinimumMajorStep = 1,
            IntervalLength = 55,
        };
        LinearAxis left = new()
        {
            MajorGridlineStyle = LineStyle.Solid,
            MajorGridlineColor = PlotContext.Color(PlotClass.Grid),
            IntervalLength = 42,
            MinimumPadding = FromZero ? 0 : 0.05,
            MaximumPadding = 0.08,
            LabelFormatter = v => Math.Abs(v) >= 10_000 ? Figures.Count(v) : v.ToString("0.#####", CultureInfo.InvariantCulture),
        };
        if (FromZero)
        {
            left.Minimum = 0;
            left.MinimumRange = 1e-12;
        }

        PlotModel model = Styled(11, bottom, left);
        foreach (Curve curve in curves)
        {
            LineSeries line = new() { Color = PlotContext.Color(PlotClass.Series + (byte)curve.Style) };
            if (curve.Points.Count <= MarkedPoints)
            {
                (line.MarkerType, line.MarkerSize, line.MarkerFill) = (MarkerType.Circle, 2.2, line.Color);
            }

            line.Points.AddRange(curve.Points.Select(p => new DataPoint(p.Epoch, p.Value)));
            model.Series.Add(line);
        }

        return model;
    }

    /// <summary>At most so many points a curve; the smallest and the largest value are among them.</summary>
    private IEnumerable<Curve> Thinned()
    {
        foreach (Curve curve in Curves)
        {
            int count = curve.Points.Count;
            if (count <= MaxPoints)
            {
                yield return curve;
                continue;
            }

            double[] values = [.. curve.Points.Select(p => double.IsFinite(p.Value) ? p.Value : 0)];
            SortedSet<int> kept = [.. Enumerable.Range(0, MaxPoints - 3).Select(i => (int)((long)i * count / (MaxPoints - 3)))];
            kept.UnionWith([count - 1, Array.IndexOf(values, values.Min()), Array.IndexOf(values, values.Max())]);
            yield return curve with { Points = [.. kept.Select(i => curve.Points[i])] };
        }
    }

    /// <summary>What the script needs: the plot area, the range of epochs, and the values.</summary>
    private string Data(PlotModel model, Curve[] curves)
    {
        using MemoryStream stream = new();
        using (Utf8JsonWriter json = new(stream))
        {
            json.WriteStartObject();
            json.WriteStartArray("area");
            foreach (double edge in (ReadOnlySpan<double>)[
                model.PlotArea.Left, model.PlotArea.Right, model.PlotArea.Top, model.PlotArea.Bottom, model.Axes[0].ActualMinimum,
                model.Axes[0].ActualMaximum])
            {
                json.WriteNumberValue(Math.Round(edge, 1));
            }

            json.WriteEndArray();
            json.WriteString("unit", Unit);
            json.WriteStartArray("curves");
            foreach (Curve curve in curves)
            {
                json.WriteStartObject();
                json.WriteString("name", curve.Name);
                json.WriteStartArray("x");
                foreach ((int epoch, _) in curve.Points)
                {
                    json.WriteNumberValue(epoch);
                }

                json.WriteEndArray();
                json.WriteStartArray("y");
                foreach ((_, double value) in curve.Points)
                {
                    json.WriteStringValue(Figures.Short(value));
                }

                json.WriteEndArray();
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(stream.ToArray());
    }

    /// <summary>The last epoch's values; of curves that end in different epochs, each one's last.</summary>
    private string Readout()
    {
        Curve[] curves = [.. Curves.Where(c => c.Points.Count > 0)];
        int last = curves.Max(c => c.Points[^1].Epoch);
        string when = curves.All(c => c.Points[^1].Epoch == last) ? string.Create(CultureInfo.InvariantCulture, $"epoch {last}") : "last";
        IEnumerable<string> values = curves.Select(
            c => $"{(Curves.Count > 1 ? c.Name + " " : string.Empty)}{Figures.Short(c.Points[^1].Value)}{Unit}");
        return $"{when}: {string.Join(", ", values)}";
    }

    /// <summary>The plot in words, for those who don't see it.</summary>
    private string Summary()
    {
        IEnumerable<string> lines = Curves.Where(c => c.Points.Count > 0).Select(c =>
            $"{(Curves.Count > 1 ? c.Name + " " : string.Empty)}from {Figures.Short(c.Points[0].Value)}{Unit} to "
                + $"{Figures.Short(c.Points[^1].Value)}{Unit}, lowest {Figures.Short(c.Points.Min(p => p.Value))}, highest "
                + $"{Figures.Short(c.Points.Max(p => p.Value))}");
        return $"{Title} by epoch: {string.Join("; ", lines)}";
    }
}
