using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;

namespace SlttEngine.Reports;

/// <summary>Text that is HTML by now: put into a page as it is.</summary>
/// <param name="Html">The HTML.</param>
internal readonly record struct Markup(string Html);

/// <summary>Puts a page together. What is interpolated is escaped, so that no class name and no message becomes markup.</summary>
internal sealed class HtmlBuilder
{
    private readonly StringBuilder html = new(1 << 16);

    /// <summary>Adds markup with values in it: $"&lt;td&gt;{name}&lt;/td&gt;".</summary>
    /// <param name="text">The literal parts are markup; the values are escaped, unless they are <see cref="Markup"/>.</param>
#pragma warning disable CA1822 // The compiler hands this instance to the handler, which has written the text by now.
    internal void Add([InterpolatedStringHandlerArgument("")] HtmlText text)
#pragma warning restore CA1822
    {
    }

    /// <summary>Adds markup.</summary>
    /// <param name="markup">HTML.</param>
    internal void Raw(string markup) => html.Append(markup);

    /// <summary>Adds text.</summary>
    /// <param name="text">Any text.</param>
    internal void Text(ReadOnlySpan<char> text)
    {
        while (text.IndexOfAny("&<>\"'") is int i and >= 0)
        {
            html.Append(text[..i]).Append(text[i] switch
            {
                '&' => "&amp;",
                '<' => "&lt;",
                '>' => "&gt;",
                '"' => "&quot;",
                _ => "&#39;",
            });
            text = text[(i + 1)..];
        }

        html.Append(text);
    }

    /// <inheritdoc/>
    public override string ToString() => html.ToString();

    /// <summary>Writes interpolated strings into the page.</summary>
    [InterpolatedStringHandler]
    internal readonly ref struct HtmlText
    {
        private readonly HtmlBuilder builder;

        public HtmlText(int literalLength, int formattedCount, HtmlBuilder builder) => this.builder = builder;

        public void AppendLiteral(string markup) => builder.Raw(markup);

        public void AppendFormatted(string? text) => builder.Text(text);

        public void AppendFormatted(Markup markup) => builder.Raw(markup.Html);

        public void AppendFormatted<T>(T value)
            where T : IFormattable => AppendFormatted(value, null);

        public void AppendFormatted<T>(T value, string? format)
            where T : IFormattable => builder.Text(value.ToString(format, CultureInfo.InvariantCulture));
    }
}
