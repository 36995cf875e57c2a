using System.Text.RegularExpressions;

namespace SlttEngine.Build;

/// <summary>The programs of examples/: each must end with exit code 0 and the last line that its expected.txt gives.</summary>
internal static class Examples
{
    internal static int Run()
    {
        string folder = Path.Combine(Tree.Root, "examples");
        string[] examples = Directory.Exists(folder) ? [.. Directory.GetDirectories(folder).Order(StringComparer.Ordinal)] : [];
        List<string> failed = [];
        foreach (string example in examples)
        {
            string name = Path.GetFileName(example);
            Console.WriteLine($"== example {name}");
            string? fault = Fault(example, Directory.CreateTempSubdirectory("sltt-example-"));
            if (fault is not null)
            {
                Console.Error.WriteLine($"example {name}: {fault}");
                failed.Add(name);
            }
        }

        Console.WriteLine($"{examples.Length - failed.Count} examples passed, {failed.Count} failed");
        return failed.Count == 0 ? 0 : 1;
    }

    // expected.txt is a regular expression that the whole last line must match.
    private static string? Fault(string example, DirectoryInfo work)
    {
        string expectedFile = Path.Combine(example, "expected.txt");
        if (!File.Exists(expectedFile))
        {
            return "expected.txt is missing: a regular expression for the program's last line";
        }

        string expected = File.ReadAllText(expectedFile).Trim();
        string last = "";
        if (Directory.GetFiles(example, "*.csproj") is not [string project])
        {
            return "the folder has no project, or several";
        }

        try
        {
            int exitCode = Shell.StartIn(work.FullName, Tree.Dotnet, ["run", "-c", "Release", "-v", "quiet", "--project", project], line =>
            {
                Console.WriteLine("   " + line);
                last = line.Trim().Length > 0 ? line.Trim() : last;
            });
            return exitCode != 0 ? $"exit code {exitCode}"
                : Regex.IsMatch(last, $"^(?:{expected})$") ? null : $"the last line is '{last}', expected '{expected}'";
        }
        finally
        {
            work.Delete(recursive: true);
        }
    }
}
