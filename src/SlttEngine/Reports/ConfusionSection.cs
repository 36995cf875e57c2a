using System.Globalization;

namespace SlttEngine.Reports;

/// <summary>Which classes the network takes for which.</summary>
internal static class ConfusionSection
{
    /// <summary>Up to here the matrix has numbers and names.</summary>
    private const int NamedClasses = 24;

    /// <summary>Up to here there is a picture of it.</summary>
    private const int DrawnClasses = 100;

    private const int Pairs = 12;

    private static readonly byte[] Right = [46, 128, 196];
    private static readonly byte[] Wrong = [213, 94, 0];

    /// <summary>Adds the section.</summary>
    /// <param name="page">Receives it.</param>
    /// <param name="names">The classes.</param>
    /// <param name="seen">What was seen of the network.</param>
    internal static void Write(HtmlBuilder page, IReadOnlyList<string> names, RunInspection seen)
    {
        int n = names.Count;
        page.Add($"<section id=\"confusion\"><h2>Confusion matrix</h2>");
        if (n == 0 || seen.Confusion.Count != n * n)
        {
            page.Add($"<p class=\"none\">Not counted for {n} classes.</p></section>");
            return;
        }

        if (n <= DrawnClasses)
        {
            page.Add($"<p>A row is a true class, a column is what the network answered, over the whole test set after epoch ");
            page.Add($"{seen.Epoch}. Right answers lie on the diagonal (blue). Orange cells away from it are pairs of classes that it ");
            page.Add($"mixes up.</p>");
        }
        else
        {
            page.Add($"<p>The pairs of the {n} classes that the network mixes up, over the whole test set after epoch {seen.Epoch}.</p>");
        }

        if (n <= NamedClasses)
        {
            Table(page, names, seen.Confusion);
        }
        else if (n <= DrawnClasses)
        {
            Picture(page, names, seen.Confusion);
        }

        Confused(page, names, seen.Confusion);
        page.Add($"</section>");
    }

    private static void Table(HtmlBuilder page, IReadOnlyList<string> names, IReadOnlyList<int> counts)
    {
        int n = names.Count;
        double wrong = LargestError(counts, n);
        page.Add($"<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Confusion matrix\">");
        page.Add($"<table class=\"matrix\"><thead><tr><td></td>");
        foreach (string name in names)
        {
            page.Add($"<th scope=\"col\"><span>{name}</span></th>");
        }

        page.Add($"<th scope=\"col\"><span>right</span></th></tr></thead><tbody>");
        for (int r = 0; r < n; r++)
        {
            double all = Math.Max(1, counts.Skip(r * n).Take(n).Sum());
            page.Add($"<tr><th scope=\"row\">{names[r]}</th>");
            for (int c = 0; c < n; c++)
            {
                int count = counts[(r * n) + c];
                double shade = r == c ? count / all : count / wrong;
                page.Add($"<td class=\"{(r == c ? "right" : "wrong")}{(shade > 0.6 ? " dark" : string.Empty)}\" ");
                page.Add($"style=\"--v:{(int)Math.Round(100 * shade)}%\">");
                page.Add($"{(count == 0 ? "·" : count.ToString(CultureInfo.InvariantCulture))}</td>");
            }

            page.Add($"<td class=\"share\">{Figures.Percent(counts[(r * n) + r] / all, "0")}</td></tr>");
        }

        page.Add($"</tbody></table></div>");
    }

    private static double LargestError(IReadOnlyList<int> counts, int n) =>
        Math.Max(1, Enumerable.Range(0, n * n).Where(i => i / n != i % n).Select(i => counts[i]).DefaultIfEmpty().Max());

    private static void Picture(HtmlBuilder page, IReadOnlyList<string> names, IReadOnlyList<int> counts)
    {
        int n = names.Count;
        byte[] rgba = new byte[n * n * 4];
        double wrong = LargestError(counts, n);
        for (int r = 0; r < n; r++)
        {
            double all = Math.Max(1, counts.Skip(r * n).Take(n).Sum());
            for (int c = 0; c < n; c++)
            {
                int count = counts[(r * n) + c];
                (byte[] color, double opacity) = r == c ? (Right, count / all) : (Wrong, count / wrong);
                color.CopyTo(rgba.AsSpan(4 * ((r * n) + c)));
                rgba[(4 * ((r * n) + c)) + 3] = (byte)(255 * Math.Clamp(opacity, 0, 1));
            }
        }

        double right = Enumerable.Range(0, n).Sum(i => (double)counts[(i * n) + i]) / Math.Max(1, counts.Sum(c => (double)c));
        page.Add($"<figure><img class=\"matrix\" alt=\"Confusion matrix of {n} classes: {Figures.Percent(right)} on the diagonal\" ");
        page.Add($"src=\"{PictureUri.Of(rgba, n, n)}\"><figcaption class=\"hint\">");
        page.Add($"Classes in their order, from {names[0]} at the top left to ");
        page.Add($"{names[^1]} at the bottom right.</figcaption></figure>");
    }

    private static void Confused(HtmlBuilder page, IReadOnlyList<string> names, IReadOnlyList<int> counts)
    {
        int n = names.Count;
        (int Label, int Answer, int Count)[] pairs = [
            .. Enumerable.Range(0, n * n).Select(i => (Label: i / n, Answer: i % n, Count: counts[i]))
                .Where(p => p.Label != p.Answer && p.Count > 0).OrderByDescending(p => p.Count).Take(n <= NamedClasses ? 5 : Pairs)];
        if (pairs.Length == 0)
        {
            page.Add($"<p>No test sample was answered wrongly.</p>");
            return;
        }

        PageFrame.BeginTable(
            page, "Confused pairs", string.Empty, ["class", "answered", "#samples", "#of the class"], "Confused the most often");
        foreach ((int label, int answer, int count) in pairs)
        {
            double all = Math.Max(1, counts.Skip(label * n).Take(n).Sum());
            page.Add($"<tr><td>{names[label]}</td><td>{names[answer]}</td><td class=\"n\">{count}</td>");
            page.Add($"<td class=\"n\">{Figures.Percent(count / all)}</td></tr>");
        }

        PageFrame.EndTable(page);
    }
}
