using PureHDF;

namespace SlttEngine.Tests.Export;

/// <summary>A node of a NIR file: its type and its numbers, and what the stateless types compute.</summary>
internal sealed class NirNode
{
    private readonly Dictionary<string, float[]> numbers = [];
    private readonly Dictionary<string, int[]> integers = [];
    private readonly Dictionary<string, int[]> dimensions = [];

    internal NirNode(IH5Group group)
    {
        Type = group.Dataset("type").Read<string>();
        foreach (IH5Dataset data in group.Children().OfType<IH5Dataset>().Where(d => d.Name != "type"))
        {
            dimensions[data.Name] = [.. data.Space.Dimensions.Select(d => (int)d)];
            if (data.Type.Class == H5DataTypeClass.FloatingPoint)
            {
                numbers[data.Name] = data.Read<float[]>();
            }
            else
            {
                long[] values = data.Space.Dimensions.Length == 0 ? [data.Read<long>()] : data.Read<long[]>();
                integers[data.Name] = [.. values.Select(v => (int)v)];
            }
        }
    }

    internal string Type { get; }

    internal float[] this[string field] => numbers[field];

    internal int[] Dimensions(string field) => dimensions[field];

    internal int[] Integers(string field) => integers[field];

    internal int[] OutputShape()
    {
        int[] w = dimensions["weight"], input = integers["input_shape"];
        return [w[0], Size(input[0], w[2], 0), Size(input[1], w[3], 1)];
    }

    internal int Pooled(int size, int axis) => Size(size, integers["kernel_size"][axis], axis);

    internal double[] Multiply(double[] x)
    {
        float[] w = numbers["weight"], b = numbers["bias"];
        Assert.That(w, Has.Length.EqualTo(b.Length * x.Length));
        return [.. b.Select((shift, o) => x.Select((v, i) => v * w[(o * x.Length) + i]).Sum() + shift)];
    }

    internal double[] Convolve(double[] x)
    {
        float[] w = numbers["weight"], b = numbers["bias"];
        int[] weight = dimensions["weight"], input = integers["input_shape"], shape = OutputShape();
        (int channels, int height, int width) = (weight[1] * integers["groups"][0], input[0], input[1]);
        Assert.That(x, Has.Length.EqualTo(channels * height * width));
        Assert.That((integers["groups"][0], integers["dilation"]), Is.EqualTo((1, new[] { 1, 1 })));
        double[] y = new double[shape[0] * shape[1] * shape[2]];
        for (int o = 0; o < shape[0]; o++)
        {
            for (int c = 0; c < channels; c++)
            {
                for (int ky = 0; ky < weight[2]; ky++)
                {
                    for (int kx = 0; kx < weight[3]; kx++)
                    {
                        double factor = w[(((((o * channels) + c) * weight[2]) + ky) * weight[3]) + kx];
                        Add(y, x, (o, c), (ky, kx), factor, shape, (height, width));
                    }
                }
            }
        }

        int area = shape[1] * shape[2];
        return [.. y.Select((v, i) => v + b[i / area])];
    }

    internal double[] Pool(double[] x, int[] shape)
    {
        int[] kernel = integers["kernel_size"];
        int[] output = [shape[0], Pooled(shape[1], 0), Pooled(shape[2], 1)];
        double[] y = new double[output[0] * output[1] * output[2]];
        for (int c = 0; c < shape[0]; c++)
        {
            for (int k = 0; k < kernel[0] * kernel[1]; k++)
            {
                Add(y, x, (c, c), (k / kernel[1], k % kernel[1]), 1.0 / (kernel[0] * kernel[1]), output, (shape[1], shape[2]));
            }
        }

        return y;
    }

    private void Add(
        double[] y, double[] x, (int To, int From) channel, (int Y, int X) tap, double factor, int[] shape, (int Height, int Width) map)
    {
        int[] stride = integers["stride"], padding = integers["padding"];
        for (int oy = 0; oy < shape[1]; oy++)
        {
            int iy = (oy * stride[0]) - padding[0] + tap.Y;
            for (int ox = 0; iy >= 0 && iy < map.Height && ox < shape[2]; ox++)
            {
                int ix = (ox * stride[1]) - padding[1] + tap.X;
                if (ix >= 0 && ix < map.Width)
                {
                    y[(((channel.To * shape[1]) + oy) * shape[2]) + ox] +=
                        factor * x[(((channel.From * map.Height) + iy) * map.Width) + ix];
                }
            }
        }
    }

    private int Size(int size, int window, int axis) =>
        ((size + (2 * integers["padding"][axis]) - window) / integers["stride"][axis]) + 1;
}
