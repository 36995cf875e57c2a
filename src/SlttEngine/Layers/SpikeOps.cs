using ManagedCuda.BasicTypes;
using SlttEngine.Device;
using SlttEngine.Graph;

namespace SlttEngine.Layers;

/// <summary>Operations of a neuron that the layers with a neuron share.</summary>
internal static class SpikeOps
{
    /// <summary>Makes the spikes of a step again from u, in the backward section.</summary>
    public static DeviceBuffer Regenerate(ProgramBuilder b, Edge spikes, DeviceBuffer u, float spikeScale, float dropRate, uint dropLayer)
    {
        DeviceBuffer again = ProgramBuilder.Scratch(spikes.Name + " again", b.BytesOf(spikes));
        long n = spikes.Elements * b.Shape.Batch;
        b.Add(Section.Backward, new Op(
            spikes.Name + " spikes again",
            [u],
            [again],
            t => b.Device.Launch(
                "spikes_" + b.Suffix, Elements(b, n), again.At(t), u.At(t), spikeScale, b.Neuron.Threshold, dropRate, dropLayer, b.RunState, n)));
        return again;
    }

    /// <summary>Counts a step's spikes for each neuron, where the program counts.</summary>
    public static void Count(ProgramBuilder b, Edge spikes, DeviceBuffer u)
    {
        if (b.SpikeCounts is not { } counts)
        {
            return;
        }

        // Afresh from u, so that each counts for 1 whatever it is scaled by.
        DeviceBuffer ones = ProgramBuilder.Scratch(spikes.Name + " to count", b.BytesOf(spikes));
        long n = spikes.Elements * b.Shape.Batch;
        b.Add(Section.Forward, new Op(
            spikes.Name + " spikes to count",
            [u],
            [ones],
            t => b.Device.Launch("spikes_" + b.Suffix, Elements(b, n), ones.At(t), u.At(t), 1f, b.Neuron.Threshold, 0f, 0u, b.RunState, n)));
        b.Add(Section.Forward, new Op(
            spikes.Name + " count",
            [ones],
            [],
            t => b.Device.Launch(
                "column_sum_" + b.Suffix, LaunchShape.Channels((int)spikes.Elements), counts.Of(spikes), ones.At(t), (long)b.Shape.Batch, (int)spikes.Elements)));
    }

    /// <summary>∂L/∂v(t), carried from step t + 1 to t: with backward through time only.</summary>
    public static DeviceBuffer? Carried(ProgramBuilder b, Edge spikes) =>
        b.Shape.ThroughTime ? b.Keep(spikes.Name + " carried gradient", BufferKind.State, b.BytesOf(spikes), zeroed: true) : null;

    /// <summary>Where the gradient of a static input is added up over the steps, in float.</summary>
    public static DeviceBuffer SumOverTime(ProgramBuilder b, Edge input) =>
        b.Keep(input.Name + " gradient over time", BufferKind.State, 4 * input.Elements * b.Shape.Batch, zeroed: true);

    /// <summary>Adds the gradient of a static input up over the steps, in float.</summary>
    public static DeviceBuffer AccumulateOverTime(
        ProgramBuilder b,
        Edge spikes,
        Edge input,
        DeviceBuffer u,
        DeviceBuffer gradSpikes,
        DeviceBuffer? gradResidual,
        DeviceBuffer? gradSkip,
        DeviceBuffer? carried,
        float inputScale,
        float spikeScale,
        float dropRate,
        uint dropLayer)
    {
        long n = spikes.Elements * b.Shape.Batch;
        DeviceBuffer sum = SumOverTime(b, input);
        DeviceBuffer[] optional = [.. new[] { gradResidual, gradSkip, carried }.OfType<DeviceBuffer>()];
        b.Add(Section.Backward, new Op(
            spikes.Name + " backward",
            [gradSpikes, u, sum, .. optional],
            [sum, .. carried is null ? Array.Empty<DeviceBuffer>() : [carried]],
            t => b.Device.Launch(
                "lif_backward_accumulate_" + b.Suffix,
                Elements(b, n),
                sum.At(t),
                gradSpikes.At(t),
                gradResidual?.At(t) ?? default(CUdeviceptr),
                gradSkip?.At(t) ?? default(CUdeviceptr),
                u.At(t),
                carried?.At(t) ?? default(CUdeviceptr),
                inputScale,
                spikeScale,
                b.Neuron.Lambda,
                b.Neuron.Threshold,
                (int)b.Neuron.Surrogate,
                dropRate,
                dropLayer,
                b.RunState,
                n)));
        return sum;
    }

    public static LaunchShape Elements(ProgramBuilder b, long n) => LaunchShape.Elements(b.Device, n, b.Shape.Type.Size());
}
