using System.Diagnostics;

namespace SlttEngine.Build;

/// <summary>All that must hold before a change goes in: each part is a word of build.sh, and runs as a user runs it.</summary>
internal static class Gate
{
    private static readonly string[][] Parts =
    [
        ["test"], ["examples"], ["guide"], ["pack"], ["test-packages"], ["docs"], ["fuzz", "--seconds", "60", "--seed", "2022"],
    ];

    internal static int Run()
    {
        List<(string Part, double Seconds, int ExitCode)> results = [];
        foreach (string[] part in Parts)
        {
            Stopwatch watch = Stopwatch.StartNew();
            // Each in a process of its own: a part may set environment variables.
            int exitCode = Shell.Start(Tree.Dotnet, [Environment.GetCommandLineArgs()[0], .. part]);
            results.Add((part[0], watch.Elapsed.TotalSeconds, exitCode));
        }

        Console.WriteLine("== test-all");
        results.Add(("all", results.Sum(result => result.Seconds), results.Max(result => result.ExitCode)));
        foreach ((string part, double seconds, int exitCode) in results)
        {
            Console.WriteLine($"{part,-14}{seconds,6:F0} s  {(exitCode == 0 ? "ok" : $"failed, exit code {exitCode}")}");
        }

        return results[^1].ExitCode;
    }
}
