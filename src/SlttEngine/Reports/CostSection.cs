namespace SlttEngine.Reports;

/// <summary>What an image costs in operations, with an estimate of energy whose constants are on the page.</summary>
internal static class CostSection
{
    /// <summary>An addition of 32-bit floats, pJ: Horowitz, ISSCC 2014, 45 nm.</summary>
    private const double AddPicojoules = 0.9;

    /// <summary>A multiplication (3.7 pJ) and an addition.</summary>
    private const double MultiplyAddPicojoules = 4.6;

    /// <summary>Adds the section.</summary>
    /// <param name="page">Receives it.</param>
    /// <param name="begin">The run.</param>
    /// <param name="seen">What was seen of the network.</param>
    internal static void Write(HtmlBuilder page, RunBegin begin, RunInspection seen)
    {
        double additions = seen.Layers.Sum(l => l.SynapticOperations);
        double dense = seen.Layers.Sum(l => l.MultiplyAdds);
        double remaining = seen.Layers.Where(l => l.Neurons == 0).Sum(l => l.MultiplyAdds);
        if (dense <= 0)
        {
            return;
        }

        page.Add($"<section id=\"cost\"><h2>Synaptic operations</h2><p>A spike meets weights, and each of them is added once: a synaptic ");
        page.Add($"operation. A network of the same shape without spikes multiplies and adds every weight. Means of {seen.Samples} test ");
        page.Add($"samples, for an image and all {begin.Steps} time steps. Layers that read real numbers multiply here too.</p>");
        PageFrame.BeginTable(
            page, "Synaptic operations", string.Empty,
            ["layer", "#neurons", "#spikes", "#synaptic operations", "#multiply-adds in full", "#share"]);
        foreach (LayerInspection layer in seen.Layers)
        {
            bool weights = layer.Neurons == 0;
            string share = weights || layer.MultiplyAdds <= 0 ? "–" : Figures.Percent(layer.SynapticOperations / layer.MultiplyAdds);
            page.Add($"<tr><th scope=\"row\">{layer.Name}</th>");
            page.Add($"<td class=\"n\">{(weights ? "real numbers" : Figures.Count(layer.Neurons))}</td>");
            page.Add($"<td class=\"n\">{(weights ? "–" : Figures.Count(layer.SpikesPerImage))}</td>");
            page.Add($"<td class=\"n\">{(weights ? "–" : Figures.Count(layer.SynapticOperations))}</td>");
            page.Add($"<td class=\"n\">{Figures.Count(layer.MultiplyAdds)}</td><td class=\"n\">{share}</td></tr>");
        }

        page.Add($"</tbody><tfoot><tr><th scope=\"row\">all</th><td class=\"n\">{Figures.Count(seen.Layers.Sum(l => l.Neurons))}</td>");
        page.Add($"<td class=\"n\">{Figures.Count(seen.Layers.Sum(l => l.SpikesPerImage))}</td>");
        page.Add($"<td class=\"n\">{Figures.Count(additions)}</td>");
        page.Add($"<td class=\"n\">{Figures.Count(dense)}</td><td class=\"n\"></td></tr></tfoot></table></div>");
        page.Add($"<p>An image costs {Figures.Count(additions)} additions and {Figures.Count(remaining)} multiply-adds here, and ");
        page.Add($"{Figures.Count(dense)} multiply-adds in full.</p>");
        string spiking = Picojoules((additions * AddPicojoules) + (remaining * MultiplyAddPicojoules));
        page.Add($"<p><b>Energy of these operations</b>, estimated: {spiking} ");
        page.Add($"an image, instead of {Picojoules(dense * MultiplyAddPicojoules)} in full; an ordinary network of one step needs about ");
        page.Add($"1/{begin.Steps} of the latter. An addition counts {AddPicojoules:0.0} pJ and a multiply-add ");
        page.Add($"{MultiplyAddPicojoules:0.0} pJ: ");
        page.Add($"32-bit floats at 45 nm (M. Horowitz, “Computing’s energy problem”, ISSCC 2014). Memory, neurons' updates and ");
        page.Add($"the chip around them are not counted, so this is no measurement.</p></section>");
    }

    private static string Picojoules(double energy) => energy switch
    {
        >= 1e9 => Figures.Number(energy / 1e9, "0.00") + " mJ",
        >= 1e6 => Figures.Number(energy / 1e6, "0.00") + " µJ",
        >= 1e3 => Figures.Number(energy / 1e3, "0.00") + " nJ",
        _ => Figures.Number(energy, "0") + " pJ",
    };
}
