using SlttEngine.Device;
using SlttEngine.Graph;
using SlttEngine.Layers;
using SlttEngine.Training;

namespace SlttEngine.Tests.Engine;

/// <summary>On the strict CPU device, an operation that writes beyond its buffer is named, whether it is captured or not.</summary>
public sealed class ArenaGuardTests
{
    private const int Batch = 3;

    private ComputeDevice device = null!;

    [OneTimeSetUp]
    public void Open()
    {
        if (SharedDevice.Choice == DeviceChoice.Cuda)
        {
            Assert.Ignore("guards exist on the strict CPU device alone, and a process has one kind of device");
        }

        device = ComputeDevice.Open(DeviceKind.CpuFaithful);
    }

    [OneTimeTearDown]
    public void Close() => device?.Dispose();

    [Test]
    public void Operations_within_their_buffers_train([Values] bool throughTime) => Train(overrun: 0, throughTime, iterations: 3);

    // The batch's 1,152 bytes end 128 bytes before the next multiple of 256, where the next buffer could begin: only a guard sees the
    // element.
    [Test]
    public void One_element_too_far_is_named([Values] bool throughTime) => Assert.That(
        () => Train(overrun: 1, throughTime, iterations: 1),
        Throws.TypeOf<SlttException>().With.Message.EqualTo("copy forward has written beyond the 1152 bytes of 'copy'"));

    // The first iteration is launched directly, the second one captured.
    [Test]
    public void A_captured_iteration_is_checked() => Assert.That(
        () => Train(overrun: 1, throughTime: false, iterations: 2, first: 1),
        Throws.TypeOf<SlttException>().With.Message.Contains("'copy'"));

    [Test]
    public void A_library_call_that_takes_more_workspace_than_it_asked_for_is_named() => Assert.That(
        () => Run(
            (b, ops) =>
            {
                DeviceBuffer<byte> workspace = b.Workspace("call", 100);
                ops.Add(new Op("call", [], [workspace], t => device.Context.ClearMemoryAsync(
                    workspace.Address(t), (byte)0, 101, device.Stream.Stream)));
            }),
        Throws.TypeOf<SlttException>().With.Message.EqualTo("call has written beyond the 100 bytes of 'call workspace'"));

    [Test]
    public void Buffers_that_take_each_others_place_share_a_guard() => Run((b, ops) =>
    {
        DeviceBuffer<byte> small = b.Scratch<byte>("small", 100);
        DeviceBuffer<byte> large = b.Scratch<byte>("large", 300);
        void Fill(DeviceBuffer<byte> buffer) =>
            device.Context.ClearMemoryAsync(buffer.Address(0), (byte)7, buffer.Bytes, device.Stream.Stream);
        ops.Add(new Op("first", [], [small], _ => Fill(small)));
        ops.Add(new Op("second", [small], [large], _ => Fill(large), InPlace: (large, small)));
    });

    [Test]
    public void Without_guards_a_plan_has_no_byte_more()
    {
        DeviceBuffer<byte> scratch = new("scratch", BufferKind.Scratch, 256);
        DeviceBuffer<byte> kept = new("kept", BufferKind.State, 256, copies: 2);
        Op[] ops = [new Op("op", [], [scratch], _ => { })];
        Assert.Multiple(() =>
        {
            Assert.That(Arena.Plan([kept], [ops]).Bytes, Is.EqualTo(3 * 256));
            Assert.That(Arena.Plan([kept], [ops], ArenaGuards.Bytes).Bytes, Is.EqualTo(3 * 512));
        });
    }

    private void Run(Action<ProgramBuilder<float>, List<Op>> emit)
    {
        Network network = new("test", 2, 8, 6, 5);
        using ParameterStore store = new(device, network, ComputeType.Float32, 0);
        ProgramBuilder<float> b = new(store, new ProgramShape(1, 1, ComputeType.Float32, true, false, true), new NeuronOptions());
        List<Op> ops = [];
        emit(b, ops);
        Arena arena = Arena.Plan([], [ops], ArenaGuards.Bytes);
        using ManagedCuda.CudaDeviceVariable<byte> memory = new(arena.Bytes);
        arena.Place(memory.DevicePointer);
        using ArenaGuards guards = new(device, arena);
        guards.Allocate();
        foreach (Op op in guards.Around(ops))
        {
            op.Launch(0);
        }

        guards.ThrowIfViolated();
    }

    private void Train(int overrun, bool throughTime, int iterations, int first = 0)
    {
        Network network = new("test", 2, 8, 6, 5);
        Edge spikes = network.Add(new Lif("lif", network.Input, 1, 1));
        Copy copy = new("copy", spikes);
        Edge y = network.Add(copy);
        network.Add(new Linear(network, "fc", y, new Initializer.Constant(0)));
        InputFormat.Frames format = new("u8", 1, [1, 1], [0, 0]);
        using TrainingEngine engine = new(device, network, new EngineOptions
        {
            Method = throughTime ? new Bptt() : new Sltt(),
            Steps = 2,
            TrainInput = format,
            TestInput = format,
            TrainBatches = [Batch],
        });
        engine.Store.Initialize(1);
        byte[] input = new byte[2 * 8 * 6 * Batch];
        new Random(1).NextBytes(input);
        for (int i = 0; i < iterations; i++)
        {
            copy.Overrun = i >= first ? overrun : 0;
            engine.TrainIteration(input, [0, 1, 2], 0.1);
        }
    }

    /// <summary>A layer that copies its input, and some elements more than there are.</summary>
    private sealed class Copy : Layer
    {
        private readonly Edge input;

        public Copy(string name, Edge input)
            : base(name)
        {
            this.input = input;
            Output = new Edge(name, input.Height, input.Width, input.Channels, dependsOnInputOnly: false);
        }

        public int Overrun { get; set; }

        public override IReadOnlyList<Edge> Inputs => [input];

        public override Action Emit<T>(ProgramBuilder<T> b)
        {
            Op To(string pass, DeviceBuffer<T> from, DeviceBuffer<T> to, Func<int> beyond) => new(
                Name + pass,
                [from],
                [to],
                t => b.Device.Kernels.Scale(b.Elementwise(b.Count(input)), to.At(t), from.At(t), 1f, b.Count(input) + beyond()));

            b.Add(Section.Forward, To(" forward", b.Activation(input), b.NewActivation(Output), () => Overrun));
            return () =>
            {
                DeviceBuffer<T> gradient = b.Scratch<T>(Name + " gradient", b.Count(input));
                b.Add(Section.Backward, To(" backward", b.DrainGradient(Output), gradient, () => 0));
                b.AddGradient(input, gradient);
            };
        }
    }
}
