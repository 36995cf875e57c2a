using SlttEngine.Training;

namespace SlttEngine.Cli.Options;

/// <summary>A learning method as the command line spells it.</summary>
/// <param name="Name">As --method takes it.</param>
/// <param name="Title">As people write it: SLTT-2.</param>
/// <param name="InRunFolder">As the official programs' folder names have it: SLTTK2.</param>
/// <param name="Create">Makes the method.</param>
public sealed record MethodEntry(
    string Name, Func<TrainOptions, string> Title, Func<TrainOptions, string> InRunFolder, Func<TrainOptions, Method> Create);

/// <summary>The learning methods by name.</summary>
public static class MethodTable
{
    /// <summary>SLTT.</summary>
    public const string Sltt = "sltt";

    /// <summary>SLTT-K.</summary>
    public const string SlttK = "slttk";

    /// <summary>Backpropagation through time.</summary>
    public const string Bptt = "bptt";

    /// <summary>All methods.</summary>
    public static IReadOnlyList<MethodEntry> All { get; } =
    [
        new(Sltt, _ => "SLTT", _ => "SLTT", _ => new Sltt()),
        new(SlttK, o => $"SLTT-{o.K}", o => $"SLTTK{o.K}", o => new SlttK(o.K)),
        new(Bptt, _ => "BPTT", _ => "BPTT", _ => new Bptt()),
    ];

    /// <summary>Their names.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. All.Select(m => m.Name)];

    /// <summary>The method of a name.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <exception cref="SlttException">There is no such method.</exception>
    public static MethodEntry Find(string name) => All.FirstOrDefault(m => m.Name == name)
        ?? throw NearestName.Unknown("method", name, [.. Names]);
}
