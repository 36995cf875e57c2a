using SlttEngine.Device;
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
    /// <param name="rows">Rows.</param>
    public static void AddBiasGradient<T>(
        ProgramBuilder<T> b, Section section, string name, DeviceBuffer<T> gradOutput, Parameter bias, long rows)
        where T : unmanaged
    {
        int channels = bias.Count;
        LaunchShape sums = LaunchShape.RowSums(b.Device, rows, channels);
        DeviceBuffer<double> partials = b.Scratch<double>(name + " bias partial sums", (long)sums.Blocks * channels);
        b.Add(section, new Op(
            name + " bias gradient",
            [gradOutput],
            [partials],
            t => b.Device.Kernels.BiasGradient<T>(sums, partials.At(t), gradOutput.At(t), rows, channels)));
        b.Add(section, new Op(
            name + " bias gradient finalize",
            [partials],
            [],
            t => b.Device.Kernels.BiasGradientFinalize(
                LaunchShape.SecondStage(channels), b.Store.Gradient(bias), partials.At(t), sums.Blocks, channels))
        { ParameterBytes = 8L * channels });
    }
}
