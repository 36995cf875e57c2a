using System.Globalization;

namespace SlttEngine.Data;

/// <summary>
/// What a folder holds of one part of a data set, before anything is trained on it: samples of each class, found and expected, what else is
/// wrong with it, and files that are there but are not read. It knows classes and counts alone, not how a sample is stored.
/// </summary>
/// <param name="place">The folder, for messages.</param>
/// <param name="set">The data set's title.</param>
/// <param name="train">The training part, else the test part.</param>
/// <param name="samples">What a sample is called, in the plural: images.</param>
/// <param name="classNames">The classes in order.</param>
public sealed class PartContents(string place, string set, bool train, string samples, IReadOnlyList<string> classNames)
{
    private const int Shown = 3;

    private readonly List<string> faults = [];
    private readonly SortedDictionary<string, int> unread = new(StringComparer.Ordinal);
    private readonly int[] found = new int[classNames.Count];

    /// <summary>The classes in order.</summary>
    public IReadOnlyList<string> ClassNames => classNames;

    /// <summary>Samples of each class that are there and can be used.</summary>
    public IReadOnlyList<int> Found => found;

    /// <summary>Samples of each class as the authors distribute the set; null if the set has no fixed size by class.</summary>
    public IReadOnlyList<int>? Expected { get; init; }

    /// <summary>All samples as the authors distribute the set; null if the set has no fixed size.</summary>
    public int? ExpectedTotal { get; init; }

    /// <summary>How the part differs from a complete one, a line each; empty if it is complete.</summary>
    public IReadOnlyList<string> Incomplete
    {
        get
        {
            IEnumerable<string?> lines = [Counts(), EmptyClasses(), OneClass(), .. faults];
            return [.. lines.OfType<string>()];
        }
    }

    /// <summary>One line that counts the files by their ending that are there but are not read; null if there are none.</summary>
    public string? NotRead => unread.Count == 0 ? null
        : $"{place}: not read: {NotReadCounts}";

    /// <summary>
    /// What a run on this part says in its first lines: how the part is incomplete, which the user allowed, and what is not read.
    /// </summary>
    public IReadOnlyList<string> Warnings
    {
        get
        {
            IReadOnlyList<string> lines = Incomplete;
            string? incomplete = lines.Count == 0 ? null : $"incomplete data: {place}: {Part}: {string.Join("; ", lines)}";
            return [.. ((string?[])[incomplete, NotRead]).OfType<string>()];
        }
    }

    private string NotReadCounts => string.Join(", ", unread.Select(u => $"{Number(u.Value)} {u.Key}"));

    private string Part => $"the {(train ? "training" : "test")} part of {set}";

    /// <summary>Counts a sample that is there.</summary>
    /// <param name="label">Its class.</param>
    public void Add(int label) => found[label]++;

    /// <summary>Takes back a sample that was counted and turned out to be useless.</summary>
    /// <param name="label">Its class.</param>
    public void Remove(int label) => found[label]--;

    /// <summary>Something else that makes the part incomplete.</summary>
    /// <param name="line">What; no path of the part itself.</param>
    public void AddFault(string line) => faults.Add(line);

    /// <summary>Several things of a kind, as one line: the first ones by name, then how many more.</summary>
    /// <param name="what">What they are: "not there".</param>
    /// <param name="names">Their names; if none, nothing is added.</param>
    public void AddFault(string what, IReadOnlyCollection<string> names)
    {
        if (names.Count > 0)
        {
            faults.Add($"{what}: {Some(names)}");
        }
    }

    /// <summary>A file or folder that is there and is not read.</summary>
    /// <param name="path">Its path; hidden ones are passed over.</param>
    public void AddUnread(string path)
    {
        if (!DataFolder.IsHidden(path))
        {
            string ending = Path.GetExtension(path);
            string key = Directory.Exists(path) ? "folders" : ending.Length > 0 ? ending : "without an ending";
            unread[key] = unread.GetValueOrDefault(key) + 1;
        }
    }

    /// <summary>Refuses an incomplete part, unless the user allowed it, and an empty one.</summary>
    /// <param name="allowIncomplete">Take what is there.</param>
    /// <exception cref="SlttException">The part is incomplete: says how.</exception>
    public void Require(bool allowIncomplete)
    {
        string lines = string.Join("; ", Incomplete);
        string notRead = unread.Count == 0 ? string.Empty : $" ({NotReadCounts} are not read)";
        if (found.Sum() == 0)
        {
            throw new SlttException(
                ErrorKind.Data, $"{place}: {Part} holds no {samples}{(lines.Length > 0 ? ": " : string.Empty)}{lines}{notRead}",
                "sltt data says what is needed");
        }

        if (lines.Length > 0 && !allowIncomplete)
        {
            throw new SlttException(
                ErrorKind.Data, $"{place}: {Part} is incomplete: {lines}{notRead}",
                "complete it (sltt data says what is needed), or take what is there with --allow-incomplete");
        }
    }

    /// <summary>Some names, then how many more.</summary>
    internal static string Some(IReadOnlyCollection<string> names) =>
        string.Join(", ", names.Take(Shown)) + (names.Count > Shown ? $" and {Number(names.Count - Shown)} more" : string.Empty);

    private string? Counts()
    {
        bool alike = Expected is null || Expected.SequenceEqual(found);
        int? all = Expected?.Sum() ?? ExpectedTotal;
        if (all is null || (alike && all == found.Sum()))
        {
            return null;
        }

        string[] classes = Expected is null ? [] : [.. Enumerable.Range(0, found.Length)
            .Where(c => found[c] != Expected[c])
            .OrderByDescending(c => Math.Abs(Expected[c] - found[c]))
            .Select(c => $"{classNames[c]} {Number(found[c])} of {Number(Expected[c])}")];
        return $"{Number(found.Sum())} of {Number(all.Value)} {samples}" + (classes.Length > 0 ? $" ({Some(classes)})" : string.Empty);
    }

    private string? EmptyClasses()
    {
        string[] empty = [.. classNames.Where((_, c) => found[c] == 0)];
        return empty.Length == 0 || found.Sum() == 0 ? null : $"no {samples} of {Some(empty)}";
    }

    private string? OneClass() => found.Count(n => n > 0) != 1 ? null
        : $"all {samples} are of one class, {classNames[Array.FindIndex(found, n => n > 0)]}";

    /// <summary>With thousands apart.</summary>
    internal static string Number(int value) => value.ToString("#,##0", CultureInfo.InvariantCulture);
}
