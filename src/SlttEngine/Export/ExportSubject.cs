using System.Globalization;
using SlttEngine.Graph;
using SlttEngine.IO;

namespace SlttEngine.Export;

/// <summary>What is exported: what the network computes, its state dict, and what is known of it.</summary>
/// <param name="Model">The model's name.</param>
/// <param name="Version">The engine's version.</param>
/// <param name="Graph">What it computes in a step.</param>
/// <param name="State">Its tensors under PyTorch's names, in PyTorch's order.</param>
/// <param name="Steps">T.</param>
/// <param name="ClassNames">The classes in order; empty: not known.</param>
/// <param name="Normalisation">What is done to samples in front of the network; null: not known.</param>
/// <param name="Details">More that is known, by name.</param>
internal sealed record ExportSubject(
    string Model,
    string Version,
    InferenceGraph Graph,
    IReadOnlyList<NamedTensor> State,
    int Steps,
    IReadOnlyList<string> ClassNames,
    InputNormalisation? Normalisation,
    IReadOnlyDictionary<string, string> Details)
{
    /// <summary>What every file carries: names and texts.</summary>
    internal IReadOnlyDictionary<string, string> Metadata
    {
        get
        {
            NeuronOptions neuron = Graph.Neuron;
            Dictionary<string, string> all = new()
            {
                ["program"] = "SlttEngine " + Version,
                ["model"] = Model,
                ["steps"] = Text(Steps),
                ["neuron"] = "LIF, soft reset: u(t) = (1 - 1/tau) v(t-1) + x(t), a spike where u >= v_th, v = u - v_th spike; "
                    + FormattableString.Invariant($"tau {neuron.Tau:R}, v_th {neuron.Threshold:R}"),
                ["answer"] = "the mean of the logits over the steps",
                ["input_normalisation"] = Normalisation?.Text ?? "not known: the input is what the network was trained on",
            };
            if (ClassNames.Count > 0)
            {
                all["classes"] = string.Join(", ", ClassNames);
            }

            foreach ((string name, string text) in Details)
            {
                all[name] = text;
            }

            return all;
        }
    }

    /// <summary>A number as text.</summary>
    /// <param name="number">The number.</param>
    internal static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    /// <summary>The texts that are there.</summary>
    /// <param name="texts">Texts, or null.</param>
    internal static IEnumerable<string> Present(params string?[] texts) => texts.OfType<string>();
}

/// <summary>The normalisation in front of the network, which its input has behind it: no graph that is exported contains it.</summary>
/// <param name="First">Mean, or scale, of each channel.</param>
/// <param name="Second">Standard deviation, or shift, of each channel.</param>
/// <param name="OfImages">True: (pixel / 255 − mean) / std; false: element · scale + shift.</param>
internal sealed record InputNormalisation(IReadOnlyList<float> First, IReadOnlyList<float> Second, bool OfImages)
{
    /// <summary>In one line.</summary>
    internal string Text => OfImages
        ? $"input = (pixel / 255 - mean) / std, by channel; mean {List(First)}; std {List(Second)}"
        : $"input = element * scale + shift, by channel; scale {List(First)}; shift {List(Second)}";

    /// <summary>The numbers, separated by commas.</summary>
    /// <param name="numbers">The numbers.</param>
    internal static string List(IReadOnlyList<float> numbers) =>
        string.Join(", ", numbers.Select(n => n.ToString("R", CultureInfo.InvariantCulture)));
}
