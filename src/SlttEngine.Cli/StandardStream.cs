using System.Text;

namespace SlttEngine.Cli;

/// <summary>
/// Standard output or standard error, which may be a full disk: the error names standard output, and of standard error ends nothing.
/// </summary>
/// <param name="inner">The stream's own writer.</param>
/// <param name="lossy">True: output that can't be written is dropped, which suits messages.</param>
internal sealed class StandardStream(TextWriter inner, bool lossy) : TextWriter
{
    /// <inheritdoc/>
    public override Encoding Encoding => inner.Encoding;

    /// <inheritdoc/>
    public override void Write(char value) => Try(() => inner.Write(value));

    /// <inheritdoc/>
    public override void Write(string? value) => Try(() => inner.Write(value));

    /// <inheritdoc/>
    public override void WriteLine(string? value) => Try(() => inner.WriteLine(value));

    /// <inheritdoc/>
    public override void Flush() => Try(inner.Flush);

    private void Try(Action write)
    {
        try
        {
            write();
        }
        catch (IOException e)
        {
            if (!lossy)
            {
                throw new SlttException(ErrorKind.Data, $"cannot write standard output: {e.Message}", null, e);
            }
        }
    }
}
