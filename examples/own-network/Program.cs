// A network of one's own on arrays: bars that lie, stand or slant, in noise. Trains in some seconds on a CPU.
using SlttEngine.Data;
using SlttEngine.Device;
using SlttEngine.Graph;
using SlttEngine.Models;
using SlttEngine.Training;

const int Size = 16, Classes = 3;
(ArrayDataSet train, ArrayDataSet test) = (Bars(600, seed: 1), Bars(150, seed: 2));

Network net = new NetworkBuilder(channels: 1, height: Size, width: Size)
    .Conv(16, 3).BatchNorm().Lif().AvgPool(2)
    .Residual(x => x.Conv(16, 3).BatchNorm()).Lif(tau: 2)
    .GlobalAvgPool().Linear(Classes).Build("bars");

using ComputeDevice device = ComputeDevice.Open(); // a GPU if there is one, else the CPU
using Trainer trainer = new(device, net, new TrainingOptions { Steps = 4, BatchSize = 30 });
string folder = args.Length > 0 ? args[0] : "run";
IReadOnlyList<EpochFinished> epochs = trainer.Fit(train, test, epochs: 4, folder);
Console.WriteLine($"test accuracy {100 * epochs[^1].TestAccuracy:0.0} %; TensorBoard log and checkpoints are in {folder}");

// n images of one bar each: (n, 1 step, 1 channel, Size, Size), with their classes.
static ArrayDataSet Bars(int n, int seed)
{
    Random random = new(seed);
    float[] images = new float[n * Size * Size];
    int[] labels = new int[n];
    for (int i = 0; i < n; i++)
    {
        labels[i] = random.Next(Classes);
        int place = random.Next(Size);
        for (int j = 0; j < Size * Size; j++)
        {
            (int y, int x) = (j / Size, j % Size);
            int across = labels[i] switch { 0 => y, 1 => x, _ => (x + y) % Size };
            images[(i * Size * Size) + j] = (across == place ? 1 : 0) + (0.3f * random.NextSingle());
        }
    }

    return new ArrayDataSet(images, labels, new FrameShape(1, 1, Size, Size), Classes);
}
