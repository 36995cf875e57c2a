using ManagedCuda;
using ManagedCuda.BasicTypes;
using SlttEngine.Device;
using SlttEngine.Graph;

namespace SlttEngine.Cli.Verification;

/// <summary>Replays a recorded LIF layer: spikes, u, v and the gradient of its input, by SLTT or BPTT.</summary>
internal static class NeuronReplay
{
    public static VerificationReport Run(ComputeDevice device, RecordedFile recorded)
    {
        (float[] x, float[] upstream) = (recorded.Floats("x"), recorded.Floats("upstream"));
        int steps = recorded.Integer("T");
        int n = x.Length / steps;
        bool throughTime = recorded.Text("method") == "bptt";
        NeuronOptions neuron = new(recorded.Number("tau"), RecordedNames.Surrogate(recorded), (float)recorded.Number("v_threshold"));
        Result result = Compute(device, neuron, x, upstream, steps, n, throughTime);

        GroupCollector groups = new();
        bool exact = recorded.Has("note") && recorded.Text("note").Contains("exact", StringComparison.Ordinal);
        groups.Equal("spikes", "spikes", result.Spikes, recorded.Floats("spikes"));
        Compare("u", result.U, exact, Tolerances.Outputs);
        Compare("v", result.V, exact, Tolerances.Outputs);
        Compare("grad_x", result.GradX, exact && neuron.Surrogate != Surrogate.Sigmoid, Tolerances.Gradients);
        return new VerificationReport(
            recorded.Path, $"LIF neuron, {recorded.Text("method")}, {recorded.Text("surrogate")}, tau {recorded.Text("tau")}, T = {steps}",
            groups.Results, groups.Checksums);

        void Compare(string name, float[] actual, bool equal, double tolerance)
        {
            if (equal)
            {
                groups.Equal(name, name, actual, recorded.Floats(name));
            }
            else
            {
                groups.Near(name, name, actual, recorded.Floats(name), tolerance);
            }
        }
    }

    private static Result Compute(
        ComputeDevice device, NeuronOptions neuron, float[] x, float[] upstream, int steps, int n, bool throughTime)
    {
        // Steps are a multiple of 256 bytes apart, as the engine lays them out.
        int stride = (n + 63) / 64 * 64;
        using CudaDeviceVariable<float> input = new(stride * steps);
        using CudaDeviceVariable<float> gradient = new(stride * steps);
        using CudaDeviceVariable<float> u = new(stride * steps);
        using CudaDeviceVariable<float> spikes = new(stride * steps);
        using CudaDeviceVariable<float> carried = new(stride);
        using CudaDeviceVariable<byte> state = new(System.Runtime.InteropServices.Marshal.SizeOf<RunState>());
        carried.MemsetAsync(0u, device.Stream.Stream);
        state.MemsetAsync((byte)0, device.Stream.Stream);
        for (int t = 0; t < steps; t++)
        {
            HostCopy.ToDevice<float>(device, At(input, t).Pointer, x.AsSpan(t * n, n));
            HostCopy.ToDevice<float>(device, At(gradient, t).Pointer, upstream.AsSpan(t * n, n));
        }

        LaunchShape shape = LaunchShape.Elements(device, n, 4);
        ConstDevicePtr<RunState> runState = new(state.DevicePointer);
        for (int t = 0; t < steps; t++)
        {
            // Step 0 has no potential before it: u_prev is null.
            device.Kernels.LifForward<float>(
                shape, At(spikes, t), At(u, t), uPrev: t == 0 ? default : At(u, t - 1), At(input, t), xBias: default, xScale: 1f,
                spikeScale: 1f, neuron.Lambda, neuron.Threshold, dropRate: 0f, dropLayer: 0, runState, xShared: 0, uLast: 0, steps: 1,
                rows: n, channels: 1);
        }

        foreach (int t in throughTime ? Enumerable.Range(0, steps).Reverse() : Enumerable.Range(0, steps))
        {
            device.Kernels.LifBackward<float>(
                shape, At(gradient, t), At(gradient, t), gradResidual: default, gradSkip: default, At(u, t),
                throughTime ? new DevicePtr<float>(carried.DevicePointer) : default, xScale: 1f, spikeScale: 1f, neuron.Lambda,
                neuron.Threshold, (int)neuron.Surrogate, dropRate: 0f, dropLayer: 0, runState, steps: 1, n);
        }

        float[] potentials = Read(u);
        float[] fired = Read(spikes);
        return new Result(fired, potentials, [.. potentials.Select((p, i) => p - (fired[i] * neuron.Threshold))], Read(gradient));

        DevicePtr<float> At(CudaDeviceVariable<float> variable, int t) =>
            new(new CUdeviceptr((ulong)variable.DevicePointer.Pointer + (ulong)(4L * t * stride)));

        float[] Read(CudaDeviceVariable<float> variable)
        {
            float[] values = new float[n * steps];
            for (int t = 0; t < steps; t++)
            {
                HostCopy.ToHost<float>(device, At(variable, t).Pointer, values.AsSpan(t * n, n));
            }

            return values;
        }
    }

    private sealed record Result(float[] Spikes, float[] U, float[] V, float[] GradX);
}
