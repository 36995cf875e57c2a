using System.Runtime.InteropServices;

namespace ManagedCuda.VectorTypes;

/// <summary>Blocks of a grid or threads of a block along x, y and z; what is left out is 1.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct dim3
{
    /// <summary>Along x.</summary>
    public uint x;

    /// <summary>Along y.</summary>
    public uint y;

    /// <summary>Along z.</summary>
    public uint z;

    /// <summary>Creates the dimensions.</summary>
    public dim3(uint xValue)
    {
        x = xValue;
        y = 1;
        z = 1;
    }

    /// <summary>Creates the dimensions.</summary>
    public dim3(uint xValue, uint yValue)
    {
        x = xValue;
        y = yValue;
        z = 1;
    }

    /// <summary>Creates the dimensions.</summary>
    public dim3(uint xValue, uint yValue, uint zValue)
    {
        x = xValue;
        y = yValue;
        z = zValue;
    }

    /// <summary>Creates the dimensions.</summary>
    public dim3(int xValue)
    {
        x = (uint)xValue;
        y = 1;
        z = 1;
    }

    /// <summary>Creates the dimensions.</summary>
    public dim3(int xValue, int yValue)
    {
        x = (uint)xValue;
        y = (uint)yValue;
        z = 1;
    }

    /// <summary>Creates the dimensions.</summary>
    public dim3(int xValue, int yValue, int zValue)
    {
        x = (uint)xValue;
        y = (uint)yValue;
        z = (uint)zValue;
    }

    /// <summary>(value, 1, 1).</summary>
    public static implicit operator dim3(int value) => new(value);

    /// <summary>(value, 1, 1).</summary>
    public static implicit operator dim3(uint value) => new(value);

    /// <summary>Sum, axis by axis.</summary>
    public static dim3 Add(dim3 left, dim3 right) => new(left.x + right.x, left.y + right.y, left.z + right.z);

    /// <summary>Sum, axis by axis.</summary>
    public static dim3 operator +(dim3 left, dim3 right) => Add(left, right);

    /// <summary>Sum, axis by axis.</summary>
    public static dim3 Add(dim3 left, uint right) => new(left.x + right, left.y + right, left.z + right);

    /// <summary>Sum, axis by axis.</summary>
    public static dim3 operator +(dim3 left, uint right) => Add(left, right);

    /// <summary>Sum, axis by axis.</summary>
    public static dim3 Add(uint left, dim3 right) => new(left + right.x, left + right.y, left + right.z);

    /// <summary>Sum, axis by axis.</summary>
    public static dim3 operator +(uint left, dim3 right) => Add(left, right);

    /// <summary>Difference, axis by axis.</summary>
    public static dim3 Subtract(dim3 left, dim3 right) => new(left.x - right.x, left.y - right.y, left.z - right.z);

    /// <summary>Difference, axis by axis.</summary>
    public static dim3 operator -(dim3 left, dim3 right) => Subtract(left, right);

    /// <summary>Difference, axis by axis.</summary>
    public static dim3 Subtract(dim3 left, uint right) => new(left.x - right, left.y - right, left.z - right);

    /// <summary>Difference, axis by axis.</summary>
    public static dim3 operator -(dim3 left, uint right) => Subtract(left, right);

    /// <summary>Difference, axis by axis.</summary>
    public static dim3 Subtract(uint left, dim3 right) => new(left - right.x, left - right.y, left - right.z);

    /// <summary>Difference, axis by axis.</summary>
    public static dim3 operator -(uint left, dim3 right) => Subtract(left, right);

    /// <summary>Product, axis by axis.</summary>
    public static dim3 Multiply(dim3 left, dim3 right) => new(left.x * right.x, left.y * right.y, left.z * right.z);

    /// <summary>Product, axis by axis.</summary>
    public static dim3 operator *(dim3 left, dim3 right) => Multiply(left, right);

    /// <summary>Product, axis by axis.</summary>
    public static dim3 Multiply(dim3 left, uint right) => new(left.x * right, left.y * right, left.z * right);

    /// <summary>Product, axis by axis.</summary>
    public static dim3 operator *(dim3 left, uint right) => Multiply(left, right);

    /// <summary>Product, axis by axis.</summary>
    public static dim3 Multiply(uint left, dim3 right) => new(left * right.x, left * right.y, left * right.z);

    /// <summary>Product, axis by axis.</summary>
    public static dim3 operator *(uint left, dim3 right) => Multiply(left, right);

    /// <summary>Quotient, axis by axis.</summary>
    public static dim3 Divide(dim3 left, dim3 right) => new(left.x / right.x, left.y / right.y, left.z / right.z);

    /// <summary>Quotient, axis by axis.</summary>
    public static dim3 operator /(dim3 left, dim3 right) => Divide(left, right);

    /// <summary>Quotient, axis by axis.</summary>
    public static dim3 Divide(dim3 left, uint right) => new(left.x / right, left.y / right, left.z / right);

    /// <summary>Quotient, axis by axis.</summary>
    public static dim3 operator /(dim3 left, uint right) => Divide(left, right);

    /// <summary>Quotient, axis by axis.</summary>
    public static dim3 Divide(uint left, dim3 right) => new(left / right.x, left / right.y, left / right.z);

    /// <summary>Quotient, axis by axis.</summary>
    public static dim3 operator /(uint left, dim3 right) => Divide(left, right);

    /// <summary>The smaller along each axis.</summary>
    public static dim3 Min(dim3 left, dim3 right) => new(Math.Min(left.x, right.x), Math.Min(left.y, right.y), Math.Min(left.z, right.z));

    /// <summary>The greater along each axis.</summary>
    public static dim3 Max(dim3 left, dim3 right) => new(Math.Max(left.x, right.x), Math.Max(left.y, right.y), Math.Max(left.z, right.z));

    /// <summary>True if equal along all axes.</summary>
    public static bool operator ==(dim3 left, dim3 right) => left.Equals(right);

    /// <summary>True if they differ along an axis.</summary>
    public static bool operator !=(dim3 left, dim3 right) => !left.Equals(right);

    /// <inheritdoc/>
    public readonly bool Equals(dim3 value) => x == value.x && y == value.y && z == value.z;

    /// <inheritdoc/>
    public override readonly bool Equals(object? obj) => obj is dim3 other && Equals(other);

    /// <inheritdoc/>
    public override readonly int GetHashCode() => HashCode.Combine(x, y, z);

    /// <inheritdoc/>
    public override readonly string ToString() => $"({x}; {y}; {z})";
}
