// A layer of one's own with its own kernel: y = gain[c] x, a learned gain for each channel, in front of the neurons.
using SlttEngine.Data;
using SlttEngine.Device;
using SlttEngine.Graph;
using SlttEngine.Models;
using SlttEngine.Training;

using ComputeDevice device = ComputeDevice.Open();
Console.WriteLine(GradientCheck.Of(device, height: 3, width: 2, channels: 5, (network, x) => new ChannelGain("gain", network, x)));
Network net = new NetworkBuilder(channels: 2, height: 8, width: 8)
    .Conv(8, 3).BatchNorm().Apply((network, x) => new ChannelGain("gain", network, x)).Lif().GlobalAvgPool().Linear(2).Build("own_layer");
using Trainer trainer = new(device, net, new TrainingOptions { Steps = 4, BatchSize = 20 });
IReadOnlyList<EpochFinished> epochs = trainer.Fit(Set(200, new(1)), Set(60, new(2)), epochs: 4, args.Length > 0 ? args[0] : "run");
Console.WriteLine($"test accuracy {100 * epochs[^1].TestAccuracy:0.0} %");

// n images of two channels in noise; the class is the brighter channel.
static ArrayDataSet Set(int n, Random random) => new(
    Enumerable.Range(0, n * 128).Select(i => random.NextSingle() + (i / 64 % 2 == i / 128 % 2 ? 0.2f : 0)).ToArray(),
    Enumerable.Range(0, n).Select(i => i % 2).ToArray(), new FrameShape(1, 2, 8, 8), classes: 2);

public sealed class ChannelGain(string name, Network network, Edge input) : Layer(name, input.SaveForBackward().Like(name))
{
    public static readonly KernelSource Source = new("channel_gain.cu", """
        SLTT_TYPED_KERNEL(gain_forward, (T* y, const T* x, const float* gain, int64_t rows, int channels),
            for_rows_channels<T>(rows, channels, PerChannel<1>{{gain}}, no_dropout(),
                [=](auto lanes, int64_t i, const auto& params, const auto&) {
                    store<lanes.value>(y, i, params[0] * load<lanes.value>(x, i)); }))
        // grad_x = gain[c] grad_y. Each block sums grad_y x over its rows, for each channel; AddChannelGradient adds up the blocks.
        SLTT_TYPED_SUM_KERNEL(gain_backward,
            (double* sums, T* grad_x, const T* grad_y, const T* x, const float* gain, int64_t rows, int channels),
            sum_rows<1, 2, T>(sums, rows, channels, PerChannel<1>{{gain}}, no_dropout(),
                [=](auto lanes, int64_t i) { return fetch<lanes.value>(grad_y, i); },
                [=](auto lanes, int64_t i, const auto& params, const auto&, const auto& loaded) {
                    auto g = from_memory(loaded);
                    store<lanes.value>(grad_x, i, params[0] * g);
                    return packs(g * load<lanes.value>(x, i)); }))
        """);

    private readonly Parameter gain = network.Declare(name + ".gain", [input.Channels], new Initializer.Constant(1));

    public override IReadOnlyList<Edge> Inputs => [input];

    public override Action Emit<T>(ProgramBuilder<T> b)
    {
        CompiledKernel forward = b.Kernel(Source, "gain_forward"), backward = b.Kernel(Source, "gain_backward");
        DeviceBuffer<T> x = b.Activation(input), y = b.NewActivation(Output);
        b.Add(b.ForwardOf(Output), new Op(Name + " forward", [x], [y], t => forward.Launch(
            b.Elementwise(b.Count(Output)), y.At(t), x.At(t), b.Store.Weight(gain), b.Rows(input), input.Channels)));
        return () =>
        {
            DeviceBuffer<T> gradY = b.DrainGradient(Output), gradX = b.NewGradient(input);
            ChannelSums sums = b.NewChannelSums(gain, b.Rows(input));
            b.Add(b.BackwardOf(Output), new Op(Name + " backward", [x, gradY], [gradX, sums.Partials], t => backward.Launch(
                sums.Shape, sums.Partials.At(t), gradX.At(t), gradY.At(t), x.At(t), b.Store.Weight(gain), b.Rows(input), input.Channels)));
            b.AddChannelGradient(b.BackwardOf(Output), sums);
        };
    }
}
