using SlttEngine.Data;
using SlttEngine.Graph;
using SlttEngine.Models;
using SlttEngine.Tests.Engine;
using SlttEngine.Training;

namespace SlttEngine.Tests.Library;

/// <summary>Networks that branch and stack at random: in front of the first neuron, behind it, and across.</summary>
public sealed class RandomNetworkTests
{
    private const int Steps = 3, Batch = 4, Channels = 2, Size = 6;

    /// <summary>
    /// An image for all steps and the same image as a frame a step: two ways through the engine (what lies in front of the neurons runs one
    /// time an iteration, or in each step), one result.
    /// </summary>
    [Test]
    public void A_static_image_trains_as_its_frames_do([Range(0, 39)] int seed, [Values] bool throughTime)
    {
        Method method = throughTime ? new Bptt() : new Sltt();
        float[][] image = Train(Build(seed, out string description), 1, method), frames = Train(Build(seed, out _), Steps, method);
        Assert.That(image, Has.Length.EqualTo(frames.Length));
        for (int i = 0; i < image.Length; i++)
        {
            Assert.That(image[i], Is.EqualTo(frames[i]).Within(2e-5), description);
        }
    }

    private static float[][] Train(Network network, int frames, Method method)
    {
        Random random = new(7);
        int frame = Batch * Channels * Size * Size;
        byte[] image = new byte[frame];
        random.NextBytes(image);

        // A batch is (steps, N, channels, height, width).
        byte[] elements = [.. Enumerable.Range(0, frames).SelectMany(_ => image)];
        float[] scale = [.. Enumerable.Repeat(1f / 64, Channels)], shift = [.. Enumerable.Repeat(-1f, Channels)];
        FrameShape shape = new(frames, Channels, Size, Size);
        SampleBatch batch = new(shape, 2, new InputFormat.Frames("u8", frames, scale, shift), elements, [0, 1, 0, 1]);
        TrainingOptions options = new()
        {
            Network = (_, _) => network,
            Steps = Steps,
            Method = method,
            BatchSize = Batch,
            LearningRate = new LearningRate.Cosine(0.02, 50),
        };
        using BatchRun run = new(SharedDevice.Device, options, batch);
        run.Iterate();
        run.Iterate();
        return [.. network.Parameters.Select(run.Engine.Store.GetWeight)];
    }

    private static Network Build(int seed, out string description)
    {
        Random random = new(seed);
        List<(NetworkBuilder Value, int Channels, int Size)> values = [(new NetworkBuilder(Channels, Size, Size), Channels, Size)];
        HashSet<int> unread = [0];
        List<string> words = [];
        for (int layers = random.Next(3, 9); layers > 0; layers--)
        {
            int at = random.Next(3) == 0 ? random.Next(values.Count) : values.Count - 1;
            (NetworkBuilder x, int channels, int size) = values[at];
            int other = values.FindIndex(v => v.Value != x && (v.Channels, v.Size) == (channels, size));
            string word;
            switch (random.Next(8))
            {
                case 0 or 1:
                    int outputs = random.Next(1, 10), kernel = random.Next(2) == 0 ? 1 : 3;
                    (x, channels, word) = (x.Conv(outputs, kernel), outputs, $"conv {outputs} {kernel}");
                    break;
                case 2:
                    (x, word) = (x.BatchNorm(), "bn");
                    break;
                case 3 or 4:
                    (x, word) = (x.Lif(tau: 1.2 + random.NextDouble(), threshold: 0.3f + random.NextSingle()), "lif");
                    break;
                case 5 when size % 2 == 0:
                    (x, size, word) = (x.AvgPool(2), size / 2, "pool");
                    break;
                case 6:
                    int linear = random.Next(2, 9);
                    (x, channels, size, word) = (x.Linear(linear), linear, 1, $"linear {linear}");
                    break;
                case 7 when other >= 0:
                    unread.Remove(other);
                    (x, word) = (x.Add(values[other].Value), $"add {other}");
                    break;
                default:
                    continue;
            }

            unread.Remove(at);
            unread.Add(values.Count);
            words.Add($"{values.Count} = {word} of {at}");
            values.Add((x, channels, size));
        }

        description = string.Join(", ", words);
        NetworkBuilder sum = unread.Select(i => values[i].Value.Linear(5)).Aggregate((a, b) => a.Add(b));
        return sum.Lif(threshold: 0.4f).Linear(2).Build();
    }
}
