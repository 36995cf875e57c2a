using SlttEngine.Device;

namespace SlttEngine.Bench;

/// <summary>Every kernel, on the sizes of a wide layer: beyond any cache unless small ones are asked for.</summary>
internal sealed class KernelCases
{
    private const int Channels = 64;
    private const int Classes = 1000;
    private const int FanIn = 4608;
    private const float Threshold = 1;
    private const float Lambda = 0.9f;
    private const int Triangle = 0;
    private const int Sigmoid = 2;

    /// <summary>The neurons that kernels are compiled for, and a surrogate of each.</summary>
    private static readonly (string, int)[] NeuronsOfKernels = [("piecewise", Triangle), ("sigmoid", Sigmoid)];

    private static object Null => KernelLaunch.Null;

    private readonly ComputeDevice device;
    private readonly long n;
    private readonly long rows;
    private readonly List<KernelCase> cases = [];

    private KernelCases(ComputeDevice device, bool small)
    {
        this.device = device;
        n = small ? 1 << 16 : device.IsCpu ? 1 << 23 : 1 << 25;
        rows = n / Channels;
    }

    /// <summary>The cases for some number types; kernels of floats alone come once.</summary>
    public static IReadOnlyList<KernelCase> For(ComputeDevice device, IEnumerable<ComputeType> types, bool small)
    {
        KernelCases table = new(device, small);
        foreach (ComputeType type in types)
        {
            table.AddNeurons(type);
            table.AddBatchNorm(type);
            table.AddElementwise(type);
            table.AddPools(type);
            table.AddInput(type);
            table.AddLossAndGradients(type);
        }

        table.AddBatchNormOfChannels();
        table.AddOptimizers();
        return table.cases;
    }

    private void AddNeurons(ComputeType type)
    {
        int b = type.Size();
        LaunchShape shape = LaunchShape.Elements(device, n, b);
        Add("lif_forward", type, 4 * b * n, shape, m =>
        {
            object u = m.Values(type, n);
            return [m.Values(type, n), u, u, m.Values(type, n), Null, 1f, 1f, Lambda, Threshold, 0f, 0u, Null, 0, 0, 1, rows, Channels];
        });
        Add("lif_backward", type, 3 * b * n, shape, m =>
            [m.Values(type, n), m.Values(type, n), Null, Null, m.Values(type, n), Null, 1f, 1f, Lambda, Threshold, Triangle, 0f, 0u, Null,
                1, n]);
        Add("lif_backward", type, 5 * b * n, shape, m =>
            [m.Values(type, n), m.Values(type, n), Null, Null, m.Values(type, n), m.Values(type, n), 1f, 1f, Lambda, Threshold, Triangle,
                0f, 0u, Null, 1, n], "through time");
        Add("lif_backward_accumulate", type, ((2 * b) + 8) * n, shape, m =>
            [m.Values(ComputeType.Float32, n), m.Values(type, n), Null, Null, m.Values(type, n), Null, 1f, 1f, Lambda, Threshold, Triangle,
                0f, 0u, Null, 1, n]);
        Add("spikes", type, 2 * b * n, shape, m => [m.Values(type, n), m.Values(type, n), 1f, Threshold, 0f, 0u, Null, 1, n]);
        Add("find_firing", type, b * n, shape, m => [m.Zeros<int>(1), m.Zeros<int>(1), m.Zeros(type, n), 0.99f, n], "silent");
    }

    private void AddBatchNorm(ComputeType type)
    {
        int b = type.Size();
        LaunchShape elements = LaunchShape.Elements(device, n, b);
        LaunchShape sums = LaunchShape.TiledRowSums(device, rows, Channels);
        AddStatistics(string.Empty, 1, residual: false, potential: false);
        AddStatistics("_with_residual", 3, residual: true, potential: false);
        AddStatistics("_with_residual_u", 3, residual: false, potential: true);
        void AddStatistics(string instance, int arrays, bool residual, bool potential) =>
            Add("batch_norm_statistics" + instance, type, arrays * b * n, sums, m =>
                [Partials(m, sums), Arrived(m, sums), m.Values(type, n), PerChannel(m), PerChannel(m), PerChannel(m), PerChannel(m),
                    PerChannel(m), m.Zeros<long>(1), residual ? m.Zeros(type, n) : Null, potential ? m.Zeros(type, n) : Null,
                    PerChannel(m), Null, Null, Threshold, 0.1f, 1e-5f, 1, rows, Channels, 1]);
        Add("batch_norm_lif_forward", type, 4 * b * n, elements, m =>
        {
            object u = m.Values(type, n);
            return [
                m.Values(type, n), u, u, m.Values(type, n), PerChannel(m), PerChannel(m), PerChannel(m), Lambda, Threshold, 0f, 0u, Null,
                0, 0, 0, 1, rows, Channels];
        });
        foreach ((string neuron, int surrogate) in NeuronsOfKernels)
        {
            AddBackward(neuron, 4, surrogate, residual: false, carried: false);
            AddBackward(neuron + "_with_grad_residual", 5, surrogate, residual: true, carried: false);
            AddBackward(neuron + "_with_carried", 6, surrogate, residual: false, carried: true);
            AddBackward(neuron + "_with_grad_residual_and_carried", 7, surrogate, residual: true, carried: true);
        }

        void AddBackward(string instance, int arrays, int surrogate, bool residual, bool carried) =>
            Add("batch_norm_lif_backward_of_" + instance, type, arrays * b * n, sums, m =>
                [m.Values(type, n), .. GradientSums(m, sums), m.Values(type, n), residual ? m.Values(type, n) : Null, m.Values(type, n),
                    carried ? m.Values(type, n) : Null, m.Values(type, n), PerChannel(m), PerChannel(m), Lambda, Threshold, surrogate, 0f,
                    0u, Null, 1, rows, Channels]);
        Add("batch_norm_backward_reduce", type, (4 + b) * n, sums, m =>
            [.. GradientSums(m, sums), m.Values(ComputeType.Float32, n), m.Values(type, n), PerChannel(m), PerChannel(m), rows, Channels]);
        Add("batch_norm_backward_apply", type, 3 * b * n, elements, m =>
            [m.Values(type, n), m.Values(type, n), m.Values(type, n), PerChannel(m), PerChannel(m), PerChannel(m), m.Values(
                ComputeType.Float32, 2 * Channels), 1, rows, Channels]);
        Add("batch_norm_backward_apply_sum", type, (4 + (2 * b)) * n, elements, m =>
            [m.Values(type, n), m.Values(ComputeType.Float32, n), m.Values(type, n), PerChannel(m), PerChannel(m), PerChannel(m), m.Values(
                ComputeType.Float32, 2 * Channels), rows, Channels]);
    }

    private void AddElementwise(ComputeType type)
    {
        int b = type.Size();
        LaunchShape shape = LaunchShape.Elements(device, n, b);
        Add(
            "residual_add", type, 3 * b * n, shape,
            m => [m.Values(type, n), m.Values(type, n), m.Values(type, n), PerChannel(m), PerChannel(m), rows, Channels]);
        Add("bias_add", type, 2 * b * n, shape, m => [m.Values(type, n), m.Values(type, n), PerChannel(m), rows, Channels]);
        Add("dropout", type, 2 * b * n, shape, m => [m.Values(type, n), m.Values(type, n), 0.1f, 1u, m.State(), 1, n]);
        Add("scale", type, 2 * b * n, shape, m => [m.Values(type, n), m.Values(type, n), 2f, n]);
        Add("cast", type, (4 + b) * n, shape, m => [m.Values(type, n), m.Values(ComputeType.Float32, n), n]);
    }

    private void AddPools(ComputeType type)
    {
        const int Side = 16, Pooled = 8;
        int b = type.Size();
        int images = (int)Math.Max(1, n / (Side * Side * Channels));
        long large = (long)images * Side * Side * Channels;
        long small = (long)images * Pooled * Pooled * Channels;
        Add("adaptive_avg_pool_forward", type, b * (large + small), LaunchShape.Elements(device, small, b), m =>
            [m.Values(type, small), m.Values(type, large), images, Side, Side, Channels, Pooled, Pooled]);
        Add("adaptive_avg_pool_backward", type, b * (large + small), LaunchShape.Elements(device, large, b), m =>
            [m.Values(type, large), m.Values(type, small), images, Side, Side, Channels, Pooled, Pooled]);

        Add("bias_avg_pool", type, b * (large + small), LaunchShape.Elements(device, small, b), m =>
            [m.Values(type, small), m.Values(type, large), PerChannel(m), images, Side, Side, Channels, Pooled, Pooled, 3, 2, 1]);

        Add("avg_pool_backward", type, b * (large + small), LaunchShape.Elements(device, large, b), m =>
            [m.Values(type, large), m.Values(type, small), images, Side, Side, Channels, Pooled, Pooled, 3, 2, 1]);
        Add("gather_pixels", type, 2 * b * small, LaunchShape.Elements(device, small, b), m =>
            [m.Values(type, small), m.Values(type, large), images, Side, Side, Channels, Pooled, Pooled, 2]);
        Add("scatter_pixels", type, b * (large + small), LaunchShape.Elements(device, large, b), m =>
            [m.Values(type, large), m.Values(type, small), images, Side, Side, Channels, Pooled, Pooled, 2]);

        // The pool of 2 × 2 folded into the neurons in front of it.
        const int Window = Side / Pooled;
        long pixels = (long)images * Side * Side;
        LaunchShape elements = LaunchShape.Elements(device, large, b);
        LaunchShape sums = LaunchShape.TiledRowSums(device, pixels, Channels);
        Add("batch_norm_lif_pool_forward", type, b * ((3 * large) + small), elements, m =>
        {
            object u = m.Values(type, large);
            return [
                m.Values(type, small), u, u, m.Values(type, large), PerChannel(m), PerChannel(m), PerChannel(m), Lambda, Threshold, 0f, 0u,
                Null, 0, 0, 0, 1, pixels, Channels, Side, Window];
        });
        Add(
            "spikes_pool", type, b * (large + small), elements,
            m => [m.Values(type, small), m.Values(type, large), Threshold, 0f, 0u, Null, 1, pixels, Channels, Side, Window]);
        foreach ((string neuron, int surrogate) in NeuronsOfKernels)
        {
            AddBackward(neuron, 3, surrogate, carried: false);
            AddBackward(neuron + "_with_carried", 5, surrogate, carried: true);
        }

        void AddBackward(string instance, int arrays, int surrogate, bool carried) =>
            Add("batch_norm_lif_pool_backward_of_" + instance, type, b * ((arrays * large) + small), sums, m =>
                [m.Values(type, large), .. GradientSums(m, sums), m.Values(type, small), m.Values(type, large),
                    carried ? m.Values(type, large) : Null, m.Values(type, large), PerChannel(m), PerChannel(m), Lambda, Threshold,
                    surrogate, 0f, 0u, Null, 1, pixels, Channels, Side, Window]);
        Add("lif_pool_backward_accumulate", type, (b * (large + small)) + (8 * large), elements, m =>
            [m.Zeros<float>(large), m.Values(type, small), m.Values(type, large), Null, Lambda, Threshold, Triangle, 0f, 0u, Null, 1,
                pixels, Channels, Side, Window]);
    }

    private void AddInput(ComputeType type)
    {
        const int Sensor = 64, Polarities = 2, ImageChannels = 4;
        int b = type.Size();
        int frames = (int)Math.Max(1, n / (Sensor * Sensor * Polarities));
        long pixels = (long)frames * Sensor * Sensor * Polarities;
        AddFrames("u8", 1, m => m.Bytes(pixels));
        AddFrames("u16", 2, m => m.Counts(pixels));
        AddFrames("f32", 4, m => m.Positive(pixels));
        void AddFrames(string element, int size, Func<KernelBuffers, object> from) =>
            Add("expand_frames_" + element, type, (size + b) * pixels, LaunchShape.Elements(device, pixels, b), m =>
                [m.Values(type, pixels), from(m), m.State(), m.Positive(Polarities), m.Positive(Polarities), 1, 1, frames, Polarities,
                    Sensor, Sensor]);
        int images = (int)Math.Max(1, n / (1024 * ImageChannels));
        Add("augment_cifar", type, ((3 * 1) + (ImageChannels * b)) * 1024L * images, LaunchShape.Samples(images), m =>
            [m.Values(
                type,
                1024L * ImageChannels * images), m.Bytes(3072L * images), m.Integers(images,
                images), m.State(), 0.49f, 0.48f, 0.45f, 0.25f, 0.24f, 0.26f, 1, images, ImageChannels]);
    }

    private void AddLossAndGradients(ComputeType type)
    {
        int b = type.Size();
        int samples = (int)Math.Max(1, n / 2 / Classes);
        long logits = (long)samples * Classes;
        LaunchShape sums = LaunchShape.TiledRowSums(device, rows, Channels);
        Add("loss", type, (12 + b) * logits, LaunchShape.Samples(samples), m =>
            [m.Values(type, logits), m.Zeros<float>(samples), m.Zeros<float>(logits), m.Values(ComputeType.Float32, logits),
                m.Integers(samples, Classes), 0.05f, 0, 1f, 0.2f, m.State(), 1, samples, Classes]);
        Add(
            "accumulate_gradients", type, (8 + b) * n, LaunchShape.Elements(device, n, b),
            m => [m.Zeros<float>(n), m.Values(type, n), m.State(), n]);
        Add(
            "column_sum", type, b * logits, LaunchShape.Channels(Classes),
            m => [m.Zeros<float>(Classes), m.Values(type, logits), (long)samples, Classes]);
        Add("bias_gradient", type, b * n, sums, m =>
            [Partials(m, sums), Arrived(m, sums), PerChannel(m), m.Values(type, n), rows, Channels]);
        int outputs = (int)Math.Max(1, n / FanIn);
        long weights = (long)outputs * FanIn;
        Add("weight_standardize", type, (4 + b) * weights, LaunchShape.Filters(outputs, FanIn), m =>
            [m.Values(type, weights), m.Zeros<float>(outputs), m.Zeros<float>(outputs), m.Values(ComputeType.Float32, weights),
                m.Positive(outputs), m.Positive(outputs), Null, 1f, 1e-4f, outputs, FanIn]);
    }

    private void AddBatchNormOfChannels()
    {
        LaunchShape sums = LaunchShape.RowSums(device, rows, Channels);
        LaunchShape second = LaunchShape.SecondStage(Channels);
        Add(
            "batch_norm_inference", null, 0, LaunchShape.Channels(Channels),
            m => [PerChannel(m), PerChannel(m), PerChannel(m), PerChannel(m), PerChannel(m), Null, Null, 1e-5f, Channels]);
        Add("bias_gradient_finalize", null, 0, second, m => [PerChannel(m), Partials(m, sums), sums.Blocks, Channels]);
    }

    private void AddOptimizers()
    {
        const ComputeType Float = ComputeType.Float32;
        LaunchShape shape = LaunchShape.Elements(device, n, 4);
        int samples = (int)Math.Max(1, n / 2 / Classes);
        int outputs = (int)Math.Max(1, n / FanIn);
        long weights = (long)outputs * FanIn;
        Add("sgd", null, 20 * n, shape, m => [m.Values(Float, n), m.Values(Float, n), m.Values(Float, n), m.State(), 0.9f, 5e-5f, n]);
        Add(
            "adamw", null, 28 * n, shape,
            m => [m.Values(Float, n), m.Values(Float, n), m.Positive(n), m.Values(Float, n), m.State(), 0.9f, 0.999f, 1e-8f, 0.01f, n]);
        Add("fill", null, 4 * n, shape, m => [m.Zeros<uint>(n), 0u, n]);
        Add("find_overflow", null, 4 * n, shape, m => [m.Values(Float, n), m.State(), n]);
        Add("split_tf32", null, 12 * n, shape, m => [m.Values(Float, n), m.Values(Float, n), m.Values(Float, n), n]);
        Add("find_nonfinite", null, 4 * n, shape, m => [m.Zeros<ulong>(1), m.Values(Float, n), n]);
        Add("bias_broadcast", null, 4 * n, shape, m => [m.Values(Float, n), PerChannel(m), (int)rows, Channels]);
        Add("weight_standardize_backward", null, 12 * weights, LaunchShape.Filters(outputs, FanIn), m =>
            [m.Values(Float, weights), m.Zeros<float>(outputs), m.Zeros<float>(outputs), Null, m.Values(Float, weights),
                m.Positive(outputs), m.Values(Float, weights), m.Positive(outputs), m.Positive(outputs), Null, 1f, 1e-4f, outputs, FanIn]);
        Add("label_ranks", null, 4L * samples * Classes, LaunchShape.Samples(samples), m =>
            [m.Zeros<int>(samples), m.Values(Float, (long)samples * Classes), m.Integers(samples, Classes), samples, Classes]);
        Add(
            "metrics", null, 8L * samples, LaunchShape.Single,
            m => [m.Zeros<double>(4), m.Integers(samples, Classes), m.Positive(samples), samples]);
        Add("sum_to_scalar", null, 0, LaunchShape.Single, m => [m.Zeros<float>(1), m.Positive(512), 512]);
        Add("begin_update", null, 0, LaunchShape.OneThread, m => [m.State(), 0.9f, 0.999f]);
        Add("end_update", null, 0, LaunchShape.OneThread, m => [m.State(), 1, 2f, 0.5f, 2000]);
        Add("count_batches", null, 0, LaunchShape.OneThread, m => [m.Zeros<long>(1), 1]);
        Add("advance_step", null, 0, LaunchShape.OneThread, m => [m.State(), 1]);
    }

    private static DevicePtr<float> PerChannel(KernelBuffers m) => m.Positive(Channels);

    private static DevicePtr<uint> Arrived(KernelBuffers m, LaunchShape sums) => m.Zeros<uint>(sums.Tiles);

    // What a launch that ends with the gradient of batch norm's parameters writes.
    private static object[] GradientSums(KernelBuffers m, LaunchShape sums) =>
        [Partials(m, sums), Arrived(m, sums), PerChannel(m), PerChannel(m), m.Zeros<float>(2 * Channels)];

    private static DevicePtr<double> Partials(KernelBuffers m, LaunchShape sums) => m.Doubles(2L * Channels * sums.Blocks);

    private void Add(
        string kernel, ComputeType? type, long bytes, LaunchShape shape, Func<KernelBuffers, object[]> arguments, string variant = "")
    {
        string symbol = type is { } t ? $"{kernel}_{t.Suffix()}" : kernel;
        cases.Add(new KernelCase(variant.Length == 0 ? symbol : $"{symbol} {variant}", symbol, bytes, shape, arguments));
    }
}
