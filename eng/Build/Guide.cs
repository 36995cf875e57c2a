using System.Text.RegularExpressions;

namespace SlttEngine.Build;

/// <summary>
/// Runs every command of the guide and of the README, those within sentences too, in a folder with a small data set and two runs. Words
/// in capitals stand for these (<see cref="Prepare"/>); training is made short.
/// </summary>
internal static partial class Guide
{
    // Options of a run that a test has time for, behind what a line says: the last of an option counts.
    private const string Small =
        "-width_divisor 32 -T 4 -b 8 -epochs 1 -T_max 1 -data_dir DIR -out_dir logs --device cpu --allow-incomplete";

    private const int DataError = 4;

    internal static int Run()
    {
        DirectoryInfo work = Directory.CreateTempSubdirectory("sltt-guide-");
        try
        {
            Dictionary<string, string> meaning = Prepare(work.FullName);
            string[] pages =
                [Path.Combine(Tree.Root, "README.md"), .. Directory.GetFiles(Path.Combine(Tree.Root, "docs", "guide"), "*.md").Order()];
            (string Place, string Line)[] commands = [.. pages.SelectMany(Commands)];
            int failed = commands.Count(command => !Passes(work.FullName, command.Place, command.Line, meaning));
            Console.WriteLine($"{commands.Length - failed} commands of the guide passed, {failed} failed");
            return failed == 0 && commands.Length > 0 ? 0 : 1;
        }
        finally
        {
            work.Delete(recursive: true);
        }
    }

    /// <summary>The commands of a page: lines of code blocks, without what a # says of them, and code within a sentence that has
    /// arguments.</summary>
    private static IEnumerable<(string Place, string Line)> Commands(string page)
    {
        string text = File.ReadAllText(page);
        return Block().Matches(text).Concat(Inline().Matches(text))
            .Select(match => (
                match.Index, Line: Spaces().Replace(match.Groups["command"].Value, " ").Trim().TrimEnd('…').TrimEnd()))
            .DistinctBy(command => command.Line)
            .Select(command => ($"{Path.GetFileName(page)}:{text.AsSpan(0, command.Index).Count('\n') + 1}", command.Line));
    }

    private static bool Passes(string folder, string place, string line, Dictionary<string, string> meaning)
    {
        string full = line.Split(' ')[0] switch
        {
            "train" or "train-sltt" or "train-slttk" or "train-bptt" => $"{line} {Small}",
            "demo" => $"{line} {Small} -data_dir demo -out_dir demo",
            "eval" => $"{line} -data_dir DIR --device cpu --allow-incomplete",
            _ => line,
        };
        List<string> output = [];
        int exitCode = Sltt(folder, Split(full, meaning), output.Add);
        // A data set of a few images is incomplete, as this command should say.
        exitCode = exitCode == DataError && line.StartsWith("data ", StringComparison.Ordinal) ? 0 : exitCode;
        Console.WriteLine($"{(exitCode == 0 ? "ok    " : "FAILED")} {place}: sltt {line}");
        if (exitCode != 0)
        {
            output.TakeLast(10).ToList().ForEach(Console.Error.WriteLine);
        }

        return exitCode == 0;
    }

    private static string[] Split(string line, Dictionary<string, string> meaning) =>
    [
        .. Placeholder().Replace(line, word => meaning.GetValueOrDefault(word.Value.TrimEnd('…', '.'), word.Value))
            .Split(' ', StringSplitOptions.RemoveEmptyEntries),
    ];

    /// <summary>A CIFAR-10 of a few images and two runs on it; what the words in capitals mean.</summary>
    private static Dictionary<string, string> Prepare(string folder)
    {
        string data = Path.Combine(folder, "data", "cifar-10-batches-bin");
        Directory.CreateDirectory(data);
        Random random = new(1);
        foreach (string file in (string[])["data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5", "test_batch"])
        {
            const int Images = 16, Record = 1 + (3 * 32 * 32);
            byte[] bytes = new byte[Images * Record];
            random.NextBytes(bytes);
            for (int i = 0; i < Images; i++)
            {
                bytes[i * Record] = (byte)(i % 10);
            }

            File.WriteAllBytes(Path.Combine(data, file + ".bin"), bytes);
        }

        string golden = Path.Combine(Tree.Root, "tests", "SlttEngine.Tests", "Golden");
        Dictionary<string, string> meaning = new()
        {
            ["DIR"] = "data",
            ["NAME"] = "cifar10",
            ["FILES"] = Path.Combine(golden, "images", "colour.ppm"),
            ["VECTORS"] = Path.Combine(golden, "neuron", "lif_sltt_triangle_tau1.1.safetensors"),
            ["N"] = "1",
            ["OPTIONS"] = "-dataset cifar10 -model spiking_resnet18 -width_divisor 32 -T 1 -b 8 --device cpu",
            ["OUT"] = "out.pth",
        };
        foreach ((string name, string seed) in ((string, string)[])[("RUN", "2022"), ("OTHER", "1")])
        {
            int exitCode = Sltt(
                folder, Split($"train -dataset cifar10 -model spiking_resnet18 {Small} -seed {seed}", meaning), _ => { });
            if (exitCode != 0)
            {
                throw new BuildException("the run that the guide's commands work on failed", exitCode);
            }

            string[] runs = Directory.GetDirectories(Path.Combine(folder, "logs"));
            meaning[name] = Path.GetRelativePath(folder, runs.Single(run => !meaning.ContainsValue(Path.GetRelativePath(folder, run))));
        }

        meaning["CHECKPOINT"] = meaning["FILE"] = meaning["IN"] = Path.Combine(meaning["RUN"], "checkpoint_max.safetensors");
        return meaning;
    }

    private static int Sltt(string folder, string[] arguments, Action<string> onLine) =>
        Shell.StartIn(folder, Tree.Dotnet, [Path.Combine(Tree.CliOutput, "sltt.dll"), .. arguments], onLine);

    [GeneratedRegex(@"^(?:    )?(?:out/)?sltt (?<command>[a-z][^#\n]*)", RegexOptions.Multiline)]
    private static partial Regex Block();

    [GeneratedRegex(@"(?<!`)`(?:out/)?sltt\s+(?<command>[a-z][\w-]*\s+[^`]+)`")]
    private static partial Regex Inline();

    [GeneratedRegex(@"\s+")]
    private static partial Regex Spaces();

    // A word in capitals, but for an option's own (-T, -K).
    [GeneratedRegex(@"(?<![\w/-])[A-Z]+(?:…|\.\.\.)?(?![\w-])")]
    private static partial Regex Placeholder();
}
