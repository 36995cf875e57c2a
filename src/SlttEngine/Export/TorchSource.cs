using System.Globalization;
using System.Text;
using SlttEngine.Graph;

namespace SlttEngine.Export;

/// <summary>The Python text of a model: its modules under the state dict's names, one line of code for each.</summary>
internal sealed class TorchSource
{
    private const string Lif = """
        class Lif(nn.Module):
            '''LIF neurons with soft reset: u(t) = (1 - 1/tau) v(t-1) + x(t), a spike where u >= v_th, v = u - v_th * spike.'''

            def __init__(self, tau, v_th):
                super().__init__()
                self.decay, self.v_th, self.v = 1 - 1 / tau, v_th, None

            def forward(self, x):
                u = x if self.v is None else self.decay * self.v + x
                spikes = (u >= self.v_th).to(x.dtype)
                self.v = u - self.v_th * spikes
                return spikes

        """;

    private const string ScaledWsConv = """
        class ScaledWSConv2d(nn.Conv2d):
            '''Convolution with standardised weights: gain * (w - mean) / sqrt(var * fan_in + eps), var unbiased, by output channel.'''

            def __init__(self, *args, eps, **kwargs):
                super().__init__(*args, **kwargs)
                self.gain, self.eps = nn.Parameter(torch.ones(self.out_channels, 1, 1, 1)), eps

            def forward(self, x):
                var, mean = torch.var_mean(self.weight, dim=(1, 2, 3), unbiased=True, keepdim=True)
                weight = self.gain * (self.weight - mean) * torch.rsqrt(var * self.weight[0].numel() + self.eps)
                return F.conv2d(x, weight, self.bias, self.stride, self.padding)

        """;

    private const string Group = """
        class Group(nn.Module):
            '''Modules by name or number, as the state dict has them: layer1[0].conv1.'''

            def __init__(self, members):
                super().__init__()
                for name, member in members.items():
                    setattr(self, name, member)

            def __getitem__(self, name):
                return getattr(self, str(name))

        """;

    private readonly ExportSubject subject;
    private readonly InferenceGraph graph;
    private readonly SortedDictionary<string, string> constructors = new(StringComparer.Ordinal);
    private readonly List<string> order = [];

    /// <summary>Collects the modules.</summary>
    /// <param name="subject">What to write.</param>
    /// <exception cref="SlttException">A layer has a name that no module can have.</exception>
    internal TorchSource(ExportSubject subject)
    {
        (this.subject, graph) = (subject, subject.Graph);
        foreach (InferenceNode node in graph.Nodes)
        {
            if (node is InferenceNode.Convolution { Standardisation.SkipGain: { } gain })
            {
                Declare(gain, "nn.Parameter(torch.zeros(()))");
            }

            if (Constructor(node) is { } code)
            {
                Declare(node.Name, code);
            }
        }
    }

    /// <summary>The file.</summary>
    /// <param name="source">Its name.</param>
    /// <param name="state">The state dict's name.</param>
    internal string Text(string source, string state)
    {
        StringBuilder text = new();
        string module = Path.GetFileNameWithoutExtension(source);
        MapShape input = graph.Input.Shape;
        text.Append(CultureInfo.InvariantCulture, $$"""
            '''{{PythonNames.Plain(subject.Model)}}, trained by SlttEngine {{subject.Version}}. Needs torch alone.

            python {{PythonNames.Plain(source)}} [INPUT.pt]    loads {{PythonNames.Plain(state)}} beside this file, and answers for a
                                       tensor, or for random numbers

                from {{PythonNames.Plain(module)}} import load
                logits = load({{PythonNames.Quoted(state)}})(x)    # the mean over the time steps

            x is (N, C, H, W), the same at every step, or (T, N, C, H, W) with a frame a step.
            x is normalised: {{subject.Metadata["input_normalisation"]}}
            '''
            import pathlib
            import sys

            import torch
            from torch import nn
            from torch.nn import functional as F

            STEPS = {{subject.Steps}}
            INPUT = ({{input.Channels}}, {{input.Height}}, {{input.Width}})
            CLASSES = [{{string.Join(", ", subject.ClassNames.Select(PythonNames.Quoted))}}]

            """);
        AppendNormalisation(text);
        text.Append(Lif).Append("\n\n");
        if (graph.Nodes.Any(n => n is InferenceNode.Convolution { Standardisation: not null }))
        {
            text.Append(ScaledWsConv).Append("\n\n");
        }

        text.Append(Group).Append("\n\n");
        AppendNetwork(text);
        text.Append(CultureInfo.InvariantCulture, $$"""


            def load(path):
                '''The network with a state dict, ready to answer.'''
                network = Network()
                network.load_state_dict(torch.load(path, map_location="cpu"))
                return network.eval()


            def main():
                here = pathlib.Path(__file__)
                x = torch.load(sys.argv[1]) if len(sys.argv) > 1 else torch.randn(1, *INPUT)
                with torch.no_grad():
                    for logits in load(here.with_name({{PythonNames.Quoted(state)}}))(x):
                        best = int(logits.argmax())
                        print(CLASSES[best] if CLASSES else best, *(f"{value:.9g}" for value in logits.tolist()))


            if __name__ == "__main__":
                main()

            """);
        return text.ToString().Replace("'''", "\"\"\"", StringComparison.Ordinal).ReplaceLineEndings("\n");
    }

    private static string Number(double value) => Number(value.ToString("R", CultureInfo.InvariantCulture));

    private static string Number(float value) => Number(value.ToString("R", CultureInfo.InvariantCulture));

    // Python's way to write it.
    private static string Number(string digits) =>
        digits.Replace('E', 'e') + (digits.All(char.IsAsciiDigit) ? ".0" : string.Empty);

    private static string Boolean(bool value) => value ? "True" : "False";

    private static string? Constructor(InferenceNode node)
    {
        switch (node)
        {
            case InferenceNode.Convolution { Window: (int k, int stride, int padding) } c:
                string sizes = $"{c.Inputs[0].Shape.Channels}, {c.Shape.Channels}, {k}, {stride}, {padding}";
                return c.Standardisation is { } standardised
                    ? $"ScaledWSConv2d({sizes}, eps={Number(standardised.Epsilon)})"
                    : $"nn.Conv2d({sizes}, bias={Boolean(c.Bias is not null)})";
            case InferenceNode.Linear linear:
                return $"nn.Linear({linear.Inputs[0].Shape.Elements}, {linear.Shape.Channels}, bias={Boolean(linear.Bias is not null)})";
            case InferenceNode.BatchNorm norm:
                return $"nn.BatchNorm2d({norm.Shape.Channels}, eps={Number(norm.Epsilon)})";
            case InferenceNode.Neurons { Constants: { } neuron }:
                return $"Lif(tau={Number(neuron.Tau)}, v_th={Number(neuron.Threshold)})";
            default:
                return null;
        }
    }

    private void Declare(string name, string constructor)
    {
        if (constructors.Keys.Any(other => name.StartsWith(other + ".", StringComparison.Ordinal)
            || other.StartsWith(name + ".", StringComparison.Ordinal)) || !name.Split('.').All(PythonNames.IsFree))
        {
            throw GraphError.Of(
                $"{name}: a PyTorch module can't have this name",
                "give the layer another one, that is neither a method's nor inside another layer's");
        }

        if (constructors.TryAdd(name, constructor))
        {
            order.Add(name);
        }
    }

    private void AppendNormalisation(StringBuilder text)
    {
        if (subject.Normalisation is { } normalisation)
        {
            (string first, string second) = normalisation.OfImages ? ("MEAN", "STD") : ("SCALE", "SHIFT");
            string names = $"{first}, {second}".ToLowerInvariant();
            string formula = normalisation.OfImages ? "(pixels / 255 - mean) / std" : "pixels * scale + shift";
            text.Append(CultureInfo.InvariantCulture, $$"""
                {{first}} = ({{InputNormalisation.List(normalisation.First)}},)
                {{second}} = ({{InputNormalisation.List(normalisation.Second)}},)


                def normalise(pixels):
                    '''The network's input of (…, C, H, W) numbers as the data set has them.'''
                    {{names}} = (torch.tensor(v).view(-1, 1, 1) for v in ({{first}}, {{second}}))
                    return {{formula}}

                """);
        }

        text.Append('\n').Append('\n');
    }

    private void AppendNetwork(StringBuilder text)
    {
        text.Append("class Network(Group):\n    def __init__(self):\n        super().__init__({\n");
        AppendMembers(text, string.Empty, 12);
        text.Append(
            """
                    })

                def forward(self, x, steps=STEPS):
                    '''Mean of the logits over the steps.'''
                    for module in self.modules():
                        if isinstance(module, Lif):
                            module.v = None
                    frames = x if x.dim() == 5 else [x] * steps
                    return torch.stack([self.step(frame) for frame in frames]).mean(0)

                def step(self, x):
                    '''Logits of a time step; the neurons keep their potentials.'''

            """);
        PythonNames names = new();
        Dictionary<InferenceNode, string> values = new() { [graph.Input] = "x" };
        foreach (InferenceNode node in graph.Nodes.Skip(1))
        {
            string value = node == graph.Logits ? "return " : (values[node] = names.Local(node.Name)) + " = ";
            text.Append("        ").Append(value).Append(Code(node, [.. node.Inputs.Select(i => values[i])])).Append('\n');
        }
    }

    /// <summary>The members of a group, groups among them as dictionaries of theirs.</summary>
    private void AppendMembers(StringBuilder text, string prefix, int indent)
    {
        string space = new(' ', indent);
        HashSet<string> done = [];
        foreach (string name in order.Where(n => n.StartsWith(prefix, StringComparison.Ordinal)))
        {
            string part = name[prefix.Length..].Split('.')[0];
            if (!done.Add(part))
            {
                continue;
            }

            text.Append(space).Append(PythonNames.Quoted(part)).Append(": ");
            if (constructors.TryGetValue(prefix + part, out string? code))
            {
                text.Append(code).Append(",\n");
            }
            else
            {
                text.Append("Group({\n");
                AppendMembers(text, $"{prefix}{part}.", indent + 4);
                text.Append(space).Append("}),\n");
            }
        }
    }

    private string Code(InferenceNode node, string[] inputs)
    {
        string module = PythonNames.Access(node.Name), x = inputs[0];
        switch (node)
        {
            case InferenceNode.Convolution { Standardisation: { SkipGain: { } gain, Alpha: float alpha } }:
                return $"{module}({x}) * ({PythonNames.Access(gain)} * {Number(alpha)})";
            case InferenceNode.Linear linear:
                return $"{module}({x}.flatten(1))" + (linear == graph.Logits ? string.Empty : "[:, :, None, None]");
            case InferenceNode.Neurons { InputScale: float input, SpikeScale: float spike }:
                string scaled = input == 1 ? x : $"{x} * {Number(input)}";
                return (spike == 1 ? string.Empty : Number(spike) + " * ") + $"{module}({scaled})";
            case InferenceNode.Sum:
                return $"{x} + {inputs[1]}";
            case InferenceNode.AvgPool { Windows: (int window, int stride, int padding) }:
                return $"F.avg_pool2d({x}, {window}, {stride}, {padding})";
            case InferenceNode.AdaptiveAvgPool pool:
                return $"F.adaptive_avg_pool2d({x}, {pool.Size})";
            default:
                return $"{module}({x})";
        }
    }
}
