using System.Globalization;
using System.Text.RegularExpressions;
using SlttEngine.Export;
using SlttEngine.IO;

namespace SlttEngine.Tests.Export;

/// <summary>The generated PyTorch model gives what our evaluation gives, where torch is installed; its text is what was recorded.</summary>
public sealed class TorchExportTests
{
    private const float Tolerance = 2e-5f;

    [Test]
    public void The_generated_model_gives_the_same_logits()
    {
        Python.Require("torch");
        List<ExportedNetwork> networks = [.. ExportedNetwork.Names.Select(ExportedNetwork.Create)];
        string main = networks[0].Path("main.py");
        File.WriteAllLines(main, ["import sys, runpy", "for path in sys.argv[1:]:", "    sys.argv = [path, path[:-3] + '.input.pt']",
            "    runpy.run_path(path, run_name='__main__')"]);
        foreach (ExportedNetwork network in networks)
        {
            network.Trainer.Export(network.Path("net"), ExportFormat.Torch);
            Graph.Edge input = network.Trainer.Network.Input;
            long[] frame = [1, input.Channels, input.Height, input.Width];
            PthWriter.Write(
                network.Path("net.input.pt"),
                NamedTensor.Float32("x", network.FramePerStep ? [network.Steps, .. frame] : frame, network.Sample));
        }

        string[] lines = Python.Run([main, .. networks.Select(n => n.Path("net.py"))]).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.That(lines, Has.Length.EqualTo(networks.Count));
        foreach ((ExportedNetwork network, string line) in networks.Zip(lines))
        {
            float[] ours = [.. network.Trainer.Predict(network.Sample).Logits];
            float[] theirs = [.. line.Split(' ').Skip(1).Select(v => float.Parse(v, CultureInfo.InvariantCulture))];
            TestContext.Out.WriteLine(
                $"{network.Trainer.Network.Model}: largest difference of logits {ours.Zip(theirs, (a, b) => MathF.Abs(a - b)).Max():g3}");
            Assert.That(theirs, Is.EqualTo(ours).Within(Tolerance), network.Trainer.Network.Model);
            Assert.That(line.Split(' ')[0], Is.EqualTo(Array.IndexOf(ours, ours.Max()).ToString(CultureInfo.InvariantCulture)));
        }
    }

    /// <summary>The recorded text is what the test above ran with torch 1.13. When it is to change, copy the new one over it.</summary>
    [Test]
    public void The_text_is_the_recorded_one()
    {
        ExportedNetwork network = ExportedNetwork.Create("small");
        network.Trainer.Export(network.Path("net.py"), ExportFormat.Torch);
        string text = Regex.Replace(File.ReadAllText(network.Path("net.py")), "SlttEngine [^ ]+ ", "SlttEngine 0.2.0. ");
        string recorded = Path.Combine(AppContext.BaseDirectory, "Golden", "export", "small.py");
        if (text != File.ReadAllText(recorded))
        {
            File.WriteAllText(Path.Combine(TestContext.CurrentContext.WorkDirectory, "small.py"), text);
        }

        Assert.That(text, Is.EqualTo(File.ReadAllText(recorded)), "the new text is in small.py of the working folder");
    }

    [Test]
    public void Names_can_not_break_the_text()
    {
        Assert.That(PythonNames.Quoted("a\"b\\c'\n"), Is.EqualTo("\"a\\\"b\\\\c\\'\\n\""));
        Assert.That(PythonNames.Plain("a\"\"\"b\n"), Is.EqualTo("a___b_"));
        Assert.That(PythonNames.Access("layer1.0.conv 1.if"), Is.EqualTo("self.layer1[0][\"conv 1\"][\"if\"]"));
    }

    [TestCaseSource(typeof(ExportedNetwork), nameof(ExportedNetwork.Names))]
    public void The_state_dict_has_PyTorchs_names_in_order(string name)
    {
        ExportedNetwork network = ExportedNetwork.Create(name);
        ExportSummary summary = network.Trainer.Export(network.Path("net.pth"), ExportFormat.Torch);
        Assert.That(summary.Files, Is.EqualTo(new[] { network.Path("net.py"), network.Path("net.pth") }));
        string[] names = [.. CheckpointFile.Read(network.Path("net.pth")).Tensors.Select(t => t.Name[CheckpointFile.Net.Length..])];
        Assert.That(names, Is.EqualTo(network.Trainer.Network.StateNames));
        string text = File.ReadAllText(network.Path("net.py"));
        foreach (string part in names.SelectMany(n => n.Split('.')[..^1]).Distinct())
        {
            Assert.That(text, Does.Contain($"\"{part}\": "));
        }
    }
}
