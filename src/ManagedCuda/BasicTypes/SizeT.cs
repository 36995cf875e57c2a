using System.Runtime.InteropServices;

namespace ManagedCuda.BasicTypes;

/// <summary>C's size_t: an unsigned integer as wide as a pointer.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct SizeT
{
    private readonly nuint value;

    private SizeT(nuint value) => this.value = value;

    /// <summary>From an int, whose bits are read as a 32-bit unsigned number.</summary>
    public static implicit operator SizeT(int value) => new(unchecked((uint)value));

    /// <summary>From a long, whose bits are read as an unsigned number.</summary>
    public static implicit operator SizeT(long value) => new(unchecked((nuint)value));

    /// <summary>From a ulong.</summary>
    public static implicit operator SizeT(ulong value) => new(unchecked((nuint)value));

    /// <summary>As a long with the same bits.</summary>
    public static implicit operator long(SizeT size) => unchecked((long)size.value);

    /// <summary>As a ulong.</summary>
    public static implicit operator ulong(SizeT size) => size.value;

    /// <summary>True if both are the same number.</summary>
    public static bool operator ==(SizeT left, SizeT right) => left.value == right.value;

    /// <summary>True if they differ.</summary>
    public static bool operator !=(SizeT left, SizeT right) => left.value != right.value;

    /// <inheritdoc/>
    public override readonly bool Equals(object? obj) => obj is SizeT other && other.value == value;

    /// <inheritdoc/>
    public override readonly int GetHashCode() => value.GetHashCode();

    /// <inheritdoc/>
    public override readonly string ToString() => value.ToString();
}
