using SlttEngine.Device;
using SlttEngine.Graph;

namespace SlttEngine.Layers;

/// <summary>Operations on gradients that several layers need.</summary>
internal static class GradientOps
{
    /// <summary>gradient += column sums of a (rows, channels) activation gradient, in a fixed order.</summary>
    /// <typeparam name="T">Compute type.</typeparam>
    /// <param name="b">The program.</param>
    /// <param name="section">When.</param>
    /// <param name="name">The layer.</param>
    /// <param name="gradOutput">Gradient of its output.</param>
    /// <param name="bias">The parameter whose gradient it is.</param>
    /// <param name="rows">Rows of a step.</param>
    public static void AddBiasGradient<T>(
        ProgramBuilder<T> b, Section section, string name, DeviceBuffer<T> gradOutput, Parameter bias, long rows)
        where T : unmanaged
    {
        LaunchShape shape = LaunchShape.TiledRowSums(b.Device, rows, bias.Count);
        DeviceBuffer<double> partials = b.Scratch<double>(bias.Name + " partial sums", (long)shape.Blocks * bias.Count);
        b.Add(section, Op.ForSteps(
            name + " bias gradient",
            [gradOutput],
            [partials],
            s => b.Device.Kernels.BiasGradient<T>(
                shape,
                partials.At(s.First),
                b.Store.Arrived,
                b.Store.Gradient(bias),
                gradOutput.At(s.First),
                s.Count * rows,
                bias.Count))
        with
        { ParameterBytes = 8L * bias.Count });
    }
}
