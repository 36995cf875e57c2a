using System.Reflection;
using SlttEngine.Device;

namespace SlttEngine.Bench;

/// <summary>A parameter of a kernel.</summary>
/// <param name="Name">Its name in C#.</param>
/// <param name="Type">Its exact type: float, int, ..., DevicePtr or ConstDevicePtr of its elements.</param>
internal sealed record KernelParameter(string Name, Type Type)
{
    /// <summary>True for a pointer.</summary>
    public bool IsPointer => Type.IsGenericType;

    /// <summary>True for a pointer to what the kernel only reads.</summary>
    public bool IsConst => IsPointer && Type.GetGenericTypeDefinition() == typeof(ConstDevicePtr<>);

    /// <summary>The type of the value, or of what the pointer points to.</summary>
    public Type Element => IsPointer ? Type.GetGenericArguments()[0] : Type;

    /// <summary>A type as C# writes it.</summary>
    public static string NameOf(Type type) =>
        type.IsGenericType ? $"{type.Name.Split('`')[0]}<{NameOf(type.GetGenericArguments()[0])}>"
        : type == typeof(float) ? "float"
        : type == typeof(int) ? "int"
        : type == typeof(long) ? "long"
        : type == typeof(uint) ? "uint"
        : type == typeof(double) ? "double"
        : type.Name;
}

/// <summary>A kernel's signature.</summary>
/// <param name="Name">Its symbol.</param>
/// <param name="Family">The symbol without the compute type's suffix.</param>
/// <param name="Index">Its index in <see cref="Kernels.Names"/>.</param>
/// <param name="Parameters">Its parameters, in order.</param>
internal sealed record KernelSignature(string Name, string Family, int Index, IReadOnlyList<KernelParameter> Parameters);

/// <summary>The signatures of all kernels, read from the generated launchers.</summary>
internal static class KernelSignatures
{
    /// <summary>The compute types, in the order of a kernel's variants.</summary>
    private static readonly Type[] ComputeTypes = [typeof(float), typeof(Half), typeof(BFloat16)];

    /// <summary>Every kernel by its symbol.</summary>
    public static IReadOnlyDictionary<string, KernelSignature> All { get; } =
        typeof(Kernels).GetMethods().SelectMany(Of).ToDictionary(k => k.Name);

    private static IEnumerable<KernelSignature> Of(MethodInfo method)
    {
        return method.GetCustomAttributes<KernelAttribute>().SelectMany(
            kernel => method.IsGenericMethodDefinition
                ? ComputeTypes.Select(
                    (type, variant) => Of(
                        $"{kernel.Symbol}_{((ComputeType)variant).Suffix()}", kernel.Symbol, method.MakeGenericMethod(type)))
                : [Of(kernel.Symbol, kernel.Symbol, method)]);
    }

    // A method's first parameter is the shape.
    private static KernelSignature Of(string name, string family, MethodInfo method) =>
        new(
            name, family, Array.IndexOf(Kernels.Names, name),
            [.. method.GetParameters().Skip(1).Select(p => new KernelParameter(p.Name!, p.ParameterType))]);
}
