using System.Runtime.InteropServices;
using Google.Protobuf;
using Onnx;

namespace SlttEngine.Export;

/// <summary>An ONNX graph that is being put together: nodes, and constants, each written once.</summary>
internal sealed class OnnxGraph(string name)
{
    private readonly HashSet<string> constants = [];

    /// <summary>The graph.</summary>
    internal GraphProto Proto { get; } = new() { Name = name };

    /// <summary>Numbers of all constants.</summary>
    internal long Parameters { get; private set; }

    /// <summary>Appends a node and returns its output.</summary>
    /// <param name="operation">ONNX's operator.</param>
    /// <param name="output">Name of the output, and of the node.</param>
    /// <param name="inputs">Its inputs.</param>
    /// <param name="attributes">Its attributes.</param>
    internal string Node(string operation, string output, string[] inputs, params AttributeProto[] attributes)
    {
        Proto.Node.Add(
            new NodeProto { OpType = operation, Name = output, Output = { output }, Input = { inputs }, Attribute = { attributes } });
        return output;
    }

    /// <summary>A constant of floats, made at its first use.</summary>
    /// <param name="constant">Its name.</param>
    /// <param name="shape">Its shape; empty: a scalar.</param>
    /// <param name="values">Its values.</param>
    internal string Constant(string constant, long[] shape, Func<float[]> values)
    {
        if (constants.Add(constant))
        {
            float[] numbers = values();
            Parameters += numbers.Length;
            Proto.Initializer.Add(new TensorProto
            {
                Name = constant,
                DataType = (int)TensorProto.Types.DataType.Float,
                Dims = { shape },
                RawData = ByteString.CopyFrom(MemoryMarshal.AsBytes(numbers.AsSpan())),
            });
        }

        return constant;
    }

    /// <summary>A scalar.</summary>
    /// <param name="constant">Its name.</param>
    /// <param name="value">Its value.</param>
    internal string Scalar(string constant, float value) => Constant(constant, [], () => [value]);

    /// <summary>A constant list of whole numbers.</summary>
    /// <param name="constant">Its name.</param>
    /// <param name="isScalar">True: one number that is no list.</param>
    /// <param name="values">Its values.</param>
    internal string Integers(string constant, bool isScalar, params long[] values)
    {
        if (constants.Add(constant))
        {
            Proto.Initializer.Add(new TensorProto
            {
                Name = constant,
                DataType = (int)TensorProto.Types.DataType.Int64,
                Dims = { isScalar ? [] : [values.Length] },
                RawData = ByteString.CopyFrom(MemoryMarshal.AsBytes(values.AsSpan())),
            });
        }

        return constant;
    }

    /// <summary>Declares an input.</summary>
    /// <param name="input">Its name.</param>
    /// <param name="description">What it is.</param>
    /// <param name="shape">Its shape: numbers, and names of sizes that are free.</param>
    internal string Input(string input, string description, params object[] shape)
    {
        Proto.Input.Add(Value(input, description, shape));
        return input;
    }

    /// <summary>Declares an output.</summary>
    /// <param name="output">Its name.</param>
    /// <param name="description">What it is.</param>
    /// <param name="shape">Its shape.</param>
    internal void Output(string output, string description, params object[] shape) => Proto.Output.Add(Value(output, description, shape));

    /// <summary>An attribute that is a whole number.</summary>
    /// <param name="attribute">Its name.</param>
    /// <param name="value">Its value.</param>
    internal static AttributeProto Attribute(string attribute, long value) =>
        new() { Name = attribute, I = value, Type = AttributeProto.Types.AttributeType.Int };

    /// <summary>An attribute that is a list of whole numbers.</summary>
    /// <param name="attribute">Its name.</param>
    /// <param name="values">Its values.</param>
    internal static AttributeProto Attribute(string attribute, params long[] values) =>
        new() { Name = attribute, Ints = { values }, Type = AttributeProto.Types.AttributeType.Ints };

    private static ValueInfoProto Value(string name, string description, object[] shape) => new()
    {
        Name = name,
        DocString = description,
        Type = new TypeProto
        {
            TensorType = new TypeProto.Types.Tensor
            {
                ElemType = (int)TensorProto.Types.DataType.Float,
                Shape = new TensorShapeProto
                {
                    Dim =
                    {
                        shape.Select(size => size is string free
                            ? new TensorShapeProto.Types.Dimension { DimParam = free }
                            : new TensorShapeProto.Types.Dimension { DimValue = (int)size }),
                    },
                },
            },
        },
    };
}
