using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using Onnx;
using SlttEngine.Export;
using SlttEngine.Training;

namespace SlttEngine.Tests.Export;

/// <summary>ONNX Runtime gives what our evaluation gives.</summary>
public sealed class OnnxExportTests
{
    private const float Tolerance = 2e-5f;

    [OneTimeSetUp]
    public void RequireRuntime()
    {
        if (!File.Exists(Path.Combine(AppContext.BaseDirectory, "runtimes", "linux-x64", "native", "libonnxruntime.so"))
            && !File.Exists(Path.Combine(AppContext.BaseDirectory, "libonnxruntime.so")))
        {
            Assert.Ignore("ONNX Runtime is not here");
        }
    }

    [TestCaseSource(typeof(ExportedNetwork), nameof(ExportedNetwork.Names))]
    public void One_step_after_another_gives_the_same_potentials_and_logits(string name)
    {
        ExportedNetwork network = ExportedNetwork.Create(name);
        string path = network.Path("step.onnx");
        ExportSummary summary = network.Trainer.Export(path, ExportFormat.Onnx);
        Assert.That(summary.Files, Is.EqualTo(new[] { path }));
        using InferenceSession session = new(path);
        Assert.That(
            session.InputMetadata.Keys, Is.EquivalentTo(network.Watched.Keys.Select(n => "u." + n).Append("input")));
        Dictionary<string, DenseTensor<float>> states = session.InputMetadata.Where(i => i.Key != "input")
            .ToDictionary(i => i.Key, i => new DenseTensor<float>([1, .. i.Value.Dimensions[1..]]));
        int frame = (int)network.Trainer.Network.Input.Elements;
        float[] sum = new float[network.Trainer.Network.Classes];
        for (int t = 0; t < network.Steps; t++)
        {
            float[] x = network.Sample.AsSpan(network.FramePerStep ? t * frame : 0, frame).ToArray();
            List<NamedOnnxValue> inputs =
            [
                NamedOnnxValue.CreateFromTensor("input", new DenseTensor<float>(x, [1, .. session.InputMetadata["input"].Dimensions[1..]])),
                .. states.Select(s => NamedOnnxValue.CreateFromTensor(s.Key, s.Value)),
            ];
            using IDisposableReadOnlyCollection<DisposableNamedOnnxValue> outputs = session.Run(inputs);
            foreach (DisposableNamedOnnxValue output in outputs)
            {
                float[] values = [.. output.AsTensor<float>()];
                if (output.Name == "logits")
                {
                    sum = [.. sum.Zip(values, (a, b) => a + b)];
                    continue;
                }

                string layer = output.Name["u.".Length..^".next".Length];
                Assert.That(values, Is.EqualTo(network.Watched[layer].Potentials(t).ToArray()).Within(Tolerance), $"{layer}, step {t}");
                states["u." + layer] = new DenseTensor<float>(values, [1, .. session.InputMetadata["u." + layer].Dimensions[1..]]);
            }
        }

        float[] ours = [.. network.Trainer.Predict(network.Sample).Logits];
        TestContext.Out.WriteLine(
            $"{name}: largest difference of logits {sum.Select((s, i) => MathF.Abs((s / network.Steps) - ours[i])).Max():g3}");
        Assert.That(sum.Select(s => s / network.Steps), Is.EqualTo(ours).Within(Tolerance));
    }

    [TestCase("small")]
    [TestCase("resnet18")]
    [TestCase("vgg11")]
    public void Unrolled_it_answers_at_once(string name)
    {
        ExportedNetwork network = ExportedNetwork.Create(name);
        string path = network.Path("all.onnx");
        network.Trainer.Export(
            path, ExportFormat.Onnx, new ExportOptions { Unrolled = network.Steps, FramePerStep = network.FramePerStep });
        using InferenceSession session = new(path);
        int[] shape = session.InputMetadata["input"].Dimensions;
        int batch = network.FramePerStep ? 1 : 0;
        Assert.That(shape, Has.Length.EqualTo(network.FramePerStep ? 5 : 4));
        shape[batch] = 1;
        using IDisposableReadOnlyCollection<DisposableNamedOnnxValue> outputs =
            session.Run([NamedOnnxValue.CreateFromTensor("input", new DenseTensor<float>(network.Sample, shape))]);
        Assert.That(
            outputs.Single().AsTensor<float>(), Is.EqualTo(network.Trainer.Predict(network.Sample).Logits).Within(Tolerance));
    }

    [Test]
    public void A_static_frame_is_convolved_once()
    {
        ExportedNetwork network = ExportedNetwork.Create("resnet18");
        string path = network.Path("all.onnx");
        network.Trainer.Export(path, ExportFormat.Onnx, new ExportOptions { Unrolled = 3 });
        ModelProto model = ModelProto.Parser.ParseFrom(File.ReadAllBytes(path));
        int convolutions = network.Trainer.Network.Layers.Count(l => l is Layers.Convolution);
        Assert.That(model.Graph.Node.Count(n => n.OpType == "Conv"), Is.EqualTo((3 * (convolutions - 1)) + 1));
        Assert.That(new FileInfo(path).Length, Is.LessThan((4 * network.Trainer.Network.ParameterCount) + 120_000));
    }

    [Test]
    public void The_file_says_what_it_is()
    {
        ExportedNetwork network = ExportedNetwork.Create("small");
        string path = network.Path("step.onnx");
        ExportSummary summary = network.Trainer.Export(path, ExportFormat.Onnx);
        ModelProto model = ModelProto.Parser.ParseFrom(File.ReadAllBytes(path));
        Dictionary<string, string> metadata = model.MetadataProps.ToDictionary(m => m.Key, m => m.Value);
        Assert.That(metadata["steps"], Is.EqualTo("4"));
        Assert.That(metadata["neuron"], Does.Contain("tau 2.5, v_th 0.75"));
        Assert.That(metadata["input_normalisation"], Does.StartWith("not known"));
        Assert.That(model.OpsetImport.Single().Version, Is.EqualTo(13));
        Assert.That(model.Graph.Output.Select(o => o.Name).First(), Is.EqualTo("logits"));
        Assert.That(summary.Notes[0], Is.EqualTo("batch norm: 3 folded into the weights in front, 1 as an affine map of each channel"));
    }
}
