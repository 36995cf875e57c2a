// Stops a run (after some batches, as Ctrl-C would), goes on from its checkpoint, saves the network, and predicts with what was saved.
using SlttEngine.Data;
using SlttEngine.Device;
using SlttEngine.Graph;
using SlttEngine.Models;
using SlttEngine.Training;

const int Size = 12;
string folder = args.Length > 0 ? args[0] : "run";
TrainingOptions options = new() { Steps = 4, BatchSize = 25, Type = ComputeType.BFloat16 };
using ComputeDevice device = ComputeDevice.Open();

using (Trainer trainer = new(device, Build(), options))
using (CancellationTokenSource stop = new())
{
    trainer.Fit(Stripes(500, seed: 1), Stripes(100, seed: 2), epochs: 4, folder, observer: new StopAfter(30, stop), cancel: stop.Token);
}

using (Trainer trainer = new(device, Build(), options))
{
    // The same call goes on where the folder's latest checkpoint stands: with the same bits as a run that was not stopped.
    trainer.Fit(Stripes(500, seed: 1), Stripes(100, seed: 2), epochs: 4, folder, resume: true);
    trainer.Save(Path.Combine(folder, "stripes.safetensors"));
}

using Trainer user = new(device, Build(), options);
user.Load(Path.Combine(folder, "stripes.safetensors"));
ArrayDataSet news = Stripes(200, seed: 3);
IReadOnlyList<Prediction> predictions = user.Predict(news);
int right = predictions.Where((p, i) => p.Class == news.Label(i)).Count();
Console.WriteLine($"logits of the first sample: {string.Join(", ", predictions[0].Logits.Select(l => $"{l:0.00}"))}");
Console.WriteLine($"{right} of {news.Count} new samples are right");

static Network Build() => new NetworkBuilder(channels: 1, height: Size, width: Size)
    .Conv(12, 3).BatchNorm().Lif().AvgPool(2).Conv(24, 3).BatchNorm().Lif().GlobalAvgPool().Linear(2).Build("stripes");

// Stripes that lie or stand, in noise.
static ArrayDataSet Stripes(int n, int seed)
{
    Random random = new(seed);
    int[] labels = [.. Enumerable.Range(0, n).Select(_ => random.Next(2))];
    float[] images = [.. labels.SelectMany(label => Enumerable.Range(0, Size * Size).Select(i =>
        ((label == 0 ? i / Size : i % Size) % 3 == 0 ? 1 : 0) + random.NextSingle()))];
    return new ArrayDataSet(images, labels, new FrameShape(1, 1, Size, Size), classes: 2, classNames: ["lying", "standing"]);
}

/// <summary>A callback of one's own: asks the run to stop after some training batches.</summary>
internal sealed class StopAfter(int batches, CancellationTokenSource stop) : ITrainingObserver
{
    public void IterationFinished(in IterationFinished iteration)
    {
        if (iteration.Phase == TrainingPhase.Train && (iteration.Epoch * iteration.Batches) + iteration.Batch == batches)
        {
            stop.Cancel();
        }
    }
}
