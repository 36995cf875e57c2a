// A data set of one's own: a class with shape, classes and Read. Here a spot moves over 8 frames, up, down, left or right, as an
// event camera sees it: channel 0 where a pixel goes dark, channel 1 where it lights up. Each epoch sees the spots shifted anew.
using SlttEngine.Data;
using SlttEngine.Device;
using SlttEngine.Graph;
using SlttEngine.Models;
using SlttEngine.Training;

Network net = new NetworkBuilder(channels: 2, height: MovingSpots.Size, width: MovingSpots.Size)
    .Conv(16, 5).BatchNorm().Lif(tau: 2).AvgPool(2)
    .Conv(32, 3).BatchNorm().Lif(tau: 2).AvgPool(2).Dropout(0.1f)
    .Linear(4).Build("spots");

using ComputeDevice device = ComputeDevice.Open();
TrainingOptions options = new()
{
    Steps = MovingSpots.Steps, BatchSize = 40, Optimizer = new AdamW(0.01), LearningRate = new LearningRate.Cosine(0.003, 6),
};
using Trainer trainer = new(device, net, options);
MovingSpots train = new(800, seed: 1, augment: true), test = new(200, seed: 2, augment: false);
IReadOnlyList<EpochFinished> epochs = trainer.Fit(train, test, epochs: 6, folder: args.Length > 0 ? args[0] : "run");
Console.WriteLine($"test accuracy {100 * epochs[^1].TestAccuracy:0.0} %");

/// <summary>Spots that move: (8 frames, 2 channels, 16, 16).</summary>
internal sealed class MovingSpots(int count, int seed, bool augment)
    : FrameDataSet(count, new FrameShape(Steps, 2, Size, Size), classes: 4)
{
    public const int Size = 16, Steps = 8;

    public override IReadOnlyList<string> ClassNames => ["right", "left", "down", "up"];

    public override int Label(int index) => index % 4;

    // Several threads call it at once: it only reads. `random` follows from seed, epoch and sample: a resumed run draws the same.
    protected override void Read(int index, ref Philox random, Span<float> frames)
    {
        Philox place = new((ulong)seed, (ulong)index);
        int x = place.NextBelow(Size) + (augment ? random.NextBelow(5) : 0);
        int y = place.NextBelow(Size) + (augment ? random.NextBelow(5) : 0);
        (int dx, int dy) = Label(index) switch { 0 => (1, 0), 1 => (-1, 0), 2 => (0, 1), _ => (0, -1) };
        frames.Clear();
        for (int t = 0; t < Steps; t++)
        {
            for (int side = -1; side <= 1; side++) // the spot is 3 pixels wide across its way
            {
                frames[At(t, 0, x + (t * dx) + (side * dy), y + (t * dy) + (side * dx))] = 1;
                frames[At(t, 1, x + ((t + 1) * dx) + (side * dy), y + ((t + 1) * dy) + (side * dx))] = 1;
            }
        }
    }

    private static int At(int t, int channel, int x, int y) =>
        (((((t * 2) + channel) * Size) + ((y + Size) % Size)) * Size) + ((x + Size) % Size);
}
