using System.Runtime.InteropServices;

namespace ManagedCuda.BasicTypes;

/// <summary>C's size_t: an unsigned integer as wide as a pointer, convertible from and to every integer type.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct SizeT
{
    private readonly nuint value;

    /// <summary>Creates a size from a <c>int</c>, its bits read as a 32-bit unsigned number.</summary>
    public SizeT(int value) => this.value = unchecked((uint)value);

    /// <summary>Creates a size from a <c>uint</c>.</summary>
    public SizeT(uint value) => this.value = value;

    /// <summary>Creates a size from a <c>long</c>.</summary>
    public SizeT(long value) => this.value = unchecked((nuint)value);

    /// <summary>Creates a size from a <c>ulong</c>.</summary>
    public SizeT(ulong value) => this.value = unchecked((nuint)value);

    /// <summary>Creates a size from a <c>UIntPtr</c>.</summary>
    public SizeT(UIntPtr value) => this.value = value;

    /// <summary>Creates a size from a <c>IntPtr</c>.</summary>
    public SizeT(IntPtr value) => this.value = unchecked((nuint)value);

    /// <summary>As a <c>int</c>; throws <see cref="OverflowException"/> beyond 32 bits.</summary>
    public static implicit operator int(SizeT size) => unchecked((int)checked((uint)size.value));

    /// <summary>From a <c>int</c>.</summary>
    public static implicit operator SizeT(int value) => new(value);

    /// <summary>As a <c>uint</c>; throws <see cref="OverflowException"/> beyond 32 bits.</summary>
    public static implicit operator uint(SizeT size) => checked((uint)size.value);

    /// <summary>From a <c>uint</c>.</summary>
    public static implicit operator SizeT(uint value) => new(value);

    /// <summary>As a <c>long</c>.</summary>
    public static implicit operator long(SizeT size) => unchecked((long)size.value);

    /// <summary>From a <c>long</c>.</summary>
    public static implicit operator SizeT(long value) => new(value);

    /// <summary>As a <c>ulong</c>.</summary>
    public static implicit operator ulong(SizeT size) => size.value;

    /// <summary>From a <c>ulong</c>.</summary>
    public static implicit operator SizeT(ulong value) => new(value);

    /// <summary>As a <c>UIntPtr</c>.</summary>
    public static implicit operator UIntPtr(SizeT size) => size.value;

    /// <summary>From a <c>UIntPtr</c>.</summary>
    public static implicit operator SizeT(UIntPtr value) => new(value);

    /// <summary>As a <c>IntPtr</c>.</summary>
    public static implicit operator IntPtr(SizeT size) => unchecked((nint)size.value);

    /// <summary>From a <c>IntPtr</c>.</summary>
    public static implicit operator SizeT(IntPtr value) => new(value);

    /// <summary>Sum.</summary>
    public static SizeT operator +(SizeT left, SizeT right) => new(unchecked(left.value + right.value));

    /// <summary>Sum.</summary>
    public static SizeT operator +(SizeT left, int right) => new(unchecked(left.value + (nuint)right));

    /// <summary>Sum.</summary>
    public static SizeT operator +(SizeT left, uint right) => new(unchecked(left.value + (nuint)right));

    /// <summary>Sum.</summary>
    public static SizeT operator +(int left, SizeT right) => new(unchecked((nuint)left + right.value));

    /// <summary>Sum.</summary>
    public static SizeT operator +(uint left, SizeT right) => new(unchecked((nuint)left + right.value));

    /// <summary>Difference.</summary>
    public static SizeT operator -(SizeT left, SizeT right) => new(unchecked(left.value - right.value));

    /// <summary>Difference.</summary>
    public static SizeT operator -(SizeT left, int right) => new(unchecked(left.value - (nuint)right));

    /// <summary>Difference.</summary>
    public static SizeT operator -(SizeT left, uint right) => new(unchecked(left.value - (nuint)right));

    /// <summary>Difference.</summary>
    public static SizeT operator -(int left, SizeT right) => new(unchecked((nuint)left - right.value));

    /// <summary>Difference.</summary>
    public static SizeT operator -(uint left, SizeT right) => new(unchecked((nuint)left - right.value));

    /// <summary>Product.</summary>
    public static SizeT operator *(SizeT left, SizeT right) => new(unchecked(left.value * right.value));

    /// <summary>Product.</summary>
    public static SizeT operator *(SizeT left, int right) => new(unchecked(left.value * (nuint)right));

    /// <summary>Product.</summary>
    public static SizeT operator *(SizeT left, uint right) => new(unchecked(left.value * (nuint)right));

    /// <summary>Product.</summary>
    public static SizeT operator *(int left, SizeT right) => new(unchecked((nuint)left * right.value));

    /// <summary>Product.</summary>
    public static SizeT operator *(uint left, SizeT right) => new(unchecked((nuint)left * right.value));

    /// <summary>Quotient, rounded down.</summary>
    public static SizeT operator /(SizeT left, SizeT right) => new(unchecked(left.value / right.value));

    /// <summary>Quotient, rounded down.</summary>
    public static SizeT operator /(SizeT left, int right) => new(unchecked(left.value / (nuint)right));

    /// <summary>Quotient, rounded down.</summary>
    public static SizeT operator /(SizeT left, uint right) => new(unchecked(left.value / (nuint)right));

    /// <summary>Quotient, rounded down.</summary>
    public static SizeT operator /(int left, SizeT right) => new(unchecked((nuint)left / right.value));

    /// <summary>Quotient, rounded down.</summary>
    public static SizeT operator /(uint left, SizeT right) => new(unchecked((nuint)left / right.value));

    /// <summary>True if left is less than right, both as unsigned numbers.</summary>
    public static bool operator <(SizeT left, SizeT right) => left.value < right.value;

    /// <summary>True if left is less than right, both as unsigned numbers.</summary>
    public static bool operator <(SizeT left, int right) => left.value < unchecked((nuint)right);

    /// <summary>True if left is less than right, both as unsigned numbers.</summary>
    public static bool operator <(SizeT left, uint right) => left.value < (nuint)right;

    /// <summary>True if left is less than right, both as unsigned numbers.</summary>
    public static bool operator <(int left, SizeT right) => unchecked((nuint)left) < right.value;

    /// <summary>True if left is less than right, both as unsigned numbers.</summary>
    public static bool operator <(uint left, SizeT right) => (nuint)left < right.value;

    /// <summary>True if left is greater than right, both as unsigned numbers.</summary>
    public static bool operator >(SizeT left, SizeT right) => left.value > right.value;

    /// <summary>True if left is greater than right, both as unsigned numbers.</summary>
    public static bool operator >(SizeT left, int right) => left.value > unchecked((nuint)right);

    /// <summary>True if left is greater than right, both as unsigned numbers.</summary>
    public static bool operator >(SizeT left, uint right) => left.value > (nuint)right;

    /// <summary>True if left is greater than right, both as unsigned numbers.</summary>
    public static bool operator >(int left, SizeT right) => unchecked((nuint)left) > right.value;

    /// <summary>True if left is greater than right, both as unsigned numbers.</summary>
    public static bool operator >(uint left, SizeT right) => (nuint)left > right.value;

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
