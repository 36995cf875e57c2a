using System.Globalization;
using System.Reflection;

namespace SlttEngine.Tests.ManagedCudaApi;

/// <summary>Lists the public members of an assembly, one a line: name, parameter types, type, value of a constant.</summary>
internal static class ApiSignatures
{
    private const BindingFlags Declared = BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    public static IEnumerable<string> Of(Assembly assembly) => assembly.GetExportedTypes().SelectMany(Of);

    private static IEnumerable<string> Of(Type type)
    {
        string name = Name(type);
        if (type.IsEnum)
        {
            yield return $"enum {name} : {Name(Enum.GetUnderlyingType(type))}{(type.IsDefined(typeof(FlagsAttribute)) ? " flags" : "")}";
            foreach (FieldInfo field in type.GetFields(BindingFlags.Public | BindingFlags.Static))
            {
                yield return $"{name}.{field.Name} = {Convert.ToString(field.GetRawConstantValue(), CultureInfo.InvariantCulture)}";
            }

            yield break;
        }

        if (typeof(Delegate).IsAssignableFrom(type))
        {
            MethodInfo invoke = type.GetMethod("Invoke")!;
            yield return $"delegate {Name(invoke.ReturnType)} {name}({Parameters(invoke)})";
            yield break;
        }

        yield return $"{Kind(type)} {name}{Bases(type)}";
        foreach (FieldInfo field in type.GetFields(Declared))
        {
            yield return $"{name}.{field.Name} : {Static(field.IsStatic)}{Name(field.FieldType)}";
        }

        foreach (ConstructorInfo constructor in type.GetConstructors(Declared))
        {
            yield return $"{name}.new({Parameters(constructor)})";
        }

        foreach (MethodInfo method in type.GetMethods(Declared))
        {
            string generic = method.IsGenericMethod ? $"<{string.Join(", ", method.GetGenericArguments().Select(a => a.Name))}>" : "";
            yield return $"{name}.{method.Name}{generic}({Parameters(method)}) : {Static(method.IsStatic)}{Name(method.ReturnType)}";
        }
    }

    private static string Kind(Type type) => type switch
    {
        { IsValueType: true } => "struct",
        { IsInterface: true } => "interface",
        { IsAbstract: true, IsSealed: true } => "static class",
        { IsSealed: true } => "sealed class",
        _ => "class",
    };

    private static string Bases(Type type)
    {
        List<string> bases = type.GetInterfaces().Select(Name).Order(StringComparer.Ordinal).ToList();
        if (type.IsClass && type.BaseType is { } parent && parent != typeof(object))
        {
            bases.Insert(0, Name(parent));
        }

        return bases.Count == 0 ? "" : " : " + string.Join(", ", bases);
    }

    private static string Static(bool isStatic) => isStatic ? "static " : "";

    private static string Parameters(MethodBase method) => string.Join(", ", method.GetParameters().Select(Parameter));

    private static string Parameter(ParameterInfo parameter)
    {
        string prefix = parameter.IsDefined(typeof(ParamArrayAttribute)) ? "params "
            : parameter.IsOut && parameter.ParameterType.IsByRef ? "out "
            : "";
        return prefix + Name(parameter.ParameterType);
    }

    private static string Name(Type type)
    {
        if (type.IsByRef)
        {
            return "ref " + Name(type.GetElementType()!);
        }

        if (type.IsArray)
        {
            return Name(type.GetElementType()!) + "[]";
        }

        if (type.IsGenericParameter)
        {
            return type.Name;
        }

        string full = (type.IsGenericType ? type.GetGenericTypeDefinition() : type).FullName!.Split('`')[0].Replace('+', '.');
        foreach (string prefix in new[] { "ManagedCuda.BasicTypes.", "System.", "ManagedCuda." })
        {
            if (full.StartsWith(prefix, StringComparison.Ordinal))
            {
                full = full[prefix.Length..];
                break;
            }
        }

        return type.IsGenericType ? $"{full}<{string.Join(", ", type.GetGenericArguments().Select(Name))}>" : full;
    }
}
