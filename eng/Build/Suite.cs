namespace SlttEngine.Build;

/// <summary>Runs the tests and the mutated files.</summary>
internal static class Suite
{
    // Namespaces of the suite whose tests take about half of its processor time.
    private static readonly string[] FirstHalf = ["Cli", "Data", "Engine", "IO"];

    // Tests of the packages that pack made: they need out/packages, and take long.
    private const string PackageTests = "SlttEngine.Tests.Packages";

    // The whole suite in two processes at once, as a device is a process's own and most tests use one core. Each test runs in
    // exactly one of them, because the conditions are each other's opposite, but for the tests of packages. The last line adds up both.
    internal static int RunAll()
    {
        Console.WriteLine("== tests");
        string folder = Path.Combine(Tree.Out, "tests");
        Directory.CreateDirectory(folder);
        string pattern = $@"'^SlttEngine\.Tests\.({string.Join('|', FirstHalf)})$'";
        // Tests of the first half start processes or train. The other half shares launches over all threads, as a run does.
        (string Condition, string? Threads)[] halves =
        [
            ($"namespace =~ {pattern}", "1"),
            ($"namespace !~ {pattern} and namespace != {PackageTests}", null),
        ];
        // Most tests run once, and two processes share the cores: profiles to optimise by and threads that spin cost more than they give.
        Environment.SetEnvironmentVariable("DOTNET_TieredPGO", "0");
        Environment.SetEnvironmentVariable("OMP_WAIT_POLICY", "passive");
        object printing = new();
        TestRun[] runs = [.. halves.Select(_ => new TestRun())];
        Thread[] waits = [.. runs.Select((run, i) => new Thread(() =>
        {
            // Above AssemblySelectLimit (2,000 by default) the adapter runs the whole suite and drops results.
            string settings = Path.Combine(folder, $"half-{i + 1}.runsettings");
            const string All = "<AssemblySelectLimit>1000000</AssemblySelectLimit>";
            File.WriteAllText(settings, $"<RunSettings><NUnit>{All}<Where>{halves[i].Condition}</Where></NUnit></RunSettings>\n");
            run.ExitCode = Shell.Start(
                Tree.Dotnet, [Tree.TestAssembly, "--settings", settings], run.Read, ("SLTT_CPU_THREADS", halves[i].Threads));
            lock (printing)
            {
                run.Lines.ForEach(Console.WriteLine);
            }
        }))];
        Array.ForEach(waits, wait => wait.Start());
        Array.ForEach(waits, wait => wait.Join());
        return Report(runs);
    }

    internal static int RunPackages()
    {
        if (!Directory.Exists(Tree.Packages))
        {
            throw new BuildException("there are no packages to test: run ./build.sh pack first", 2);
        }

        Environment.SetEnvironmentVariable("SLTT_PACKAGES", Tree.Packages);
        return Run(["--filter", "FullyQualifiedName~" + PackageTests]);
    }

    // One process with the runner's own options.
    internal static int Run(string[] options)
    {
        Console.WriteLine("== tests");
        TestRun run = new();
        run.ExitCode = Shell.Start(Tree.Dotnet, [Tree.TestAssembly, .. options], line =>
        {
            Console.WriteLine(line);
            run.Read(line);
        });
        return Report([run]);
    }

    // Readers of files, each over mutated inputs: see the program. Begins with the saved corpus.
    internal static int Fuzz(string[] options)
    {
        Native.Build();
        string project = Path.Combine(Tree.Root, "tests", "SlttEngine.Fuzz");
        Host.Build(Path.Combine(project, "SlttEngine.Fuzz.csproj"));
        Console.WriteLine("== fuzz");
        return Shell.Start(
            Tree.Dotnet,
            [Path.Combine(project, "bin", "Release", "net10.0", "SlttEngine.Fuzz.dll"),
             "--corpus", Path.Combine(project, "corpus"), "--work", Path.Combine(Tree.Out, "fuzz"), .. options]);
    }

    // The runner's own summaries decide; the last line says them again in one line for whoever reads logs.
    private static int Report(TestRun[] runs)
    {
        int exitCode = runs.Select(run => run.ExitCode).FirstOrDefault(code => code != 0);
        if (Array.TrueForAll(runs, run => run.HasSummary))
        {
            int skipped = runs.Sum(run => run["skipped"]);
            string tail = skipped > 0 ? $", {skipped} skipped" : "";
            Console.WriteLine($"{runs.Sum(run => run["succeeded"])} passed, {runs.Sum(run => run["failed"])} failed{tail}");
            return exitCode;
        }

        if (exitCode == 0 && runs.Length == 1)
        {
            return 0; // --help, --list-tests and the like run nothing
        }

        throw new BuildException($"the test run ended without a summary, exit code {exitCode}", exitCode == 0 ? 1 : exitCode);
    }
}
