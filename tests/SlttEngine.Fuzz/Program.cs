using System.Diagnostics;
using System.Globalization;
using System.Text;
using SlttEngine.Fuzz;

// Mutates files and reads them, each reader in a process of its own, guided by what the reader's code does with them.
//
//   --corpus DIR     small files to begin with, a folder for each reader
//   --work DIR       for instrumented copies of the assemblies, and for inputs that fail
//   --seconds N      how long, all readers together (default 60)
//   --runs N         how many inputs for each reader, in place of --seconds
//   --reader NAME    one reader alone
//   --seed N         of the mutations (default: the time)
//   --save           write what reached new code into the corpus
//   --log FILE       write the table of results there too
return args.Contains("--child") ? Child(new FuzzOptions(args)) : Parent(new FuzzOptions(args));

static int Parent(FuzzOptions options)
{
    string instrumented = Path.Combine(options.Work, "bin");
    Instrumentation.Copy(AppContext.BaseDirectory, instrumented);
    string[] names = [.. Readers.All.Select(r => r.Name).Where(n => options.Reader is null || options.Reader == n)];
    if (names.Length == 0)
    {
        Console.Error.WriteLine($"fuzz: no reader {options.Reader}; there are: {string.Join(", ", Readers.All.Select(r => r.Name))}");
        return 2;
    }

    StringBuilder log = new();
    Write(log, $"{"reader",-24}{"inputs",12}{"inputs/s",10}{"edges",8}{"corpus",8}{"failures",10}");
    int failed = 0;
    foreach (string name in names)
    {
        double seconds = options.Seconds / names.Length;
        // The process was started as `dotnet SlttEngine.Fuzz.dll`.
        ProcessStartInfo start = new(Environment.ProcessPath!)
        {
            RedirectStandardOutput = true,
            ArgumentList =
            {
                Path.Combine(instrumented, "SlttEngine.Fuzz.dll"), "--child", "--reader", name, "--corpus", options.Corpus, "--work",
                options.Work, "--seed", options.Seed.ToString(CultureInfo.InvariantCulture), "--seconds",
                seconds.ToString(CultureInfo.InvariantCulture), "--runs", options.Runs.ToString(CultureInfo.InvariantCulture),
            },
        };
        if (options.Save)
        {
            start.ArgumentList.Add("--save");
        }

        using Process child = Process.Start(start)!;
        while (child.StandardOutput.ReadLine() is { } line)
        {
            Write(log, line);
        }

        child.WaitForExit();
        if (child.ExitCode > 1)
        {
            string input = Readers.InputPath(options.Work, name);
            string kept = Path.Combine(options.Work, "failures", name + "-died");
            Directory.CreateDirectory(Path.GetDirectoryName(kept)!);
            if (File.Exists(input))
            {
                File.Copy(input, kept, overwrite: true);
            }

            Write(log, $"{name}: the process died, exit code {child.ExitCode}: {kept}");
        }

        failed += child.ExitCode == 0 ? 0 : 1;
    }

    if (options.Log is not null)
    {
        File.WriteAllText(options.Log, log.ToString());
    }

    return failed == 0 ? 0 : 1;
}

static int Child(FuzzOptions options)
{
    Reader reader = Readers.All.Single(r => r.Name == options.Reader);
    FuzzLoop loop = new(reader, options);
    Console.WriteLine(loop.Run());
    return loop.Failures == 0 ? 0 : 1;
}

static void Write(StringBuilder log, string line)
{
    Console.WriteLine(line);
    log.AppendLine(line);
}
