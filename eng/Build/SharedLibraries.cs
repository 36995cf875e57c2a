using System.Text.RegularExpressions;

namespace SlttEngine.Build;

/// <summary>The libraries that the CPU device needs, as the loader of this machine finds them, and their licences.</summary>
internal static partial class SharedLibraries
{
    internal static IEnumerable<(string Soname, string Path)> NeededBy(string library) =>
        LddLine().Matches(Shell.Capture("ldd", [library]).Output).Select(match => (match.Groups[1].Value, match.Groups[2].Value));

    // Debian keeps a package's licence in /usr/share/doc. A library that we pass on must carry its licence.
    internal static bool CopyLicence(string library, string licenses)
    {
        if (Shell.Find("dpkg") is null)
        {
            return false;
        }

        // dpkg lists some files under /lib and some under /usr/lib; one of the folders is a link to the other.
        foreach (string path in new[] { library, "/usr" + library })
        {
            Match owner = DpkgOwner().Match(Shell.Capture("dpkg", ["-S", path]).Output);
            string copyright = $"/usr/share/doc/{owner.Groups[1].Value}/copyright";
            if (owner.Success && File.Exists(copyright))
            {
                File.Copy(copyright, Path.Combine(licenses, owner.Groups[1].Value + ".txt"), overwrite: true);
                return true;
            }
        }

        return false;
    }

    [GeneratedRegex(@"(\S+) => (/\S+)")]
    private static partial Regex LddLine();

    [GeneratedRegex(@"^([^:\s]+)(:\S+)?: /")]
    private static partial Regex DpkgOwner();
}
