namespace SlttEngine.Device;

/// <summary>A parameter of a user's own kernel, as far as the compiler tells.</summary>
/// <param name="Name">The name in the source, empty where only PTX is known.</param>
/// <param name="Type">Type of the value, or of what a pointer points to: f32, i64 and so on. Of PTX: b32, b64 for integers and pointers.
/// </param>
/// <param name="IsPointer">True for a pointer; of PTX always false.</param>
/// <param name="IsConst">True if the kernel only reads what it points to.</param>
internal sealed record SourceParameter(string Name, string Type, bool IsPointer, bool IsConst)
{
    private static readonly (string Type, string Cpp, string CSharp, Type Element)[] Types =
    [
        ("f32", "float", "float", typeof(float)),
        ("f16", "f16", "Half", typeof(Half)),
        ("bf16", "bf16", "BFloat16", typeof(BFloat16)),
        ("f64", "double", "double", typeof(double)),
        ("i32", "int", "int", typeof(int)),
        ("i64", "int64_t", "long", typeof(long)),
        ("u8", "uint8_t", "byte", typeof(byte)),
        ("u16", "uint16_t", "ushort", typeof(ushort)),
        ("u32", "uint32_t", "uint", typeof(uint)),
        ("u64", "uint64_t", "ulong", typeof(ulong)),
        ("RunState", "RunState", "RunState", typeof(RunState)),
        ("b32", "a 32-bit integer", "int", typeof(int)),
        ("b64", "a pointer or 64-bit integer", "long", typeof(long)),
    ];

    /// <summary>The CPU device's name of a C# type.</summary>
    /// <typeparam name="T">The C# type.</typeparam>
    /// <exception cref="NotSupportedException">No kernel has a parameter of this type.</exception>
    public static string NameOf<T>()
        where T : unmanaged => Array.Find(Types, t => t.Element == typeof(T)).Type
        ?? throw new NotSupportedException($"no kernel takes a pointer to {typeof(T).Name}");

    /// <summary>True if an argument may be passed.</summary>
    /// <param name="argument">The argument.</param>
    public bool Takes(in KernelArgument argument) => Type switch
    {
        "b32" => !argument.IsPointer && argument.Type is "i32" or "u32",
        "b64" => argument.IsPointer || argument.Type is "i64" or "u64",
        _ => argument.IsPointer == IsPointer && argument.Type == Type && (IsConst || !argument.IsConst),
    };

    /// <summary>The parameter in the words of C++.</summary>
    public override string ToString() =>
        (IsPointer && IsConst ? "const " : "") + Find(Type).Cpp + (IsPointer ? "*" : "");

    /// <summary>The C# type to pass.</summary>
    public string CSharp => IsPointer ? $"{(IsConst ? "Const" : "")}DevicePtr<{Find(Type).CSharp}>" : Find(Type).CSharp;

    /// <summary>An argument in the words of C#.</summary>
    /// <param name="argument">The argument.</param>
    public static string Describe(in KernelArgument argument) =>
        new SourceParameter(string.Empty, argument.Type, argument.IsPointer, argument.IsConst).CSharp;

    private static (string Type, string Cpp, string CSharp, Type Element) Find(string type) =>
        Array.Find(Types, t => t.Type == type) is { Type: not null } found ? found : (type, type, type, typeof(void));
}

/// <summary>A user's own kernel, as far as the compiler tells.</summary>
/// <param name="Name">Its symbol.</param>
/// <param name="Parameters">Its parameters.</param>
internal sealed record SourceKernel(string Name, IReadOnlyList<SourceParameter> Parameters);
