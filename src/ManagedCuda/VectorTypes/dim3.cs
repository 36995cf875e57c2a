using System.Runtime.InteropServices;

namespace ManagedCuda.VectorTypes;

/// <summary>Blocks of a grid or threads of a block along x, y and z; a dimension that is left out is 1.</summary>
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
        : this(xValue, 1, 1)
    {
    }

    /// <summary>Creates the dimensions.</summary>
    public dim3(uint xValue, uint yValue, uint zValue)
    {
        x = xValue;
        y = yValue;
        z = zValue;
    }

    /// <inheritdoc/>
    public override readonly string ToString() => $"({x}; {y}; {z})";
}
