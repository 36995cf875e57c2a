using SlttEngine.Device;

namespace SlttEngine.Tests.Kernels;

/// <summary>sgd, adamw, and the run state's kernels.</summary>
[TestFixtureSource(typeof(KernelTest), nameof(Kinds))]
public sealed class OptimizerTests(DeviceKind kind) : KernelTest(kind)
{
    private const float Rate = 0.1f, GradScale = 0.125f;
    private const double Beta1 = 0.9, Beta2 = 0.999;

    private static readonly RunState Ready = Cases.State with
    {
        LearningRate = Rate,
        GradScale = GradScale,
        BiasCorrection1 = 0.271f,
        BiasCorrection2 = 0.002997001f
    };

    [Test]
    public void Sgd([ValueSource(typeof(Cases), nameof(Cases.Lengths))] int count, [Values(0f, 0.01f)] float decay)
    {
        float[] w = Uniform(count, ComputeType.Float32, -1, 1, 1), buffer = Uniform(count, ComputeType.Float32, -1, 1, 2),
            grad = Uniform(count, ComputeType.Float32, -8, 8, 3);
        Tensor weight = Floats(w), momentum = Floats(buffer);
        Launch(
            "sgd", Cases.Launch(count), weight.Pointer, momentum.Pointer, Floats(grad).Pointer, State(Ready).Pointer, 0.9f, decay,
            (long)count);
        Approx[] wantBuffer = [.. buffer.Select((m, i) => (0.9f * (Approx)m) + ((grad[i] * (Approx)GradScale) + (decay * (Approx)w[i])))];
        AssertWithin(momentum.Read(), wantBuffer, "momentum_buffer");
        AssertWithin(weight.Read(), [.. w.Select((v, i) => v - (Rate * wantBuffer[i]))], "weight");
    }

    /// <summary>As torch.optim.AdamW with its coefficients in double, of which a beta rounded to float would miss 1e-5.</summary>
    [Test]
    public void AdamW([ValueSource(typeof(Cases), nameof(Cases.Lengths))] int count, [Values(0f, 0.01f)] float decay)
    {
        float[] w = Uniform(count, ComputeType.Float32, -1, 1, 1), m = Uniform(count, ComputeType.Float32, -1, 1, 2),
            v = Uniform(count, ComputeType.Float32, 0, 1, 3), grad = Uniform(count, ComputeType.Float32, -8, 8, 4);
        v[0] = 0;
        grad[0] = 0;
        Tensor weight = Floats(w), average = Floats(m), square = Floats(v);
        Launch(
            "adamw", Cases.Launch(count), weight.Pointer, average.Pointer, square.Pointer, Floats(grad).Pointer, State(Ready).Pointer,
            (float)Beta1, (float)Beta2, 1e-8f, decay, (long)count);
        Approx[] newM = new Approx[count], newV = new Approx[count], newW = new Approx[count];
        for (int i = 0; i < count; i++)
        {
            Approx g = grad[i] * (Approx)GradScale;
            newM[i] = (Rounded(Beta1) * m[i]) + (Rounded(1 - Beta1) * g);
            newV[i] = (Rounded(Beta2) * v[i]) + (Rounded(1 - Beta2) * (g * g));
            Approx root = newV[i].Value == 0 ? 0 : new Approx(
                Math.Sqrt(newV[i].Value), newV[i].Error / (2 * Math.Sqrt(newV[i].Value))).Roundings(1);
            Approx denominator = (root * Rounded(1 / Math.Sqrt(Ready.BiasCorrection2))) + 1e-8f;
            newW[i] = (w[i] * Rounded(1 - (Rate * (double)decay))) - (Rounded(
                Rate / (double)Ready.BiasCorrection1) * (newM[i] / denominator));
        }

        AssertWithin(average.Read(), newM, "exp_avg");
        AssertWithin(square.Read(), newV, "exp_avg_sq");
        AssertWithin(weight.Read(), newW, "weight");
    }

    [Test]
    public void NothingChangesAfterAnOverflow()
    {
        float[] values = Uniform(77, ComputeType.Float32, 0, 1, 1);
        DeviceArray<RunState> state = State(Ready with { Overflow = 1 });
        Tensor grad = Floats([.. Enumerable.Repeat(float.NaN, values.Length)]), a = Floats(values), b = Floats(values), c = Floats(values);
        Launch("sgd", Cases.Launch(0), a.Pointer, b.Pointer, grad.Pointer, state.Pointer, 0.9f, 0.1f, (long)values.Length);
        Launch(
            "adamw", Cases.Launch(0), a.Pointer, b.Pointer, c.Pointer, grad.Pointer, state.Pointer, 0.9f, 0.999f, 1e-8f, 0.1f,
            (long)values.Length);
        Launch("begin_update", LaunchShape.OneThread, state.Pointer, 0.9f, 0.999f);
        foreach (Tensor t in new[] { a, b, c })
        {
            AssertSame(t.Read(), values, "state");
        }

        Assert.That(state.Read()[0], Is.EqualTo(Ready with { Overflow = 1 }));
    }

    [Test]
    public void BiasCorrections([Values(0L, 1L, 99L, 100000L)] long steps)
    {
        DeviceArray<RunState> state = State(Ready with { OptimizerSteps = steps });
        Launch("begin_update", new LaunchShape(2, 32), state.Pointer, 0.9f, 0.999f);
        RunState after = state.Read()[0];
        Assert.That(after.OptimizerSteps, Is.EqualTo(steps + 1));
        AssertWithin(
            [after.BiasCorrection1, after.BiasCorrection2],
            [Rounded(1 - Math.Pow(Beta1, steps + 1)), Rounded(1 - Math.Pow(Beta2, steps + 1))], "bias corrections");
        Assert.That(
            after with { OptimizerSteps = 0, BiasCorrection1 = 0, BiasCorrection2 = 0 },
            Is.EqualTo(Ready with { BiasCorrection1 = 0, BiasCorrection2 = 0 }));
    }

    /// <summary>GradScaler's rule, step by step.</summary>
    [Test]
    public void LossScale([Values(0, 1)] int dynamic)
    {
        const int Interval = 3;
        DeviceArray<RunState> state = State(Ready with { LossScale = 65536, GradScale = 1 / 65536f });
        float scale = 65536;
        int good = 0;
        long skipped = 0;
        foreach (int overflow in new[] { 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 1, 0 })
        {
            RunState before = state.Read()[0];
            state = State(before with { Overflow = overflow });
            Launch("end_update", new LaunchShape(2, 32), state.Pointer, dynamic, 2f, 0.5f, Interval);
            if (overflow == 1)
            {
                (good, skipped, scale) = (0, skipped + 1, dynamic == 1 ? scale / 2 : scale);
            }
            else if (++good == Interval && dynamic == 1)
            {
                (good, scale) = (0, scale * 2);
            }

            RunState want = before with
            {
                LossScale = scale,
                GradScale = 1 / scale,
                GoodSteps = good,
                SkippedSteps = skipped,
                Overflow = 0
            };
            Assert.That(state.Read()[0], Is.EqualTo(want));
        }

        Assert.That(scale, Is.EqualTo(dynamic == 1 ? 65536f / 2 * 2 * 2 / 4 : 65536f));
    }

    /// <summary>The loss scale never becomes infinite.</summary>
    [Test]
    public void LossScaleStaysFinite()
    {
        float largest = MathF.Pow(2, 127);
        DeviceArray<RunState> state = State(Ready with { LossScale = largest });
        Launch("end_update", LaunchShape.OneThread, state.Pointer, 1, 2f, 0.5f, 1);
        Assert.That(state.Read()[0].LossScale, Is.EqualTo(largest));
    }

    [Test]
    public void AdvanceStep()
    {
        DeviceArray<RunState> state = State(Ready with { T = 4 });
        Launch("advance_step", new LaunchShape(2, 32), state.Pointer, 3);
        Assert.That(state.Read()[0], Is.EqualTo(Ready with { T = 7 }));
    }

    /// <summary>A coefficient computed in double and rounded once.</summary>
    private static Approx Rounded(double value) => new Approx(value, 0).Roundings(1);
}
