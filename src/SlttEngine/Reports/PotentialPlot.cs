using System.Globalization;
using System.Text;
using OxyPlot;
using OxyPlot.Axes;
using OxyPlot.Series;

namespace SlttEngine.Reports;

/// <summary>The histogram of a layer's membrane potentials, with v_th drawn in.</summary>
internal static class PotentialPlot
{
    private const int Width = 180;
    private const int Height = 84;

    /// <summary>Adds it with its caption.</summary>
    /// <param name="page">Receives it.</param>
    /// <param name="layer">The layer; one of neurons.</param>
    internal static void Write(HtmlBuilder page, LayerInspection layer)
    {
        double all = Math.Max(1, layer.Counts.Sum());
        double above = Enumerable.Range(0, layer.Counts.Count).Sum(i => layer.Counts[i] * ShareAbove(layer, i)) / all;
        StringBuilder marks = new();
        IPlotModel model = Model(layer, all);
        model.Update(true);
        model.Render(new PlotContext(marks), new OxyRect(0, 0, Width, Height));
        string words = $"about {Figures.Percent(above)} at v_th or above";
        page.Add($"<figure class=\"small\"><figcaption><b>{layer.Name}</b></figcaption>");
        page.Add($"<svg viewBox=\"0 0 {Width} {Height}\" role=\"img\" ");
        page.Add($"aria-label=\"Membrane potentials of {layer.Name} from {Figures.Short(layer.From)} to {Figures.Short(layer.To)}, ");
        page.Add($"v_th {Figures.Short(layer.Threshold)}: {words}\">{new Markup(marks.ToString())}</svg>");
        page.Add($"<p class=\"read\">{words}</p></figure>");
    }

    private static PlotModel Model(LayerInspection layer, double all)
    {
        double width = (layer.To - layer.From) / Math.Max(1, layer.Counts.Count);
        double top = Math.Max(1e-9, layer.Counts.Count == 0 ? 0 : layer.Counts.Max() / all);
        double left = Math.Min(layer.From, layer.Threshold), right = Math.Max(layer.To, layer.Threshold);
        LinearAxis x = new()
        {
            Minimum = left,
            Maximum = right > left ? right : left + 1,
            IntervalLength = 40,
            LabelFormatter = v => v.ToString("0.###", CultureInfo.InvariantCulture),
        };
        LinearAxis y = new() { Minimum = 0, Maximum = top * 1.08, IsAxisVisible = false };
        PlotModel model = CurvePlot.Styled(10, x, y);
        Add(PlotClass.Below, i => ShareAbove(layer, i) < 0.5);
        Add(PlotClass.Above, i => ShareAbove(layer, i) >= 0.5);
        LineSeries threshold = new() { Color = PlotContext.Color(PlotClass.Threshold) };
        threshold.Points.Add(new DataPoint(layer.Threshold, 0));
        threshold.Points.Add(new DataPoint(layer.Threshold, top * 1.08));
        model.Series.Add(threshold);
        return model;

        // One outline for all bins of a side.
        void Add(PlotClass kind, Func<int, bool> includes)
        {
            int[] bins = [.. Enumerable.Range(0, layer.Counts.Count).Where(includes)];
            if (bins.Length == 0)
            {
                return;
            }

            AreaSeries area = new() { Color = OxyColors.Transparent, Fill = PlotContext.Color(kind) };
            foreach (int i in bins)
            {
                double share = layer.Counts[i] / all, from = layer.From + (i * width);
                area.Points.Add(new DataPoint(from, share));
                area.Points.Add(new DataPoint(from + width, share));
            }

            area.Points2.Add(new DataPoint(layer.From + (bins[0] * width), 0));
            area.Points2.Add(new DataPoint(layer.From + ((bins[^1] + 1) * width), 0));
            model.Series.Add(area);
        }
    }

    /// <summary>How much of a bin lies at v_th or above.</summary>
    private static double ShareAbove(LayerInspection layer, int bin)
    {
        double width = (layer.To - layer.From) / layer.Counts.Count;
        double from = layer.From + (bin * width);
        return width <= 0 ? (layer.From >= layer.Threshold ? 1 : 0) : Math.Clamp((from + width - layer.Threshold) / width, 0, 1);
    }
}
