namespace SlttEngine.Training;

/// <summary>What a network says of a sample.</summary>
/// <param name="Logits">The mean over the time steps of each class's logit.</param>
public sealed record Prediction(IReadOnlyList<float> Logits)
{
    /// <summary>The class with the largest logit; the first of several.</summary>
    public int Class => Enumerable.Range(0, Logits.Count).MaxBy(c => Logits[c]);

    /// <summary>Softmax of the logits: what the cross-entropy of training reads them as. They add up to 1.</summary>
    public IReadOnlyList<double> Probabilities
    {
        get
        {
            double largest = Logits.Max();
            double[] powers = [.. Logits.Select(logit => Math.Exp(logit - largest))];
            double sum = powers.Sum();
            return [.. powers.Select(power => power / sum)];
        }
    }
}
