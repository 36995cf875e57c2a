using System.Security;
using System.Text;
using SlttEngine.IO;

namespace SlttEngine.Bench;

/// <summary>The documents' pictures, each made of results or of a trained network: SVG for light and dark pages.</summary>
internal static class Figures
{
    /// <summary>Writes gesture.svg and peers.svg.</summary>
    /// <param name="arguments">A checkpoint, a recording, a page of bench/results, and the folder that gets the files.</param>
    /// <exception cref="SlttException">An argument is missing or can't be used.</exception>
    internal static void Write(string[] arguments)
    {
        if (arguments is not [string checkpoint, string recording, string page, string folder])
        {
            throw new SlttException(ErrorKind.Usage, "figures takes CHECKPOINT RECORDING PAGE FOLDER", "./build.sh figures gives them");
        }

        Save(Path.Combine(folder, "gesture.svg"), SpikeFigure.Draw(checkpoint, recording));
        Save(Path.Combine(folder, "peers.svg"), PeerFigure.Draw(page));
    }

    /// <summary>The begin of a file, with the texts' styles.</summary>
    internal static void Begin(TextWriter svg, int width, int height, string title)
    {
        svg.WriteLine(
            $"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" """
                + """font-family="system-ui, sans-serif" font-size="13">""");
        svg.WriteLine($"<title>{SecurityElement.Escape(title)}</title>");
        svg.WriteLine(
            "<style>text{fill:#1f2328}.head{font-weight:600}.quiet{fill:#656d76;font-size:12px}.cell{fill:#f3f4f6}"
                + "@media(prefers-color-scheme:dark){text{fill:#e6edf3}.quiet{fill:#9198a1}.cell{fill:#20262d}}</style>");
    }

    private static void Save(string path, string text)
    {
        AtomicFile.Write(path, file => file.Write(Encoding.UTF8.GetBytes(text)));
        Console.WriteLine($"{path}: {text.Length / 1024} kB");
    }
}
