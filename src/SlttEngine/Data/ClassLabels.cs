namespace SlttEngine.Data;

/// <summary>Refuses labels that are no class: the loss would read past a row of logits.</summary>
internal static class ClassLabels
{
    /// <summary>Checks one label.</summary>
    /// <param name="label">The label.</param>
    /// <param name="classes">The number of classes.</param>
    /// <param name="where">The file or set, and the sample, for the message.</param>
    /// <param name="hint">What to do about it, or null.</param>
    /// <exception cref="SlttException">The label is not in 0…classes − 1.</exception>
    internal static void Check(long label, int classes, Func<string> where, string? hint = null)
    {
        if (label < 0 || label >= classes)
        {
            throw new SlttException(
                ErrorKind.Data, $"{where()} has label {label}, but labels go from 0 to {classes - 1} ({classes} classes)", hint);
        }
    }

    /// <summary>Checks every label of a set.</summary>
    /// <param name="set">The set.</param>
    /// <exception cref="SlttException">A label is not in 0…classes − 1: names the sample.</exception>
    internal static void Check(IDataSet set)
    {
        for (int i = 0; i < set.Count; i++)
        {
            int index = i;
            Check(CheckedSamples.Label(set, i), set.Classes, () => $"sample {index} of {set.Count} ({set.GetType().Name})");
        }
    }
}
