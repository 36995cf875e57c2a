namespace SlttEngine.IO;

/// <summary>The names that a torch.save file may use, and what each makes: tensors, plain containers and numbers.</summary>
internal static class PthGlobals
{
    /// <summary>By <c>module.name</c>.</summary>
    internal static IReadOnlyDictionary<string, PickleCallable> All { get; } = Globals();

    private static Dictionary<string, PickleCallable> Globals()
    {
        Dictionary<string, PickleCallable> globals = new Dictionary<string, PickleCallable>
        {
            ["collections.OrderedDict"] = OrderedDict,
            ["torch._utils._rebuild_tensor"] = RebuildTensor,
            ["torch._utils._rebuild_tensor_v2"] = RebuildTensor,
            ["torch._utils._rebuild_parameter"] = RebuildParameter,
            ["torch._utils._rebuild_parameter_with_state"] = RebuildParameter,
            ["torch._tensor._rebuild_from_type_v2"] = static arguments => arguments is [PickleGlobal rebuild, _, object?[] parts, ..]
                ? rebuild.Call(parts) : throw new PickleFormatException("malformed arguments"),
            ["collections.defaultdict"] = static _ => new PickleDict(),
            ["collections.Counter"] = static arguments => arguments is [PickleDict counts] ? counts : new PickleDict(),
            ["torch.Size"] = static arguments => arguments is [var sizes] && PickleValues.Longs(sizes) is not null ? sizes
                : throw new PickleFormatException("not a list of sizes"),
        };
        foreach (string storage in PthReader.StorageTypes.Keys)
        {
            // Named only inside persistent ids, as the element type; never called.
            globals[storage] = static _ => throw new PickleFormatException("is a type here, not a call");
        }

        foreach ((string name, PickleCallable call) in NumpyPickle.Globals)
        {
            globals[name] = arguments => NumpyOrOpaque(name, call, arguments);
        }

        return globals;
    }

    /// <summary>An array of anything but numbers is no more than its name: a checkpoint's tensors are torch's.</summary>
    private static object? NumpyOrOpaque(string name, PickleCallable call, object?[] arguments)
    {
        try
        {
            return call(arguments);
        }
        catch (PickleFormatException)
        {
            return new PickleOpaque(name);
        }
    }

    private static object RebuildParameter(object?[] arguments) => arguments is [PthTensor or PickleOpaque, ..] ? arguments[0]!
        : throw new PickleFormatException("a parameter without its tensor");

    private static PickleDict OrderedDict(object?[] arguments)
    {
        PickleDict dict = new PickleDict { Ordered = true };
        IReadOnlyList<object?> pairs = arguments.Length == 0 ? []
            : PickleValues.Items(arguments[0]) ?? throw new PickleFormatException("items that are not a list");
        foreach (object? pair in pairs)
        {
            if (PickleValues.Items(pair) is not { Count: 2 } item)
            {
                throw new PickleFormatException("an item that is not a pair");
            }

            dict.Set(item[0], item[1]);
        }

        return dict;
    }

    private static object RebuildTensor(object?[] arguments) => arguments switch
    {
        [PthStorage storage, long offset, var shape, var strides, ..]
            when PickleValues.Longs(shape) is { } sizes && PickleValues.Longs(strides) is { } steps
            => new PthTensor(storage, offset, sizes, steps),
        [PickleOpaque storage, ..] => storage,
        _ => throw new PickleFormatException("malformed arguments"),
    };
}
