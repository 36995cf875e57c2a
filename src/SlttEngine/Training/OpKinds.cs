using SlttEngine.Graph;

namespace SlttEngine.Training;

/// <summary>What kind of work an operation is, by its name.</summary>
internal static class OpKinds
{
    private static readonly Dictionary<string, string> Kinds = new()
    {
        ["backward data"] = "convolution, data gradient",
        ["backward filter"] = "convolution, weight gradient",
        ["fire"] = "neurons, forward",
        ["normalise and fire"] = "batch norm + neurons, forward",
        ["normalise, fire and pool"] = "batch norm + neurons, forward",
        ["statistics"] = "batch norm, statistics",
        ["backward reduce"] = "batch norm, backward",
        ["backward apply"] = "batch norm, backward",
        ["spikes recomputed"] = "spikes recomputed",
        ["pooled spikes recomputed"] = "spikes recomputed",
        ["bias gradient"] = "bias gradient",
        ["gradient finalize"] = "bias gradient",
        ["weight gradient accumulate"] = "accumulate gradients",
        ["standardise"] = "weight standardisation",
        ["standardise backward"] = "weight standardisation",
        ["skipinit_gain gradient"] = "weight standardisation",
        ["clear sums"] = "clears",
        ["clear gradients"] = "clears",
        ["loss"] = "loss and metrics",
        ["metrics"] = "loss and metrics",
        ["augment"] = "input",
        ["expand frames"] = "input",
        ["advance step"] = "input",
        ["begin update"] = "update",
        ["end update"] = "update",
        ["find overflow"] = "update",
        ["sgd"] = "update",
        ["adamw"] = "update",
    };

    /// <summary>An operation's kind.</summary>
    /// <param name="op">The operation.</param>
    /// <param name="network">The network that it belongs to.</param>
    public static string Of(Op op, Network network)
    {
        Layer? layer = op.Layer.Length == 0 ? null : network.Layers.FirstOrDefault(l => l.Name == op.Layer);
        if (layer is null)
        {
            return Kinds.GetValueOrDefault(op.Name, op.Name);
        }

        if (layer.Output == network.Logits)
        {
            return "classifier";
        }

        // A name begins with that of the layer, of a part of it or of what it works on.
        string what = op.Name.StartsWith(layer.Name + " ", StringComparison.Ordinal) ? op.Name[(layer.Name.Length + 1)..]
            : op.Name.Contains(' ', StringComparison.Ordinal) ? op.Name[(op.Name.IndexOf(' ', StringComparison.Ordinal) + 1)..]
            : "forward";
        return what == "forward" && op.MultiplyAdds > 0 ? "convolution, forward"
            : what == "backward" && layer.Spikes is not null ? "neurons, backward"
            : Kinds.GetValueOrDefault(what, $"{layer.GetType().Name}, {what}");
    }
}
