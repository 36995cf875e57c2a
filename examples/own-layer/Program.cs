// A layer of your own with a kernel of its own: y = gain[c] x, with one learned gain for each channel, in front of the neurons.
using SlttEngine.Device;
using SlttEngine.Graph;

Console.WriteLine("soon");

public sealed class ChannelGain : Layer
{
    public static readonly KernelSource Source = new("channel_gain.cu", """
        template <class T> __device__ void forward(T* y, const T* x, const float* gain, int64_t rows, int channels) {
            for_rows_channels<T>(rows, channels, PerChannel<1>{{gain}}, no_dropout(), [=](auto lanes, int64_t i, const auto& p, const auto&) {
                store<lanes.value>(y, i, p[0] * load<lanes.value>(x, i)); });
        }
        // grad_x = gain[c] grad_y; each block sums grad_y x over its rows, for each channel. AddChannelGradient adds up the blocks.
        template <class T> __device__ void backward(double* sums, T* grad_x, const T* grad_y, const T* x, const float* gain, int64_t rows, int channels) {
            sum_rows<1, 2, T>(sums, rows, channels, PerChannel<1>{{gain}}, no_dropout(), [=](auto lanes, int64_t i) { return fetch<lanes.value>(grad_y, i); },
                [=](auto lanes, int64_t i, const auto& p, const auto&, const auto& loaded) {
                    auto g = from_memory(loaded);
                    store<lanes.value>(grad_x, i, p[0] * g);
                    return packs(g * load<lanes.value>(x, i)); });
        }
        #define VARIANT(T, type) \
            SLTT_KERNEL(gain_forward_##type, (T* y, const T* x, const float* gain, int64_t rows, int channels), forward<T>(y, x, gain, rows, channels)) \
            SLTT_SUM_KERNEL(gain_backward_##type, (double* sums, T* grad_x, const T* grad_y, const T* x, const float* gain, int64_t rows, int channels), \
                            backward<T>(sums, grad_x, grad_y, x, gain, rows, channels))
        SLTT_FOR_EACH_TYPE(VARIANT)
        """);

    private readonly Edge input;
    private readonly Parameter gain;

    public ChannelGain(string name, Network network, Edge input)
        : base(name)
    {
        (this.input, Output) = (input.SaveForBackward(), input.Like(name)); // the gain's gradient needs x
        gain = network.Declare(name + ".gain", [input.Channels], new Initializer.Constant(1));
    }

    public override IReadOnlyList<Edge> Inputs => [input];

    public override Action Emit<T>(ProgramBuilder<T> b)
    {
        CompiledKernel forward = b.Kernel(Source, "gain_forward"), backward = b.Kernel(Source, "gain_backward");
        (long rows, int channels) = (b.Rows(input), input.Channels);
        DeviceBuffer<T> x = b.Activation(input), y = b.NewActivation(Output);
        b.Add(b.ForwardOf(Output), new Op(Name + " forward", [x], [y], t =>
            forward.Launch(b.Elementwise(b.Count(Output)), y.At(t), x.At(t), b.Store.Weight(gain), rows, channels)));
        return () =>
        {
            (DeviceBuffer<T> gradY, DeviceBuffer<T> gradX) = (b.DrainGradient(Output), b.NewGradient(input));
            ChannelSums sums = b.NewChannelSums(Name, rows, channels);
            b.Add(b.BackwardOf(Output), new Op(Name + " backward", [x, gradY], [gradX, sums.Partials], t => backward.Launch(
                sums.Shape, sums.Partials.At(t), gradX.At(t), gradY.At(t), x.At(t), b.Store.Weight(gain), rows, channels)));
            b.AddChannelGradient(b.BackwardOf(Output), gain, sums);
            b.AddGradient(input, gradX);
        };
    }
}
