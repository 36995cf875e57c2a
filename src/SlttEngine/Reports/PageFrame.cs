using System.Globalization;
using System.Reflection;

namespace SlttEngine.Reports;

/// <summary>What all pages have in common: style, script, the frame around the sections.</summary>
internal static class PageFrame
{
    private static readonly string Style = Resource("report.css");
    private static readonly string Script = Resource("report.js");

    /// <summary>Adds all up to the first section.</summary>
    /// <param name="page">Receives it.</param>
    /// <param name="title">The browser's title.</param>
    /// <param name="reloadSeconds">How often the page reloads itself; null: never.</param>
    internal static void Begin(HtmlBuilder page, string title, int? reloadSeconds)
    {
        page.Add($"<!DOCTYPE html>\n<html lang=\"en\"{(reloadSeconds is { } s ? new Markup($" data-reload=\"{s}\"") : default)}><head>");
        page.Add($"<meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">");
        page.Add($"<meta name=\"color-scheme\" content=\"light dark\"><meta name=\"generator\" content=\"SlttEngine\">");
        page.Add($"<link rel=\"icon\" href=\"data:,\">");
        if (reloadSeconds is { } seconds)
        {
            page.Add($"<noscript><meta http-equiv=\"refresh\" content=\"{seconds}\"></noscript>");
        }

        page.Add($"<title>{title}</title>\n<style>{new Markup(Style)}</style></head>\n");
        page.Add($"<body><a class=\"skip\" href=\"#main\">To the content</a>");
    }

    /// <summary>Adds the end.</summary>
    /// <param name="page">Receives it.</param>
    internal static void End(HtmlBuilder page) => page.Add($"\n<script>{new Markup(Script)}</script></body></html>\n");

    /// <summary>Adds the page's heading figures.</summary>
    /// <param name="page">Receives them.</param>
    /// <param name="figures">Name, value, and a remark below it.</param>
    internal static void KeyFigures(HtmlBuilder page, IEnumerable<(string Name, string Value, string Remark)> figures)
    {
        page.Add($"<dl class=\"figures\">");
        foreach ((string name, string value, string remark) in figures)
        {
            page.Add($"<div><dt>{name}</dt><dd>{value}</dd><dd class=\"hint\">{remark}</dd></div>");
        }

        page.Add($"</dl>");
    }

    /// <summary>Adds the beginning of a table, which scrolls by itself where it is wider than the page, up to its body.</summary>
    /// <param name="page">Receives it.</param>
    /// <param name="label">What it shows, for those who don't see it.</param>
    /// <param name="kind">Its class in the style sheet; empty for none.</param>
    /// <param name="columns">Headings; of columns of numbers with a # in front; an empty one is no heading.</param>
    /// <param name="caption">Above it.</param>
    internal static void BeginTable(HtmlBuilder page, string label, string kind, ReadOnlySpan<string> columns, string? caption = null)
    {
        page.Add($"<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"{label}\"><table class=\"{kind}\">");
        if (caption is not null)
        {
            page.Add($"<caption>{caption}</caption>");
        }

        page.Add($"<thead><tr>");
        foreach (string column in columns)
        {
            if (column.Length == 0)
            {
                page.Add($"<td></td>");
            }
            else
            {
                page.Add($"<th scope=\"col\"{new Markup(column[0] == '#' ? " class=\"n\"" : string.Empty)}>{column.TrimStart('#')}</th>");
            }
        }

        page.Add($"</tr></thead><tbody>");
    }

    /// <summary>Adds the end of a table that has no foot.</summary>
    /// <param name="page">Receives it.</param>
    internal static void EndTable(HtmlBuilder page) => page.Add($"</tbody></table></div>");

    /// <summary>A piece of a curve's line, for legends.</summary>
    /// <param name="style">The curve's style.</param>
    internal static Markup Line(int style) => new(string.Create(
        CultureInfo.InvariantCulture, $"<svg aria-hidden=\"true\" viewBox=\"0 0 22 8\"><path class=\"s{style}\" d=\"M0 4L22 4\"/></svg>"));

    private static string Resource(string name)
    {
        using Stream stream = typeof(PageFrame).Assembly.GetManifestResourceStream(name)
            ?? throw new InvalidOperationException($"{name} is not in {Assembly.GetExecutingAssembly().GetName().Name}");
        using StreamReader reader = new(stream);
        return reader.ReadToEnd();
    }
}
