using SlttEngine.Device;

namespace SlttEngine.Tests.Kernels;

/// <summary>lif_backward, lif_backward_accumulate and batch_norm_lif_backward against the chain rule written out.</summary>
[TestFixtureSource(typeof(KernelTest), nameof(Kinds))]
public sealed class LifBackwardTests(DeviceKind kind) : KernelTest(kind)
{
    private const float Lambda = 0.3f;
    private const uint Layer = 9;

    /// <summary>What there is besides the gradient of the spikes.</summary>
    [Flags]
    public enum Extra
    {
        /// <summary>Nothing: SLTT, plain layer.</summary>
        None = 0,

        /// <summary>A gradient that reaches the spikes around the dropout.</summary>
        Residual = 1,

        /// <summary>A gradient that reaches the input around the layer.</summary>
        Skip = 2,

        /// <summary>BPTT: a gradient from the next time step.</summary>
        Carried = 4,
    }

    private static readonly Extra[] Extras = [
        Extra.None, Extra.Residual, Extra.Skip, Extra.Carried, Extra.Residual | Extra.Skip | Extra.Carried];
    private static readonly Extra[] NormExtras = [Extra.None, Extra.Residual, Extra.Carried, Extra.Residual | Extra.Carried];

    [Test]
    public void Backward(
        [ValueSource(typeof(Cases), nameof(Cases.Types))] ComputeType type,
        [ValueSource(typeof(Cases), nameof(Cases.Lengths))] int count) =>
        ForEach(Extras, extra => Backward(type, count, extra));

    private void Backward(ComputeType type, int count, Extra extra)
    {
        // Each surrogate at some lengths, every one at 33.
        foreach (int surrogate in count == 33 ? Neuron.Surrogates : [Neuron.Surrogates[(count + (int)extra) % 3]])
        {
            float rate = surrogate == Neuron.Rectangle ? 0.3f : 0, inputScale = surrogate == Neuron.Sigmoid ? 0.7f : 1,
                spikeScale = surrogate == Neuron.Sigmoid ? 2.74f : 1;
            Inputs x = new(count, type, extra, rate);
            (Approx[] du, Approx[] carried) = Expected(x, type, surrogate, spikeScale);
            Approx[] dx = [.. du.Select((d, i) => x.Skip is null ? inputScale * d : (inputScale * d) + x.Skip[i])];
            Approx[] sum = [.. dx.Select((d, i) => x.Before[i] + d)];

            // Into memory of its own, over grad_spikes, and added to a float sum.
            Tensor spikes = Upload(type, x.Spikes), output = Poisoned(type, count), total = Floats(x.Before);
            foreach ((string kernel, Tensor to, Tensor from) in new[]
            {
                ("lif_backward_", output, spikes), ("lif_backward_accumulate_", total, spikes), ("lif_backward_", spikes, spikes),
            })
            {
                Tensor? carry = x.Carried is null ? null : Upload(type, x.Carried);
                Launch(
                    kernel + type.Suffix(), Cases.Launch(count + surrogate), to.Pointer, from.Pointer,
                    x.Residual is null ? Null : Upload(type, x.Residual).Pointer, x.Skip is null ? Null : Upload(type, x.Skip).Pointer,
                    Upload(type, x.U).Pointer, carry?.Pointer ?? Null, inputScale, spikeScale, Lambda, Neuron.Threshold, surrogate,
                    rate, Layer, State(Cases.State).Pointer, 1, (long)count);
                if (to == total)
                {
                    AssertWithin(to.Read(), sum, "grad_x_sum");
                }
                else
                {
                    AssertWithin(to.Read(), [.. dx.Select(d => d.As(type))], to == from ? "grad_x over grad_spikes" : "grad_x");
                }

                if (carry is not null)
                {
                    AssertWithin(carry.Read(), [.. carried.Select(c => c.As(type))], "carried");
                }
            }
        }
    }

    [Test]
    public void NormalisedBackward(
        [ValueSource(typeof(Cases), nameof(Cases.Types))] ComputeType type,
        [ValueSource(typeof(Cases), nameof(Cases.Matrices))] Matrix size) =>
        ForEach(NormExtras, extra => NormalisedBackward(type, size, extra));

    private void NormalisedBackward(ComputeType type, Matrix size, Extra extra)
    {
        (int rows, int channels, int count) = (size.Rows, size.Channels, size.Count);
        float[] y = Uniform(count, type, -1, 2, 21), mean = Uniform(channels, ComputeType.Float32, -0.5f, 0.5f, 22),
            invstd = Uniform(channels, ComputeType.Float32, 0.5f, 2, 23);
        foreach (int surrogate in rows == 31 ? Neuron.Surrogates : [Neuron.Surrogates[(rows + channels + (int)extra) % 3]])
        {
            float rate = surrogate == Neuron.Rectangle ? 0.3f : 0;
            Inputs x = new(count, type, extra, rate);
            (Approx[] du, Approx[] carried) = Expected(x, type, surrogate, 1);
            bool inPlace = surrogate == Neuron.Sigmoid;
            LaunchShape shape = Cases.Launch(rows + channels + surrogate) with { Tiles = 1 + (channels % 3) };
            Tensor spikes = Upload(type, x.Spikes), grad = inPlace ? spikes : Poisoned(type, count);
            Tensor? carry = x.Carried is null ? null : Upload(type, x.Carried);
            GradientSums sums = GradientSums(shape, channels);
            Launch(
                Instances.Backward(type, surrogate, x.Residual is not null, carry is not null), shape,
                [grad.Pointer, .. sums.Arguments, spikes.Pointer, x.Residual is null ? Null : Upload(type, x.Residual).Pointer,
                    Upload(type, x.U).Pointer, carry?.Pointer ?? Null, Upload(type, y).Pointer, Floats(mean).Pointer,
                    Floats(invstd).Pointer, Lambda, Neuron.Threshold, surrogate, rate, Layer, State(Cases.State).Pointer, 1, (long)rows,
                    channels]);
            float[] stored = grad.Read();
            AssertWithin(stored, [.. du.Select(d => d.As(type))], "grad_y");
            if (carry is not null)
            {
                AssertWithin(carry.Read(), [.. carried.Select(c => c.As(type))], "carried");
            }

            // The sums are of the gradient as it was stored.
            sums.Assert(AssertWithin, size, (i, c) => [stored[i], stored[i] * (((Approx)y[i] - mean[c]) * invstd[c])]);
        }
    }

    /// <summary>dL/du and what is carried to the step before, before they are rounded to the type.</summary>
    private static (Approx[] Du, Approx[] Carried) Expected(Inputs x, ComputeType type, int surrogate, float spikeScale)
    {
        Approx[] du = new Approx[x.U.Length], carried = new Approx[x.U.Length];
        for (int i = 0; i < du.Length; i++)
        {
            Approx ds = x.Mask[i] == 0 ? 0 : x.Mask[i] * (Approx)x.Spikes[i];
            ds = x.Residual is null ? ds : ds + x.Residual[i];
            ds = spikeScale == 1 ? ds : spikeScale * ds;
            Approx g = Neuron.Surrogate(surrogate, x.U[i] - (Approx)Neuron.Threshold);
            du[i] = x.Carried is null ? g * ds : (g * ds) + (x.Carried[i] * (1 - (Neuron.Threshold * g)));
            carried[i] = Lambda * du[i];
        }

        return (du, carried);
    }

    /// <summary>Inputs of one case, numbers that the type holds exactly.</summary>
    private sealed class Inputs(int count, ComputeType type, Extra extra, float rate)
    {
        public float[] Spikes { get; } = Uniform(count, type, -1, 1, 11);

        public float[] U { get; } = Uniform(count, type, -1, 3, 12);

        public float[]? Residual { get; } = extra.HasFlag(Extra.Residual) ? Uniform(count, type, -1, 1, 13) : null;

        public float[]? Skip { get; } = extra.HasFlag(Extra.Skip) ? Uniform(count, type, -1, 1, 14) : null;

        public float[]? Carried { get; } = extra.HasFlag(Extra.Carried) ? Uniform(count, type, -1, 1, 15) : null;

        public float[] Before { get; } = Uniform(count, ComputeType.Float32, -1, 1, 16);

        public float[] Mask { get; } = Philox.Mask(count, rate, Layer, Cases.State);
    }
}
