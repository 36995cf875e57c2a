using SlttEngine.Device;
using SlttEngine.Graph;

namespace SlttEngine.Tests.Engine;

/// <summary>What <see cref="GradientCheck"/> finds, on the strict CPU device.</summary>
public sealed class GradientCheckTests
{
    private ComputeDevice device = null!;

    [OneTimeSetUp]
    public void Open()
    {
        if (SharedDevice.Choice == DeviceChoice.Cuda)
        {
            Assert.Ignore("a process has one kind of device");
        }

        device = ComputeDevice.Open(DeviceKind.CpuFaithful);
    }

    [OneTimeTearDown]
    public void Close() => device?.Dispose();

    [Test]
    public void A_wrong_backward_does_not_pass()
    {
        GradientCheck check = GradientCheck.Of(device, 3, 2, 5, (_, x) => new WrongGain(x));
        Assert.That(check.Passes, Is.False);
        Assert.That(check.Differences.Single().Relative, Is.EqualTo(1).Within(0.001), "twice the gradient is 1 off");
        Assert.That(check.ToString(), Does.StartWith("input: 1.0E+000 off; farthest at element "));
    }

    [Test]
    public void A_kernel_that_writes_beyond_its_buffer_is_named_on_the_strict_device()
    {
        Assert.That(
            () => GradientCheck.Of(device, 3, 2, 5, (_, x) => new WrongGain(x, overrun: 1)),
            Throws.TypeOf<SlttException>().With.Message.EqualTo("gain forward has written beyond the 240 bytes of 'gain'"));
    }

    /// <summary>y = x, with a backward that doubles, or a forward that writes too much.</summary>
    private sealed class WrongGain : Layer
    {
        private static readonly KernelSource Source = new("wrong gain.cu", """
            template <class T> __device__ void copy(T* y, const T* x, float factor, int64_t n) {
                for_items(n, [=](int64_t i) { y[i] = from_float<T>(factor * to_float(x[i])); });
            }
            SLTT_KERNEL(copy_f32, (float* y, const float* x, float factor, int64_t n), copy<float>(y, x, factor, n))
            """);

        private readonly Edge input;
        private readonly int overrun;

        public WrongGain(Edge input, int overrun = 0)
            : base("gain")
        {
            (this.input, this.overrun, Output) = (input, overrun, input.Like("gain"));
        }

        public override IReadOnlyList<Edge> Inputs => [input];

        public override Action Emit<T>(ProgramBuilder<T> b)
        {
            CompiledKernel copy = b.Kernel(Source, "copy");
            DeviceBuffer<T> x = b.Activation(input), y = b.NewActivation(Output);
            b.Add(Section.Forward, new Op(Name + " forward", [x], [y], t => copy.Launch(
                LaunchShape.Single, y.At(t), x.At(t), 1f, b.Count(Output) + overrun)));
            return () =>
            {
                DeviceBuffer<T> gradY = b.DrainGradient(Output), gradX = b.NewGradient(input);
                b.Add(Section.Backward, new Op(Name + " backward", [gradY], [gradX], t => copy.Launch(
                    LaunchShape.Single, gradX.At(t), gradY.At(t), 2f, b.Count(Output))));
            };
        }
    }
}
