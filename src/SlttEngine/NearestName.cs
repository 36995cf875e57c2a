namespace SlttEngine;

/// <summary>Finds the name that was probably meant, for messages about unknown options, models, data sets and the like.</summary>
public static class NearestName
{
    /// <summary>The usage error for a name that is not one of those known, with the nearest right one.</summary>
    /// <param name="what">What the name names: model, data set …</param>
    /// <param name="given">What was given.</param>
    /// <param name="known">What it may be.</param>
    public static SlttException Unknown(string what, string given, IReadOnlyCollection<string> known)
    {
        string? nearest = Find(given, known);
        return new SlttException(
            ErrorKind.Usage,
            $"unknown {what} '{given}'" + (nearest is null ? string.Empty : $"; did you mean '{nearest}'?"),
            $"known: {string.Join(", ", known)}");
    }

    /// <summary>The nearest of the known names; null if none is near enough to be meant.</summary>
    /// <param name="given">What was given.</param>
    /// <param name="known">What it may be.</param>
    public static string? Find(string given, IEnumerable<string> known)
    {
        string? best = null;
        int bestDistance = int.MaxValue;
        foreach (string name in known)
        {
            // Case comes second: 'CIFAR10' is 'cifar10', not the nearer-looking other name.
            int distance = (2 * Distance(given.ToUpperInvariant(), name.ToUpperInvariant())) + (given == name ? 0 : 1);
            // What was only begun is as near as can be without being it.
            if (name.StartsWith(given, StringComparison.OrdinalIgnoreCase) && given.Length >= 3)
            {
                distance = Math.Min(distance, 2);
            }

            if (distance < bestDistance)
            {
                (best, bestDistance) = (name, distance);
            }
        }

        int allowed = Math.Max(1, given.Length / 3);
        return bestDistance <= (2 * allowed) + 1 ? best : null;
    }

    /// <summary>Edits between two names: insertions, deletions, replacements and swaps of neighbours, each one.</summary>
    private static int Distance(string a, string b)
    {
        int[,] d = new int[a.Length + 1, b.Length + 1];
        for (int i = 0; i <= a.Length; i++)
        {
            for (int j = 0; j <= b.Length; j++)
            {
                if (i == 0 || j == 0)
                {
                    d[i, j] = i + j;
                    continue;
                }

                d[i, j] = Math.Min(Math.Min(d[i - 1, j], d[i, j - 1]) + 1, d[i - 1, j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1));
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                {
                    d[i, j] = Math.Min(d[i, j], d[i - 2, j - 2] + 1);
                }
            }
        }

        return d[a.Length, b.Length];
    }
}
