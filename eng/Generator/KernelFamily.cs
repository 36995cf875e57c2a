namespace SlttEngine.Generator;

/// <summary>A kernel, or its three variants for the compute types.</summary>
/// <param name="Name">The symbol, without the suffix where there are variants.</param>
/// <param name="Variants">One kernel, or those for f32, f16 and bf16 in this order.</param>
internal sealed record KernelFamily(string Name, IReadOnlyList<ListedKernel> Variants)
{
    private static readonly string[] Suffixes = ["f32", "f16", "bf16"];

    /// <summary>True if there is a variant for each compute type.</summary>
    public bool IsGeneric => Variants.Count > 1;

    /// <summary>Groups kernels: those whose names differ by the compute type's suffix alone are one family.</summary>
    public static IReadOnlyList<KernelFamily> Of(IEnumerable<ListedKernel> kernels)
    {
        Dictionary<string, ListedKernel> byName = kernels.ToDictionary(k => k.Name);
        List<KernelFamily> families = [];
        foreach (ListedKernel kernel in byName.Values)
        {
            string name = kernel.Name[..Math.Max(0, kernel.Name.LastIndexOf('_'))];
            List<ListedKernel> variants = [.. Suffixes.Select(s => byName.GetValueOrDefault($"{name}_{s}")).OfType<ListedKernel>()];
            if (variants.Count != Suffixes.Length || !variants.Contains(kernel))
            {
                families.Add(new(kernel.Name, [kernel]));
            }
            else if (kernel == variants[0])
            {
                families.Add(new(name, variants));
            }
        }

        return [.. families.OrderBy(f => f.Name, StringComparer.Ordinal)];
    }

    /// <summary>The C# types of the parameters; what follows the compute type is T.</summary>
    /// <exception cref="InvalidDataException">The variants differ in more than the compute type.</exception>
    public IReadOnlyList<(string Name, string Type)> Parameters()
    {
        List<(string Name, string Type)> parameters = [];
        for (int i = 0; i < Variants[0].Parameters.Count; i++)
        {
            ListedParameter first = Variants[0].Parameters[i];
            ListedParameter[] all = [.. Variants.Select(v => v.Parameters.ElementAtOrDefault(i) ?? first)];
            bool follows = IsGeneric && all.Select(p => p.Type).SequenceEqual(Suffixes);
            if (Variants.Any(v => v.Parameters.Count != Variants[0].Parameters.Count)
                || all.Any(p => p with { Type = first.Type } != first || (!follows && p.Type != first.Type)))
            {
                throw new InvalidDataException($"the variants of {Name} differ in more than the compute type, at parameter {first.Name}");
            }

            string type = follows ? "T" : CSharp.Type(first.Type);
            parameters.Add(
                (CSharp.Camel(first.Name), !first.Pointer ? type : first.Const ? $"ConstDevicePtr<{type}>" : $"DevicePtr<{type}>"));
        }

        if (parameters.Any(p => p.Name.Length == 0))
        {
            throw new InvalidDataException($"{Name}: every parameter needs a name");
        }

        return parameters;
    }
}
