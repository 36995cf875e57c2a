using System.Text.Json;
using SlttEngine.Cli.Verification;
using SlttEngine.Layers;

namespace SlttEngine.Tests.Engine;

/// <summary>The official implementation's recorded iterations, replayed.</summary>
public sealed class VerifierTests
{
    private static IEnumerable<TestCaseData> Recordings => GoldenFiles.Of("model").Concat(GoldenFiles.Of("neuron"))
        .Select(path => new TestCaseData(path).SetArgDisplayNames(Path.GetFileNameWithoutExtension(path)));

    private static IEnumerable<TestCaseData> Models => GoldenFiles.Of("model")
        .Select(path => new TestCaseData(path).SetArgDisplayNames(Path.GetFileNameWithoutExtension(path)));

    private static IEnumerable<TestCaseData> Normalised => GoldenFiles.Of("model")
        .Where(path => !path.Contains("nfresnet", StringComparison.Ordinal))
        .Select(path => new TestCaseData(path).SetArgDisplayNames(Path.GetFileNameWithoutExtension(path)));

    [TestCaseSource(nameof(Recordings))]
    public void Replays_as_recorded(string path)
    {
        VerificationReport report = Verifier.Replay(SharedDevice.Device, path);
        Assert.Multiple(() =>
        {
            Assert.That(report.Groups, Is.Not.Empty);
            foreach (GroupResult group in report.Groups)
            {
                Assert.That(
                    group.Passed, Is.True, $"{group.Group}: worst {group.Worst:E2} at {group.WorstTensor}, tolerance {group.Tolerance:E0}");
            }
        });
    }

    /// <summary>The engine's batch norm and cuDNN's come equally near to what was recorded.</summary>
    [TestCaseSource(nameof(Normalised))]
    public void Replays_as_recorded_with_the_reference_batch_norm(string path) =>
        Assert.That(Failed(path, new ReplayOptions(BatchNormKind.Cudnn)), Is.Empty);

    /// <summary>Two steps side by side, with a last one alone where T is odd, and all of them.</summary>
    [TestCaseSource(nameof(Models))]
    public void Replays_as_recorded_with_steps_side_by_side(string path)
    {
        Assert.That(Failed(path, new ReplayOptions(StepsAtOnce: 2)), Is.Empty, "two");
        Assert.That(Failed(path, new ReplayOptions(StepsAtOnce: 0)), Is.Empty, "all");
    }

    [TestCaseSource(nameof(Normalised))]
    public void Replays_as_recorded_with_weights_and_gradients_in_two_parts(string path) =>
        Assert.That(Failed(path, new ReplayOptions(SplitTf32: true)), Is.Empty);

    [Test]
    public void Recordings_are_there() => Assert.That(Recordings.Count(), Is.GreaterThanOrEqualTo(7));

    [Test]
    public void A_changed_recording_fails()
    {
        string path = Path.Combine(TestContext.CurrentContext.WorkDirectory, $"changed-{Guid.NewGuid():N}.safetensors");
        byte[] bytes = File.ReadAllBytes(Path.Combine(GoldenFiles.Folder, "model", "resnet18_sltt.safetensors"));
        int header = (int)BitConverter.ToUInt64(bytes);
        using JsonDocument json = System.Text.Json.JsonDocument.Parse(bytes.AsMemory(8, header));
        int offset = json.RootElement.GetProperty("iter0.grad.layer2.0.conv1.weight").GetProperty("data_offsets")[0].GetInt32();
        Span<float> gradient = System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(bytes.AsSpan(8 + header + offset, 400));
        gradient[7] += 0.01f;
        try
        {
            File.WriteAllBytes(path, bytes);
            VerificationReport report = Verifier.Replay(SharedDevice.Device, path);
            Assert.That(
                report.Groups.Where(g => !g.Passed).Select(g => g.WorstTensor), Is.EqualTo(new[] { "iter0.grad.layer2.0.conv1.weight" }));
        }
        finally
        {
            File.Delete(path);
        }
    }

    private static IEnumerable<GroupResult> Failed(string path, ReplayOptions options) =>
        Verifier.Replay(SharedDevice.Device, path, options).Groups.Where(g => !g.Passed);
}
