using SlttEngine.Device;
using SlttEngine.Graph;

namespace SlttEngine.Layers;

/// <summary>What backward of a neuron reads besides the gradient of its spikes.</summary>
/// <typeparam name="T">Compute type.</typeparam>
/// <param name="Spikes">Gradient of the spikes, from their first reader.</param>
/// <param name="Residual">Gradient of the spikes from a second reader, or null.</param>
/// <param name="Skip">Gradient of the neuron's input from another reader of it, or null.</param>
/// <param name="Carried">∂L/∂v(t), carried from step t + 1 to t and updated; null unless backward goes through time.</param>
internal readonly record struct SpikeGradients<T>(
    DeviceBuffer<T> Spikes, DeviceBuffer<T>? Residual, DeviceBuffer<T>? Skip, DeviceBuffer<T>? Carried)
    where T : unmanaged
{
    /// <summary>Those that are there.</summary>
    public IEnumerable<DeviceBuffer> Present => OptionalBuffers.Present(Spikes, Residual, Skip, Carried);

    /// <summary>The carried gradient, if it is there: it is updated.</summary>
    public IEnumerable<DeviceBuffer> Updated => OptionalBuffers.Present(Carried);
}

/// <summary>Operations of a neuron that the layers with a neuron share.</summary>
internal static class SpikeOps
{
    /// <summary>
    /// Where the membrane potential goes: each step's is kept for backward, the last one's for the steps to come. Where nothing reads it
    /// recomputed, as in an evaluation whose steps all go through the network side by side, it is scratch.
    /// </summary>
    /// <typeparam name="T">Compute type.</typeparam>
    /// <param name="b">The program.</param>
    /// <param name="spikes">The spikes.</param>
    public static DeviceBuffer<T> Potential<T>(ProgramBuilder<T> b, Edge spikes)
        where T : unmanaged
    {
        string name = spikes.Name + " u";
        bool keepsEach = b.Shape.Training || b.SpikeCounts is not null;
        bool isRead = keepsEach || b.Shape.StepsAtOnce < b.Shape.Steps || b.Shape.Steps == 1;
        return isRead
            ? b.Keep<T>(name, BufferKind.State, b.Count(spikes), keepsEach ? b.Copies : 1)
            : b.Scratch<T>(name, b.Count(spikes), Section.End);
    }

    /// <summary>The potential as an operation reads it: not where it is scratch.</summary>
    /// <param name="u">The membrane potential.</param>
    public static DeviceBuffer[] Read(DeviceBuffer u) => u.IsScratch ? [] : [u];

    /// <summary>1 where only the last of several steps leaves its potential.</summary>
    /// <param name="b">The program.</param>
    /// <param name="u">The membrane potential.</param>
    public static int KeepsLastOnly(ProgramBuilder b, DeviceBuffer u) => u.Copies < b.Shape.StepsAtOnce ? 1 : 0;

    /// <summary>Bytes of a buffer that one step leaves to the next in registers.</summary>
    /// <param name="state">The buffer, or null.</param>
    public static long CarriedBytes(DeviceBuffer? state) => state?.Bytes ?? 0;

    /// <summary>Recomputes the spikes of a step from u, in the backward section.</summary>
    /// <typeparam name="T">Compute type.</typeparam>
    /// <param name="b">The program.</param>
    /// <param name="spikes">The spikes.</param>
    /// <param name="u">Their membrane potential.</param>
    /// <param name="threshold">v_th.</param>
    /// <param name="spikeScale">What a spike counts for.</param>
    /// <param name="dropout">Dropout of the spikes.</param>
    public static DeviceBuffer<T> Recompute<T>(
        ProgramBuilder<T> b, Edge spikes, DeviceBuffer<T> u, float threshold, float spikeScale, Dropout dropout)
        where T : unmanaged
    {
        DeviceBuffer<T> recomputed = b.Scratch<T>(spikes.Name + " recomputed", b.Count(spikes));
        long n = b.Count(spikes);
        b.Add(Section.Backward, Op.ForSteps(
            spikes.Name + " spikes recomputed",
            [u],
            [recomputed],
            s => b.Device.Kernels.Spikes(
                b.Elementwise(n, s),
                recomputed.At(s.First),
                u.At(s.First),
                spikeScale,
                threshold,
                dropout.Rate,
                dropout.Layer,
                b.RunState,
                s.Count,
                n)));
        return recomputed;
    }

    /// <summary>
    /// Counts a step's spikes for each neuron, and notes whether any fired and any did not, as far as the program is to.
    /// </summary>
    /// <typeparam name="T">Compute type.</typeparam>
    /// <param name="b">The program.</param>
    /// <param name="spikes">The spikes.</param>
    /// <param name="u">Their membrane potential.</param>
    /// <param name="threshold">v_th.</param>
    /// <param name="output">The layer's output: the spikes or their averages, nothing dropped.</param>
    /// <param name="spikeScale">What a spike counts for.</param>
    public static void Observe<T>(
        ProgramBuilder<T> b, Edge spikes, DeviceBuffer<T> u, float threshold, (Edge Edge, DeviceBuffer<T> Y) output, float spikeScale)
        where T : unmanaged
    {
        if (!u.IsScratch)
        {
            b.AddNeurons(spikes, u, threshold);
            if (b.SpikeCounts is { } counts)
            {
                Count(b, spikes, u, threshold, counts);
            }
        }

        if (b.FiringFlags is { } flags)
        {
            // An average of spikes all of which fired may be rounded. One of 64 that did not makes more of a difference.
            float full = 0.99f * spikeScale;
            long n = b.Count(output.Edge);
            b.Add(Section.Forward, Op.ForSteps(
                spikes.Name + " find firing",
                [output.Y],
                [],
                s => b.Device.Kernels.FindFiring<T>(
                    b.Elementwise(s.Count * n), flags.Fired(spikes), flags.Silent(spikes), output.Y.At(s.First), full, s.Count * n)));
        }
    }

    private static void Count<T>(ProgramBuilder<T> b, Edge spikes, DeviceBuffer<T> u, float threshold, SpikeCounts counts)
        where T : unmanaged
    {
        // From u, so that each spike counts for 1 whatever it is scaled by.
        DeviceBuffer<T> ones = b.Scratch<T>(spikes.Name + " to count", b.Count(spikes));
        long n = b.Count(spikes);
        b.Add(Section.Forward, new Op(
            spikes.Name + " spikes to count",
            [u],
            [ones],
            t => b.Device.Kernels.Spikes(b.Elementwise(n), ones.At(t), u.At(t), 1f, threshold, 0f, 0u, b.RunState, 1, n)));
        b.Add(Section.Forward, new Op(
            spikes.Name + " count",
            [ones],
            [],
            t => b.Device.Kernels.ColumnSum<T>(
                LaunchShape.Channels((int)spikes.Elements), counts.Of(spikes), ones.At(t), b.Shape.Batch, (int)spikes.Elements)));
    }

    /// <summary>∂L/∂v(t), carried from step t + 1 to t: with backward through time only.</summary>
    /// <typeparam name="T">Compute type.</typeparam>
    /// <param name="b">The program.</param>
    /// <param name="spikes">The spikes.</param>
    public static DeviceBuffer<T>? Carried<T>(ProgramBuilder<T> b, Edge spikes)
        where T : unmanaged =>
        b.Shape.ThroughTime ? b.Keep<T>(spikes.Name + " carried gradient", BufferKind.State, b.Count(spikes), zeroed: true) : null;

    /// <summary>Where the gradient of a static input is added up over the steps, in float.</summary>
    /// <typeparam name="T">Compute type.</typeparam>
    /// <param name="b">The program.</param>
    /// <param name="input">The input.</param>
    public static DeviceBuffer<float> SumOverTime<T>(ProgramBuilder<T> b, Edge input)
        where T : unmanaged => b.Keep<float>(input.Name + " gradient over time", BufferKind.State, b.Count(input), zeroed: true);

    /// <summary>Adds the gradient of a static input up over the steps, in float.</summary>
    /// <typeparam name="T">Compute type.</typeparam>
    /// <param name="b">The program.</param>
    /// <param name="spikes">The spikes.</param>
    /// <param name="input">The neuron's input.</param>
    /// <param name="u">The membrane potential.</param>
    /// <param name="neuron">The neuron's constants.</param>
    /// <param name="gradients">Gradients of the spikes.</param>
    /// <param name="scales">What the input is multiplied by, and what a spike counts for.</param>
    /// <param name="dropout">Dropout of the spikes.</param>
    public static DeviceBuffer<float> AccumulateOverTime<T>(
        ProgramBuilder<T> b,
        Edge spikes,
        Edge input,
        DeviceBuffer<T> u,
        NeuronOptions neuron,
        SpikeGradients<T> gradients,
        (float Input, float Spike) scales,
        Dropout dropout)
        where T : unmanaged
    {
        long n = b.Count(spikes);
        DeviceBuffer<float> sum = SumOverTime(b, input);
        b.Add(Section.Backward, Op.ForSteps(
            spikes.Name + " backward",
            [u, sum, .. gradients.Present],
            [sum, .. gradients.Updated],
            s => b.Device.Kernels.LifBackwardAccumulate(
                b.Elementwise(n),
                sum.At(s.First),
                gradients.Spikes.At(s.First),
                gradients.Residual.AtOrNull(s.First),
                gradients.Skip.AtOrNull(s.First),
                u.At(s.First),
                gradients.Carried.AtOrNull(s.First),
                scales.Input,
                scales.Spike,
                neuron.Lambda,
                neuron.Threshold,
                (int)neuron.Surrogate,
                dropout.Rate,
                dropout.Layer,
                b.RunState,
                s.Count,
                n))
        with
        { CarriedBytes = 2 * (sum.Bytes + CarriedBytes(gradients.Carried)) });
        return sum;
    }
}
