using System.Globalization;

namespace SlttEngine.Reports;

/// <summary>Wrong answers with their pictures, and a sample with the spikes that it causes.</summary>
internal static class PictureSections
{
    private const int MaxMistakes = 24;
    private const int MaxSteps = 20;
    private const int MaxChannels = 16;

    private static readonly byte[] Spike = [46, 128, 196, 255];

    /// <summary>Adds the worst mistakes.</summary>
    /// <param name="page">Receives them.</param>
    /// <param name="names">The classes.</param>
    /// <param name="seen">What was seen of the network.</param>
    internal static void Mistakes(HtmlBuilder page, IReadOnlyList<string> names, RunInspection seen)
    {
        page.Add($"<section id=\"mistakes\"><h2>Worst mistakes</h2>");
        if (seen.Mistakes.Count == 0)
        {
            page.Add($"<p class=\"none\">No test sample was answered wrongly after epoch {seen.Epoch}.</p></section>");
            return;
        }

        page.Add($"<p>The wrong answers that the network was surest of, after epoch {seen.Epoch}. The probability is the softmax of the ");
        page.Add($"answer's mean logit. Look for labels that are wrong themselves, and for classes that share a background.");
        if (seen.Mistakes.All(m => m.Picture is null))
        {
            page.Add($" This run keeps no pictures (--no-images).");
        }

        page.Add($"</p><ul class=\"cards\">");
        foreach (Mistake mistake in seen.Mistakes.Take(MaxMistakes))
        {
            string label = Name(names, mistake.Label), answer = Name(names, mistake.Answer);
            page.Add($"<li>");
            if (mistake.Picture is { } picture)
            {
                Image(page, picture, $"test sample {mistake.Sample}: {label}, answered {answer}");
            }

            page.Add($"<span>is <b>{label}</b></span><span>answered <b>{answer}</b></span>");
            page.Add($"<span>{Figures.Percent(mistake.Probability)} sure</span>");
            page.Add($"<span class=\"hint\">test sample {mistake.Sample}</span></li>");
        }

        page.Add($"</ul></section>");
    }

    /// <summary>Adds a sample's frames with the spikes of some layers.</summary>
    /// <param name="page">Receives them.</param>
    /// <param name="names">The classes.</param>
    /// <param name="seen">What was seen of the network.</param>
    internal static void Spikes(HtmlBuilder page, IReadOnlyList<string> names, RunInspection seen)
    {
        page.Add($"<section id=\"spikes\"><h2>From input to spikes</h2>");
        if (seen.Sample is not { } sample)
        {
            page.Add($"<p class=\"none\">This run keeps no pictures (--no-images).</p></section>");
            return;
        }

        int steps = sample.Layers.Count == 0 ? sample.Frames.Count : sample.Layers.Max(l => l.Steps.Count);
        int shown = Math.Min(MaxSteps, steps);
        string right = sample.Answer == sample.Label ? "answered so" : $"answered {Name(names, sample.Answer)}";
        page.Add($"<p>Test sample {sample.Sample} after epoch {seen.Epoch}: <b>{Name(names, sample.Label)}</b>, {right}. A column is ");
        page.Add($"a time step. Under the input are the spikes of some layers in that step: a tile is a channel, a blue pixel is a ");
        page.Add($"neuron that fires.");
        if (sample.Frames.Count == 1)
        {
            page.Add($" The picture is the same in each step: what changes is the potentials.");
        }

        page.Add($"{(shown < steps ? $" The first {shown} of {steps} steps are shown." : string.Empty)}</p>");
        PageFrame.BeginTable(
            page, "Spikes by step", "steps",
            [string.Empty, .. Enumerable.Range(1, shown).Select(t => string.Create(CultureInfo.InvariantCulture, $"step {t}"))]);
        page.Add($"<tr><th scope=\"row\">input</th>");
        for (int t = 0; t < Math.Min(shown, sample.Frames.Count); t++)
        {
            page.Add($"<td>");
            Image(page, sample.Frames[t], sample.Frames.Count == 1 ? "input" : $"input of step {t + 1}");
            page.Add($"</td>");
        }

        if (sample.Frames.Count == 1 && shown > 1)
        {
            page.Add($"<td class=\"same\" colspan=\"{shown - 1}\">the same picture in every step</td>");
        }

        page.Add($"</tr>");
        foreach (LayerSpikes layer in sample.Layers)
        {
            page.Add($"<tr><th scope=\"row\">{layer.Name}<span class=\"hint\">{Size(layer)}</span></th>");
            foreach (bool[] step in layer.Steps.Take(shown))
            {
                int spikes = step.Count(s => s);
                (string uri, int width, int height) = Tiles(layer, step);
                page.Add($"<td><img class=\"pixels spikes\" width=\"{width}\" height=\"{height}\" ");
                page.Add($"alt=\"{spikes} spikes of {layer.Name}\" src=\"{uri}\"><span class=\"hint\">{spikes}</span></td>");
            }

            page.Add($"</tr>");
        }

        PageFrame.EndTable(page);
        page.Add($"</section>");
    }

    private static string Size(LayerSpikes layer)
    {
        int shown = Math.Min(MaxChannels, layer.Channels);
        string channels = layer.Channels == 1 ? "1 channel" : shown < layer.Channels ? $"first {shown} channels" : $"{shown} channels";
        return layer.Height * layer.Width == 1 ? $"{layer.Channels} neurons" : $"{channels} of {layer.Height} × {layer.Width}";
    }

    /// <summary>The channels side by side, a pixel apart; neurons without a place fill a square.</summary>
    private static (string Uri, int Width, int Height) Tiles(LayerSpikes layer, bool[] spikes)
    {
        bool flat = layer.Height * layer.Width == 1;
        int channels = flat ? layer.Channels : Math.Min(MaxChannels, layer.Channels);
        int gap = flat ? 0 : 1;
        int columns = (int)Math.Ceiling(Math.Sqrt(channels));
        int rows = (channels + columns - 1) / columns;
        int width = (columns * (layer.Width + gap)) - gap, height = (rows * (layer.Height + gap)) - gap;
        byte[] rgba = new byte[width * height * 4];
        for (int row = 0; gap > 0 && row < height; row++)
        {
            for (int column = 0; column < width; column++)
            {
                if ((row + 1) % (layer.Height + gap) == 0 || (column + 1) % (layer.Width + gap) == 0)
                {
                    ((ReadOnlySpan<byte>)[128, 128, 128, 110]).CopyTo(rgba.AsSpan(4 * ((row * width) + column)));
                }
            }
        }

        int area = layer.Height * layer.Width;
        for (int i = 0; i < Math.Min(spikes.Length, channels * area); i++)
        {
            if (spikes[i])
            {
                (int channel, int place) = (i / area, i % area);
                int y = (channel / columns * (layer.Height + gap)) + (place / layer.Width);
                int x = (channel % columns * (layer.Width + gap)) + (place % layer.Width);
                Spike.CopyTo(rgba, 4 * ((y * width) + x));
            }
        }

        return (PictureUri.Of(rgba, width, height), width, height);
    }

    private static void Image(HtmlBuilder page, Picture picture, string alt)
    {
        page.Add($"<img class=\"pixels\" width=\"{picture.Width}\" height=\"{picture.Height}\" alt=\"{alt}\" ");
        page.Add($"src=\"{PictureUri.Of(picture)}\">");
    }

    private static string Name(IReadOnlyList<string> names, int i) => i >= 0 && i < names.Count ? names[i] : $"class {i}";
}
