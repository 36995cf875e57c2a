using System.Globalization;

namespace SlttEngine.Reports;

/// <summary>How often each layer fired, epoch by epoch.</summary>
internal static class FiringSection
{
    private const int MaxColumns = 200;
    private const double NearlyAll = 0.999;
    private const double Half = 0.5;

    private static readonly byte[] Blue = [46, 128, 196];
    private static readonly byte[] Orange = [213, 94, 0];
    private static readonly byte[] Purple = [170, 68, 153];

    /// <summary>Adds the section.</summary>
    /// <param name="page">Receives it.</param>
    /// <param name="record">The run.</param>
    internal static void Write(HtmlBuilder page, RunRecord record)
    {
        EpochRecord[] seen = [.. record.Epochs.Where(e => e.Layers.Count > 0)];
        page.Add($"<section id=\"firing\"><h2>Firing rate by layer</h2>");
        if (seen.Length == 0)
        {
            page.Add($"<p class=\"none\">No look at the network counted spikes so far.</p></section>");
            return;
        }

        string part = seen.Length < record.Epochs.Count ? Text($" ({seen.Length} of {record.Epochs.Count} were looked at)") : string.Empty;
        page.Add($"<p>A row is a layer, from input to output; its strip is the firing rate after each epoch{part}: spikes for each ");
        page.Add($"neuron and step, on a few test samples. Healthy layers keep their shade of blue. A <b>silent</b> neuron never fired ");
        page.Add($"and passes nothing on; a <b>saturated</b> one fired in every step and tells nothing either. \"Mostly\" is half of a ");
        page.Add($"layer or more.</p>");
        LayerFiring[] last = [.. seen[^1].Layers];
        double top = Math.Max(1e-6, seen.Max(e => e.Layers.Max(l => l.Rate)));
        PageFrame.BeginTable(
            page, "Firing rates", "firing",
            ["layer", Text($"epoch {seen[0].Epoch} to {seen[^1].Epoch}"), "#rate", "#silent", "#saturated", "remark"]);
        EpochRecord[] columns = Columns(seen);
        for (int i = 0; i < last.Length; i++)
        {
            LayerFiring layer = last[i];
            LayerFiring?[] cells = [.. columns.Select(e => At(e.Layers, i, layer.Name))];
            page.Add($"<tr><th scope=\"row\">{layer.Name}</th><td class=\"wide\"><img class=\"strip\" alt=\"firing rate from ");
            page.Add($"{Rate(cells[0]?.Rate)} to {Rate(layer.Rate)}\" src=\"{Strip(cells, top)}\"></td>");
            page.Add($"<td class=\"n\">{Rate(layer.Rate)}</td><td class=\"n\">{Figures.Percent(layer.Silent)}</td>");
            page.Add($"<td class=\"n\">{Figures.Percent(layer.Saturated)}</td><td>{Remark(layer)}</td></tr>");
        }

        PageFrame.EndTable(page);
        page.Add($"<p class=\"hint\"><span class=\"ramp\" aria-hidden=\"true\"></span> 0 to {Rate(top)} spikes for each neuron and step; ");
        page.Add($"<span class=\"chip silent\" aria-hidden=\"true\"></span> all neurons silent; ");
        page.Add($"<span class=\"chip saturated\" aria-hidden=\"true\"></span> all saturated. ");
        page.Add($"The numbers are of epoch {seen[^1].Epoch}.</p></section>");
    }

    /// <summary>The layers' mean rate by epoch; each layer counts the same, whatever its size.</summary>
    /// <param name="record">The run.</param>
    /// <param name="name">In the legend.</param>
    /// <param name="style">The curve's style.</param>
    internal static Curve Mean(RunRecord record, string name, int style) => new(
        name, [.. record.Epochs.Where(e => e.Layers.Count > 0).Select(e => (e.Epoch, e.Layers.Average(l => l.Rate)))], style);

    private static Markup Remark(LayerFiring layer)
    {
        string? word = layer.Silent >= NearlyAll ? "silent" : layer.Saturated >= NearlyAll ? "saturated"
            : layer.Silent >= Half ? "mostly silent" : layer.Saturated >= Half ? "mostly saturated" : null;
        return new Markup(word is null ? string.Empty : $"<strong class=\"mark\">▲ {word}</strong>");
    }

    private static string Rate(double? rate) => rate is { } r ? Figures.Number(r, r is > 0 and < 0.001 ? "0.0e-0" : "0.000") : "none";

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    private static EpochRecord[] Columns(EpochRecord[] seen) => seen.Length <= MaxColumns ? seen
        : [.. Enumerable.Range(0, MaxColumns).Select(i => seen[(int)(((long)i * (seen.Length - 1)) / (MaxColumns - 1))])];

    /// <summary>A layer in an epoch: at the same place, or by its name where a resumed run has other layers.</summary>
    private static LayerFiring? At(IReadOnlyList<LayerFiring> layers, int i, string name) =>
        i < layers.Count && layers[i].Name == name ? layers[i] : layers.FirstOrDefault(l => l.Name == name);

    private static string Strip(LayerFiring?[] epochs, double top)
    {
        byte[] rgba = new byte[epochs.Length * 4];
        for (int e = 0; e < epochs.Length; e++)
        {
            if (epochs[e] is not { } layer)
            {
                continue;
            }

            (byte[] color, double opacity) = layer.Silent >= NearlyAll ? (Orange, 1.0) : layer.Saturated >= NearlyAll ? (Purple, 1.0)
                : (Blue, Math.Clamp(layer.Rate / top, 0, 1));
            color.CopyTo(rgba.AsSpan(4 * e));
            rgba[(4 * e) + 3] = (byte)(255 * opacity);
        }

        return PictureUri.Of(rgba, epochs.Length, 1);
    }
}
