using ManagedCuda.BasicTypes;
using SlttEngine.Device;
using SlttEngine.Graph;

namespace SlttEngine.Layers;

/// <summary>Operations on gradients that several layers need.</summary>
internal static class GradientOps
{
    /// <summary>gradient += step, with a look for inf and nan.</summary>
    public static Op Accumulate(ProgramBuilder b, CUdeviceptr gradient, DeviceBuffer step, long count) => new(
        step.Name + " accumulate",
        [step],
        [],
        t => b.Device.Launch("accumulate_gradients_" + b.Suffix, LaunchShape.Elements(b.Device, count, b.Shape.Type.Size()), gradient, step.At(t), b.RunState, count));

    /// <summary>gradient += column sums of a (rows, channels) activation gradient, in two stages of fixed order.</summary>
    public static void AddBiasGradient(ProgramBuilder b, Section section, string name, DeviceBuffer gradOutput, CUdeviceptr gradient, long rows, int channels)
    {
        LaunchShape sums = LaunchShape.RowSums(b.Device, rows, channels);
        DeviceBuffer partials = ProgramBuilder.Scratch(name + " bias partial sums", 8L * sums.Blocks * channels);
        b.Add(section, new Op(
            name + " bias gradient",
            [gradOutput],
            [partials],
            t => b.Device.Launch("bias_gradient_" + b.Suffix, sums, partials.At(t), gradOutput.At(t), rows, channels)));
        b.Add(section, new Op(
            name + " bias gradient finalize",
            [partials],
            [],
            t => b.Device.Launch("bias_gradient_finalize", LaunchShape.SecondStage(channels), gradient, partials.At(t), sums.Blocks, channels)));
    }
}
