namespace SlttEngine.IO;

/// <summary>A storage of a torch.save file: the flat elements that one or more tensors share. Its data may be read later.</summary>
internal sealed class PthStorage(TensorType type, long count, string key)
{
    /// <summary>The element type.</summary>
    internal TensorType Type => type;

    /// <summary>The number of elements.</summary>
    internal long Count => count;

    /// <summary>Its name in the file.</summary>
    internal string Key => key;

    /// <summary>The raw elements; null until read.</summary>
    internal byte[]? Data { get; set; }

    /// <summary>For a view of another storage (old files): that storage and the first element in it.</summary>
    internal (PthStorage Root, long Offset)? View { get; init; }
}

/// <summary>A tensor of a torch.save file: a strided view of a storage.</summary>
internal sealed record PthTensor(PthStorage Storage, long Offset, long[] Shape, long[] Strides)
{
    private const long MaxExpanded = 1 << 30;

    /// <summary>The dense, row-major tensor; shares no memory with the storage unless it is exactly the storage.</summary>
    /// <param name="name">The name to give it.</param>
    /// <param name="path">The file, for errors.</param>
    /// <exception cref="SlttException">The view reaches outside its storage.</exception>
    internal NamedTensor ToDense(string name, string path)
    {
        PthStorage storage = Storage.View?.Root ?? Storage;
        long first = Offset + (Storage.View?.Offset ?? 0);
        int size = TensorTypes.Size(storage.Type);
        byte[] data = storage.Data ?? throw FileErrors.Bad(path, $"tensor {name}: its storage {storage.Key} is not in the file");
        long available = data.Length / size;
        if (Shape.Length != Strides.Length || Offset < 0 || first > available || !TensorTypes.TryCount(Shape, out long count))
        {
            throw FileErrors.Bad(path, $"tensor {name}: malformed shape or strides");
        }

        long last = first;
        for (int d = 0; d < Shape.Length && count > 0; d++)
        {
            if (Strides[d] < 0 || (Shape[d] > 1 && Strides[d] > (available - last) / (Shape[d] - 1)))
            {
                throw FileErrors.Bad(path, $"tensor {name} reaches outside its storage {storage.Key}");
            }

            last += (Shape[d] - 1) * Strides[d];
        }

        if (count > 0 && last >= available)
        {
            throw FileErrors.Bad(path, $"tensor {name} reaches outside its storage {storage.Key}");
        }

        if (count * size > Array.MaxLength || (count > available && count * size > MaxExpanded))
        {
            throw FileErrors.Bad(path, $"tensor {name} is too large: [{string.Join(", ", Shape)}]");
        }

        if (IsDense())
        {
            return NamedTensor.Raw(name, storage.Type, Shape,
                first == 0 && count == available ? data : data.AsSpan((int)(first * size), (int)(count * size)).ToArray());
        }

        byte[] dense = new byte[count * size];
        long[] index = new long[Shape.Length];
        long position = first;
        for (long i = 0; i < count; i++)
        {
            data.AsSpan((int)(position * size), size).CopyTo(dense.AsSpan((int)(i * size)));
            for (int d = Shape.Length - 1; d >= 0; d--)
            {
                position += Strides[d];
                if (++index[d] < Shape[d])
                {
                    break;
                }

                position -= Strides[d] * Shape[d];
                index[d] = 0;
            }
        }

        return NamedTensor.Raw(name, storage.Type, Shape, dense);
    }

    private bool IsDense()
    {
        long expected = 1;
        for (int d = Shape.Length - 1; d >= 0; d--)
        {
            if (Shape[d] != 1 && Strides[d] != expected)
            {
                return false;
            }

            expected *= Shape[d];
        }

        return true;
    }
}
