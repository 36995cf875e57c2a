using SlttEngine.Graph;
using SlttEngine.Layers;
using SlttEngine.Training;

namespace SlttEngine.Tests.Engine;

/// <summary>A network that was put together wrongly is refused before anything is launched, and the message names the layer.</summary>
public sealed class WrongGraphTests
{
    private const int Classes = 5;

    [Test]
    public void A_network_without_layers() => Refused(_ => { }, "test: the network has no layers");

    [Test]
    public void A_layer_that_nobody_reads() => Refused(
        network =>
        {
            Edge spikes = network.Add(new Lif("lif", network.Input, 1, 1));
            network.Add(new AvgPool("unread", spikes, 2, 2));
            Classifier(network, spikes);
        },
        "unread: no layer reads it");

    [Test]
    public void An_edge_of_another_network() => Refused(
        network => Classifier(network, Build().Add(new Lif("lif", Build().Input, 1, 1))),
        "fc: reads lif, which no layer in front of it in this network makes");

    [Test]
    public void Layers_out_of_order() => Refused(
        network =>
        {
            Lif lif = new("lif", network.Input, 1, 1);
            network.Add(new AvgPool("pool", lif.Output, 2, 2));
            network.Add(lif);
            Classifier(network, network.Layers[0].Output);
        },
        "pool: reads lif, which no layer in front of it in this network makes");

    [Test]
    public void Two_layers_of_one_name() => Refused(
        network => Classifier(network, network.Add(new Lif("lif", network.Add(new Lif("lif", network.Input, 1, 1)), 1, 1))),
        "lif: two layers have this name");

    [Test]
    public void Logits_of_another_shape() => Refused(
        network => network.Add(new Lif("lif", network.Input, 1, 1)),
        "lif: the last layer makes 8×6×2 numbers a sample, not one for each of the 5 classes");

    [Test]
    public void Logits_that_are_no_numbers_by_class() => Refused(
        network =>
        {
            Classifier(network, network.Input);
            network.Add(new FeatureDropout("drop", network.Logits, 0.5f));
        },
        "drop: reads fc, the logits",
        Device.ComputeType.BFloat16);

    [Test]
    public void A_residual_of_another_shape()
    {
        Network network = Build();
        Edge small = network.Add(new AvgPool("pool", network.Input, 2, 2));
        Throws(() => new ResidualAdd("sum", network.Input, small), "sum: adds pool (4×3×2) to input (8×6×2)");
        BatchNormModule norm = BatchNormModule.Declare(network, "bn", 2);
        Throws(() => new BatchNormLif("lif", norm, new(network.Input, Residual: small)), "lif: adds pool (4×3×2) to input (8×6×2)");
        Throws(() => new CudnnBatchNorm(norm, new(network.Input, Residual: small)), "bn: adds pool (4×3×2) to input (8×6×2)");
    }

    [Test]
    public void Parameters_for_other_channels()
    {
        Network network = Build();
        ConvolutionModule convolution = ConvolutionModule.Declare(network, "conv", 3, 4, 3, 1, 1, null);
        ScaledWsModule standardised = ScaledWsModule.Declare(network, "ws", 3, 4, 3, 1, 1);
        BatchNormModule norm = BatchNormModule.Declare(network, "bn", 3);
        Throws(() => new Convolution(convolution, network.Input), "conv: made for 3 channels, but input has 2");
        Throws(() => new ScaledWsConvolution(standardised, network.Input), "ws: made for 3 channels, but input has 2");
        Throws(() => new BatchNormLif("lif", norm, new(network.Input)), "lif: made for 3 channels, but input has 2");
    }

    [Test]
    public void A_window_larger_than_the_map()
    {
        Network network = Build();
        ConvolutionModule convolution = ConvolutionModule.Declare(network, "conv", 2, 4, 9, 1, 1, null);
        Throws(() => new AvgPool("pool", network.Input, 7, 2), "pool: a window of 7×7 is larger than input, 8×6 with padding 0");
        Throws(() => new Convolution(convolution, network.Input), "conv: a window of 9×9 is larger than input, 8×6 with padding 1");
        Throws(() => new AvgPool("pool", network.Input, 2, 0), "pool: a window of 2, stride 0, padding 0");
        Throws(() => new AvgPool("pool", network.Input, 2, 2, 2), "pool: padding 2 is more than half of a window of 2");
        Throws(() => new AdaptiveAvgPool("pool", network.Input, 0), "pool: its output would have 0×0×2");
    }

    [Test]
    public void Two_parameters_of_one_name()
    {
        Network network = Build();
        BatchNormModule.Declare(network, "bn", 2);
        Throws(() => network.Declare("bn.weight", [2], new Initializer.Constant(0)), "bn.weight: two parameters have this name");
        Throws(() => network.DeclareStatistic("bn.running_mean", 2, 0), "bn.running_mean: two parameters have this name");
    }

    [Test]
    public void A_bias_that_its_reader_would_forget() => Refused(
        network =>
        {
            ScaledWsModule module = ScaledWsModule.Declare(network, "conv", 2, 2, 3, 1, 1);
            Edge spikes = network.Add(new Lif("lif", network.Input, 1, 1));
            Classifier(network, network.Add(new AdaptiveAvgPool("pool", network.Add(new ScaledWsConvolution(module, spikes)), 2)));
        },
        "pool: reads conv, whose bias is not added yet");

    [Test]
    public void An_activation_that_backward_cannot_get() => Refused(
        network =>
        {
            ConvolutionModule first = ConvolutionModule.Declare(network, "conv1", 2, 4, 3, 1, 1, null);
            ConvolutionModule second = ConvolutionModule.Declare(network, "conv2", 4, 4, 3, 1, 1, null);
            Edge spikes = network.Add(new Lif("lif", network.Input, 1, 1));
            Classifier(network, network.Add(new Convolution(second, network.Add(new Convolution(first, spikes)))));
        },
        "conv2: its backward reads conv1, which is neither kept nor recomputed");

    private static Network Build() => new("test", 2, 8, 6, Classes);

    private static void Classifier(Network network, Edge features) =>
        network.Add(new Linear(network, "fc", features, new Initializer.Constant(0)));

    private static void Refused(Action<Network> add, string message, Device.ComputeType type = Device.ComputeType.Float32)
    {
        Network network = Build();
        InputFormat.Frames format = new("u8", 1, [1, 1], [0, 0]);
        Throws(
            () =>
            {
                add(network);
                EngineOptions options = new() { TrainInput = format, TestInput = format, TrainBatches = [2], Type = type };
                using TrainingEngine engine = new(SharedDevice.Device, network, options);
            },
            message);
    }

    private static void Throws(Func<object> code, string message) => Throws(() => { _ = code(); }, message);

    private static void Throws(Action code, string message)
    {
        SlttException error = Assert.Throws<SlttException>(code)!;
        Assert.Multiple(() =>
        {
            Assert.That(error.Kind, Is.EqualTo(ErrorKind.Usage));
            Assert.That(error.Message, Is.EqualTo(message));
            Assert.That(error.Hint, Is.Not.Null.And.Not.Empty);
        });
    }
}
