using System.Diagnostics;
using System.Globalization;
using System.IO.Hashing;

namespace SlttEngine.Fuzz;

/// <summary>Reads mutated files for as long as it may, keeps those that reach new code, and those that a reader fails on.</summary>
internal sealed class FuzzLoop
{
    private const int LongestSaved = 4096;
    private static readonly TimeSpan Hang = TimeSpan.FromSeconds(10);

    private readonly Reader reader;
    private readonly FuzzOptions options;
    private readonly string input;
    private readonly Action read;
    private readonly Coverage coverage = new();
    private readonly List<byte[]> corpus = [];
    private readonly HashSet<string> known = [];
    private long started = long.MaxValue;
    private long runs;

    internal FuzzLoop(Reader reader, FuzzOptions options)
    {
        (this.reader, this.options) = (reader, options);
        input = Readers.InputPath(options.Work, reader.Name);
        Directory.CreateDirectory(Path.GetDirectoryName(input)!);
        read = reader.Prepare(input);
        new Thread(Watch) { IsBackground = true }.Start();
    }

    /// <summary>Kinds of failures so far.</summary>
    internal int Failures => known.Count;

    private string SavedCorpus => Path.Combine(options.Corpus, reader.Name);

    /// <summary>Runs, and says in a line of the table what came of it.</summary>
    internal string Run()
    {
        Stopwatch watch = Stopwatch.StartNew();
        string[] files = Directory.Exists(SavedCorpus) ? Directory.GetFiles(SavedCorpus).Order(StringComparer.Ordinal).ToArray() : [];
        foreach (byte[] seed in reader.Seeds().Concat(files.Select(File.ReadAllBytes)))
        {
            _ = Try(seed);
            corpus.Add(seed);
        }

        int begun = corpus.Count;
        Random random = new(options.Seed);
        Mutator mutator = new(random);
        while (options.Runs > 0 ? runs < options.Runs : watch.Elapsed.TotalSeconds < options.Seconds)
        {
            // New ones are tried more than old ones.
            int index = random.Next(2) == 0 ? random.Next(corpus.Count) : corpus.Count - 1 - random.Next(Math.Min(corpus.Count, 16));
            byte[] mutated = mutator.Mutate(corpus[index], corpus);
            if (Try(mutated))
            {
                corpus.Add(mutated);
            }
        }

        if (options.Save)
        {
            Save(corpus.Skip(begun));
        }

        return string.Create(
            CultureInfo.InvariantCulture,
            $"{reader.Name,-24}{runs,12:#,##0}{runs / watch.Elapsed.TotalSeconds,10:#,##0}{coverage.Edges,8}{corpus.Count,8}{Failures,10}");
    }

    /// <summary>Reads a file; true if it did something new.</summary>
    private bool Try(byte[] bytes)
    {
        File.WriteAllBytes(input, bytes);
        Coverage.Clear();
        runs++;
        Volatile.Write(ref started, Stopwatch.GetTimestamp());
        long before = GC.GetTotalAllocatedBytes();
        string? failure = null;
        try
        {
            read();
        }
        catch (SlttException e)
        {
            bool isLine = e.Message.Length > 0 && !e.Message.Contains('\n', StringComparison.Ordinal);
            failure = isLine ? null : "the error's message is not one line";
        }
#pragma warning disable CA1031 // That nothing else is thrown is what is looked for.
        catch (Exception e)
#pragma warning restore CA1031
        {
            failure = $"{e.GetType().Name} {Place(e)}";
        }

        long allocated = GC.GetTotalAllocatedBytes() - before;
        Volatile.Write(ref started, long.MaxValue);
        long allowed = reader.BaseBytes + (reader.BytesPerByte * bytes.Length);
        if (failure is null && allocated > allowed)
        {
            failure = $"allocated far more than {allowed >> 20} MiB for a file of {bytes.Length} bytes";
        }

        if (failure is not null && known.Add(failure))
        {
            Console.WriteLine($"{reader.Name}: {failure.ReplaceLineEndings(" ")} ({allocated >> 20} MiB): {Keep(bytes)}");
        }

        return coverage.IsNew() && bytes.Length <= Math.Max(LongestSaved, 2 * corpus.Max(c => (int?)c.Length) ?? 0);
    }

    private static string Place(Exception e) =>
        e.StackTrace?.Split('\n').FirstOrDefault(l => l.Contains("SlttEngine.", StringComparison.Ordinal))?.Trim() ?? string.Empty;

    private string Keep(byte[] bytes)
    {
        string folder = Path.Combine(options.Work, "failures");
        Directory.CreateDirectory(folder);
        string path = Path.Combine(folder, $"{reader.Name}-{Hash(bytes)}");
        File.WriteAllBytes(path, bytes);
        return path;
    }

    /// <summary>The smallest files that together reach what all reached.</summary>
    private void Save(IEnumerable<byte[]> found)
    {
        Directory.CreateDirectory(SavedCorpus);
        Coverage fresh = new();
        foreach (byte[] bytes in found.Where(b => b.Length <= LongestSaved).OrderBy(b => b.Length))
        {
            File.WriteAllBytes(input, bytes);
            Coverage.Clear();
            try
            {
                read();
            }
            catch (SlttException)
            {
                // What it reached counts.
            }

            if (fresh.IsNew())
            {
                File.WriteAllBytes(Path.Combine(SavedCorpus, Hash(bytes)), bytes);
            }
        }
    }

    private static string Hash(byte[] bytes) => Convert.ToHexStringLower(XxHash64.Hash(bytes));

    /// <summary>A reader that does not come back ends the process: the input is where the parent looks for it.</summary>
    private void Watch()
    {
        while (true)
        {
            Thread.Sleep(500);
            long since = Volatile.Read(ref started);
            if (since != long.MaxValue && Stopwatch.GetElapsedTime(since) > Hang)
            {
                Console.WriteLine($"{reader.Name}: reads for more than {Hang.TotalSeconds} s");
                Environment.Exit(3);
            }
        }
    }
}
