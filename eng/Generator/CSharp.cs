namespace SlttEngine.Generator;

/// <summary>What C++ names and types are called in C#.</summary>
internal static class CSharp
{
    private static readonly string[] Keywords =
        ["base", "checked", "event", "fixed", "in", "is", "lock", "object", "out", "override", "params", "ref", "string"];

    /// <summary>Fields whose C# name is a longer one.</summary>
    private static readonly Dictionary<string, string> FieldNames = new() { ["lr"] = "LearningRate" };

    /// <summary>snake_case as PascalCase.</summary>
    public static string Pascal(string name) =>
        string.Concat(name.Split('_', StringSplitOptions.RemoveEmptyEntries).Select(w => char.ToUpperInvariant(w[0]) + w[1..]));

    /// <summary>snake_case as camelCase; a keyword of C# gets an @.</summary>
    public static string Camel(string name)
    {
        string pascal = Pascal(name);
        string camel = pascal.Length == 0 ? "" : char.ToLowerInvariant(pascal[0]) + pascal[1..];
        return Keywords.Contains(camel) ? "@" + camel : camel;
    }

    /// <summary>A field of RunState.</summary>
    public static string Field(string name) => FieldNames.GetValueOrDefault(name) ?? Pascal(name);

    /// <summary>The C# type of a listed one.</summary>
    public static string Type(string listed) => listed switch
    {
        "f32" => "float",
        "f16" => "Half",
        "bf16" => "BFloat16",
        "f64" => "double",
        "i32" => "int",
        "i64" => "long",
        "u8" => "byte",
        "u16" => "ushort",
        "u32" => "uint",
        "u64" => "ulong",
        "RunState" => "RunState",
        _ => throw new InvalidDataException($"no C# type stands for {listed}"),
    };
}
