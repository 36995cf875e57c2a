using System.Globalization;
using System.Text.RegularExpressions;

namespace SlttEngine.Data.Sets;

/// <summary>A folder of frames that another program made of event recordings.</summary>
/// <param name="Path">Where it is.</param>
/// <param name="Steps">T; null: slices of a fixed length, whose number differs by sample.</param>
/// <param name="Split">Which events make a frame.</param>
/// <param name="Array">The name of the array in its files.</param>
internal sealed record FrameFolder(string Path, int? Steps, EventSplit Split, string Array)
{
    /// <summary>What it holds, for people.</summary>
    internal string Title => Steps is { } steps ? $"frames of T = {steps}, split by {Split}" : $"slices of {Split.Duration} µs";
}

/// <summary>
/// Finds the frames that SpikingJelly (frames_number_T_split_by_S, duration_D) and the official SLTT programs for DVS-CIFAR10
/// (frames_num_T_split_by_S_normalization_None) keep beside the recordings.
/// </summary>
internal static partial class FrameFolders
{
    /// <summary>The folder whose frames are asked for.</summary>
    /// <param name="folder">The data folder.</param>
    /// <param name="steps">T; null: any.</param>
    /// <param name="split">Which events make a frame.</param>
    /// <returns>Null if there is no folder of frames at all.</returns>
    /// <exception cref="SlttException">There are folders of other frames only: names them.</exception>
    internal static FrameFolder? Find(string folder, int? steps, EventSplit split)
    {
        FrameFolder[] all = [.. (Directory.Exists(folder) ? DataFolder.Folders(folder) : []).Select(Parse).OfType<FrameFolder>()];
        FrameFolder? found = steps is null ? all.FirstOrDefault()
            : all.FirstOrDefault(f => f.Split == split && (f.Steps is null || f.Steps == steps));
        if (found is not null || all.Length == 0)
        {
            return found;
        }

        string wanted = split.Duration > 0 ? $"slices of {split.Duration} µs" : $"frames of T = {steps}, split by {split}";
        string held = string.Join(", ", all.Select(
            f => $"{f.Title}{(f.Steps is null ? ", their number differs by sample" : string.Empty)} ({Path.GetFileName(f.Path)})"));
        throw new SlttException(
            ErrorKind.Data, $"{folder}: holds {held}; asked for are {wanted}",
            "ask for what is there, or keep the recordings or SpikingJelly's events_np there too: any frames can be made of those");
    }

    private static FrameFolder? Parse(string path)
    {
        Match match = Name().Match(Path.GetFileName(path));
        if (!match.Success
            || !long.TryParse(match.Groups["n"].Value, NumberStyles.None, CultureInfo.InvariantCulture, out long number)
            || number is < 1 or > int.MaxValue)
        {
            return null;
        }

        EventSplit split = match.Groups["by"].Value == "time" ? EventSplit.Time : EventSplit.Number;
        return match.Groups["kind"].Value == "duration" ? new FrameFolder(path, null, EventSplit.Slices(number), "frames")
            : new FrameFolder(path, (int)number, split, match.Groups["official"].Success ? "arr_0" : "frames");
    }

    [GeneratedRegex(
        "^(?:(?<kind>frames)_number_(?<n>[0-9]+)_split_by_(?<by>number|time)"
            + "|(?<kind>frames)_num_(?<n>[0-9]+)_split_by_(?<by>number|time)(?<official>_normalization_None)"
            + "|(?<kind>duration)_(?<n>[0-9]+))$")]
    private static partial Regex Name();
}
