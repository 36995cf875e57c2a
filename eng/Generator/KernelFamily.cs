using System.Text.RegularExpressions;

namespace SlttEngine.Generator;

/// <summary>
/// A kernel, or its three variants for the compute types; and its instances, of which a launch takes the one for its neuron and for the
/// arrays that it is given.
/// </summary>
/// <param name="Name">The symbol, without the words of an instance and without the suffix of a type.</param>
/// <param name="Instances">One, or in the order of neurons and arrays.</param>
internal sealed record KernelFamily(string Name, IReadOnlyList<KernelInstance> Instances)
{
    internal static readonly string[] Suffixes = ["f32", "f16", "bf16"];

    /// <summary>Every kernel: for each instance one, or those for f32, f16 and bf16 in this order.</summary>
    public IReadOnlyList<ListedKernel> Variants { get; } = [.. Instances.SelectMany(i => i.Variants)];

    /// <summary>True if there is a variant for each compute type.</summary>
    public bool IsGeneric => Instances[0].Variants.Count > 1;

    /// <summary>The neurons that instances are for, in alphabetical order; none if it makes no difference.</summary>
    public IReadOnlyList<string> Neurons { get; } = [.. Instances.Select(i => i.Neuron).OfType<string>().Distinct()];

    /// <summary>The arrays whose presence chooses an instance, in the order of the parameters.</summary>
    public IReadOnlyList<string> Arrays { get; } = [
        .. Instances[0].Variants[0].Parameters.Select(p => p.Name).Where(p => Instances.Any(i => i.Arrays.Contains(p)))];

    /// <summary>
    /// The number of the instance for each neuron and each set of arrays, -1 where there is none. The index has a bit for each array, the
    /// first the highest, below the neuron's number.
    /// </summary>
    public IReadOnlyList<int> InstanceTable() => [
        .. Enumerable.Range(0, Math.Max(1, Neurons.Count) << Arrays.Count).Select(index =>
        {
            string? neuron = Neurons.ElementAtOrDefault(index >> Arrays.Count);
            IEnumerable<string> given = Arrays.Where((_, i) => (index >> (Arrays.Count - 1 - i) & 1) != 0);
            return Instances.ToList().FindIndex(i => i.Neuron == neuron && i.Arrays.Order().SequenceEqual(given.Order()));
        })];

    /// <summary>
    /// Groups kernels: those whose names differ by the compute type's suffix, by `_of_` and a neuron, and by `_with_` and the names of
    /// arrays with `_and_` between them, are one family.
    /// </summary>
    public static IReadOnlyList<KernelFamily> Of(IEnumerable<ListedKernel> kernels)
    {
        Dictionary<string, ListedKernel> byName = kernels.ToDictionary(k => k.Name);
        List<KernelInstance> instances = [];
        foreach (ListedKernel kernel in byName.Values)
        {
            string name = kernel.Name[..Math.Max(0, kernel.Name.LastIndexOf('_'))];
            List<ListedKernel> variants = [.. Suffixes.Select(s => byName.GetValueOrDefault($"{name}_{s}")).OfType<ListedKernel>()];
            if (variants.Count != Suffixes.Length || !variants.Contains(kernel))
            {
                instances.Add(KernelInstance.Of(kernel.Name, [kernel]));
            }
            else if (kernel == variants[0])
            {
                instances.Add(KernelInstance.Of(name, variants));
            }
        }

        return [
            .. instances.GroupBy(i => i.Family).OrderBy(f => f.Key, StringComparer.Ordinal).Select(
                f => new KernelFamily(
                    f.Key, [.. f.OrderBy(i => i.Neuron, StringComparer.Ordinal).ThenBy(i => i.Symbol, StringComparer.Ordinal)]))];
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
            bool follows = IsGeneric && all.Select((p, v) => p.Type == Suffixes[v % Suffixes.Length]).All(same => same);
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

/// <summary>One of a family's instances.</summary>
/// <param name="Symbol">The symbol, without the suffix of a type.</param>
/// <param name="Family">The family's name.</param>
/// <param name="Neuron">The neuron that it is for; null: any.</param>
/// <param name="Arrays">The arrays that it must be given, of those that instances differ in.</param>
/// <param name="Variants">One kernel, or those for f32, f16 and bf16 in this order.</param>
internal sealed partial record KernelInstance(
    string Symbol, string Family, string? Neuron, IReadOnlyList<string> Arrays, IReadOnlyList<ListedKernel> Variants)
{
    /// <summary>Reads the words of a symbol.</summary>
    /// <param name="symbol">The symbol, without the suffix of a type.</param>
    /// <param name="variants">Its kernels.</param>
    /// <exception cref="InvalidDataException">It names an array that is no parameter.</exception>
    public static KernelInstance Of(string symbol, IReadOnlyList<ListedKernel> variants)
    {
        Match words = Words().Match(symbol);
        string[] arrays = words.Groups[3].Success ? words.Groups[3].Value.Split("_and_") : [];
        if (arrays.FirstOrDefault(a => !variants[0].Parameters.Any(p => p.Pointer && p.Name == a)) is { } unknown)
        {
            throw new InvalidDataException($"{symbol}: it has no array called {unknown}");
        }

        return new(symbol, words.Groups[1].Value, words.Groups[2].Success ? words.Groups[2].Value : null, arrays, variants);
    }

    [GeneratedRegex("^(.+?)(?:_of_([a-z]+))?(?:_with_([a-z_]+))?$")]
    private static partial Regex Words();
}
