using SlttEngine.Graph;

namespace SlttEngine.Layers;

/// <summary>Operations on gradients that several layers need.</summary>
internal static class GradientOps
{
    /// <summary>gradient += column sums of a (rows, channels) activation gradient, in two stages of fixed order.</summary>
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
        ChannelSums sums = b.NewChannelSums(bias, rows);
        b.Add(section, Op.ForSteps(
            name + " bias gradient",
            [gradOutput],
            [sums.Partials],
            s => b.Device.Kernels.BiasGradient<T>(
                sums.Shape, sums.Partials.At(s.First), gradOutput.At(s.First), s.Count * rows, bias.Count)));
        b.AddChannelGradientOfSteps(section, sums);
    }
}
