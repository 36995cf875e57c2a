// Watches a layer: its spikes over time as a raster (one row a neuron, one column a step), and a neuron's membrane potential as text.
using SkiaSharp;
using SlttEngine.Data;
using SlttEngine.Device;
using SlttEngine.Graph;
using SlttEngine.Models;
using SlttEngine.Training;

const int Steps = 32, Size = 8;
Network net = new NetworkBuilder(channels: 1, height: Size, width: Size)
    .Conv(8, 3).BatchNorm().Lif(tau: 4, name: "seen")
    .Conv(16, 3).BatchNorm().Lif(tau: 4, name: "combined").GlobalAvgPool().Linear(2).Build();
using ComputeDevice device = ComputeDevice.Open();
using Trainer trainer = new(device, net, new TrainingOptions { Steps = Steps, BatchSize = 20 });
string folder = args.Length > 0 ? args[0] : "run";
trainer.Fit(Discs(200, seed: 1), Discs(40, seed: 2), epochs: 3, folder);

float[] sample = Disc(large: true, new Random(3));
SpikeRecord record = trainer.Watch("combined", sample);
SKColor paper = SKColors.White, ink = SKColors.Black;
const int Pixel = 4;
using SKBitmap raster = new(Steps * Pixel, record.Neurons);
raster.Erase(paper);
for (int t = 0; t < Steps; t++)
{
    bool[] spikes = record.Spikes(t);
    for (int i = 0; i < spikes.Length * Pixel; i++)
    {
        raster.SetPixel((t * Pixel) + (i % Pixel), i / Pixel, spikes[i / Pixel] ? ink : paper);
    }
}

string path = Path.Combine(folder, "raster.png");
using (SKData png = raster.Encode(SKEncodedImageFormat.Png, quality: 100))
{
    File.WriteAllBytes(path, png.ToArray());
}

int Fires(int neuron) => Enumerable.Range(0, Steps).Count(t => record.Spikes(t)[neuron]);
int neuron = Enumerable.Range(0, record.Neurons).MinBy(i => Math.Abs(Fires(i) - (Steps / 3))); // one that fires now and then
IEnumerable<string> potentials = Enumerable.Range(0, Steps).Select(t => $"{record.Potentials(t)[neuron]:0.0}");
Console.WriteLine($"u(t) of neuron {neuron}: {string.Join(' ', potentials)}");
Console.WriteLine($"{record.Neurons} neurons fire in {100 * record.FiringRate:0.0} % of the steps; their raster is {path}");

// Large discs and small ones, in noise.
static float[] Disc(bool large, Random random) => [.. Enumerable.Range(0, Size * Size).Select(i =>
    (double.Hypot((i / Size) - 3.5, (i % Size) - 3.5) < (large ? 3 : 1.5) ? 1 : 0) + (0.3f * random.NextSingle()))];

static ArrayDataSet Discs(int n, int seed)
{
    Random random = new(seed);
    float[] images = [.. Enumerable.Range(0, n).SelectMany(i => Disc(large: i % 2 == 1, random))];
    return new ArrayDataSet(images, Enumerable.Range(0, n).Select(i => i % 2).ToArray(), new FrameShape(1, 1, Size, Size), classes: 2);
}
