using System.Text;

namespace SlttEngine.Export;

/// <summary>Names of modules and values in generated Python.</summary>
internal sealed class PythonNames
{
    private static readonly HashSet<string> Keywords =
    [
        "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class", "continue", "def", "del", "elif", "else",
        "except", "finally", "for", "from", "global", "if", "import", "in", "is", "lambda", "nonlocal", "not", "or", "pass", "raise",
        "return", "try", "while", "with", "yield",
    ];

    // Attributes of torch.nn.Module and of the generated class: a module of such a name would replace them.
    private static readonly HashSet<string> Attributes =
    [
        "add_module", "apply", "bfloat16", "buffers", "children", "compile", "cpu", "cuda", "double", "eval", "extra_repr", "float",
        "forward", "half", "ipu", "load_state_dict", "modules", "mtia", "parameters", "reset", "share_memory", "state_dict", "step", "to",
        "train", "training", "type", "xpu",
    ];

    private readonly HashSet<string> locals = ["self", "x", "torch", "nn", "F"];

    /// <summary>How code reaches a module: self.layer1[0].conv1.</summary>
    /// <param name="module">PyTorch's name, layer1.0.conv1.</param>
    internal static string Access(string module)
    {
        StringBuilder code = new("self");
        foreach (string part in module.Split('.'))
        {
            code.Append(part.All(char.IsAsciiDigit) ? $"[{part}]" : IsIdentifier(part) ? "." + part : $"[{Quoted(part)}]");
        }

        return code.ToString();
    }

    /// <summary>A local variable for a value.</summary>
    /// <param name="node">The node that makes it.</param>
    internal string Local(string node)
    {
        string name = new([.. node.Select(c => char.IsAsciiLetterOrDigit(c) ? c : '_')]);
        name = char.IsAsciiDigit(name[0]) || Keywords.Contains(name) ? "_" + name : name;
        string free = name;
        for (int i = 2; !locals.Add(free); i++)
        {
            free = name + "_" + ExportSubject.Text(i);
        }

        return free;
    }

    /// <summary>A text in Python's quotes.</summary>
    /// <param name="text">The text.</param>
    internal static string Quoted(string text)
    {
        StringBuilder quoted = new("\"");
        foreach (char c in text)
        {
            quoted.Append(c switch
            {
                '"' or '\'' or '\\' => "\\" + c,
                '\n' => "\\n",
                '\r' => "\\r",
                _ => c.ToString(),
            });
        }

        return quoted.Append('"').ToString();
    }

    /// <summary>A text for a comment or a docstring, which it can't end.</summary>
    /// <param name="text">The text.</param>
    internal static string Plain(string text) => new([.. text.Select(c => c is '"' or '\'' or '\\' || char.IsControl(c) ? '_' : c)]);

    /// <summary>True if a module may have this name.</summary>
    /// <param name="part">A part of a name, between dots.</param>
    internal static bool IsFree(string part) => part.Length > 0 && !Attributes.Contains(part)
        && !part.StartsWith('_') && !part.StartsWith("register_", StringComparison.Ordinal)
        && !part.StartsWith("named_", StringComparison.Ordinal) && !part.StartsWith("get_", StringComparison.Ordinal);

    private static bool IsIdentifier(string part) => part.Length > 0 && !char.IsAsciiDigit(part[0]) && !Keywords.Contains(part)
        && part.All(c => char.IsAsciiLetterOrDigit(c) || c == '_');
}
