using System.Diagnostics;
using SlttEngine.Tests.Data;
using SlttEngine.Tests.IO;

namespace SlttEngine.Tests.Cli;

/// <summary>The forms of event recordings as a user of the command meets them.</summary>
public sealed class EventFormCommandTests
{
    [Test]
    public void A_run_says_what_it_reads_and_refuses_frames_of_another_T()
    {
        using TemporaryFolder folder = new();
        string forms = Path.Combine(TestFiles.Shipped("forms"), "dvsgesture");
        foreach (string form in (string[])["frames_number_5_split_by_number", "duration_20000"])
        {
            EventFormTests.Copy(Path.Combine(forms, form, "test"), folder[form, "test"]);
            EventFormTests.Copy(Path.Combine(forms, form, "test"), folder[form, "train"]);
        }

        SlttProcess.Result data = Command(folder, "data -dataset dvsgesture");
        Assert.That(data.ExitCode, Is.EqualTo(4), "not complete");
        Assert.That(data.Output, Does.Contain($"  form   slices of 20000 µs in {folder["duration_20000"]}"));

        const string Train = "train -dataset dvsgesture --allow-incomplete -model spiking_vgg11_bn -width_divisor 32 -b 3 -epochs 1";
        SlttProcess.Result refused = Command(folder, $"{Train} -T 4");
        Assert.That(refused.ExitCode, Is.EqualTo(4));
        Assert.That(
            refused.Error, Does.Contain("holds slices of 20000 µs").And.Contain("frames of T = 5, split by number").And.Contain("T = 4"));
        Assert.That(Command(folder, $"{Train} -T 5 --split-by time").Error, Does.Contain("asked for are frames of T = 5, split by time"));
        Assert.That(Command(folder, $"{Train} -T 5 --duration 1").Error, Does.Contain("asked for are slices of 1 µs"));

        SlttProcess.Result run = Command(folder, $"{Train} -T 2 --duration 20000");
        Assert.That(run.ExitCode, Is.Zero, run.Error);
        string note = $"reads slices of 20000 µs in {folder["duration_20000"]}";
        Assert.That(run.Output + run.Error, Does.Contain(note).And.Contain("the first 2 of a sample count"));
        string made = Directory.GetDirectories(folder["logs"]).Single();
        Assert.That(made, Does.Contain("_duration20000"));
        Assert.That(File.ReadAllText(Path.Combine(made, "args.txt")), Does.Contain("duration=20000"));
    }

    private static SlttProcess.Result Command(TemporaryFolder folder, string line)
    {
        string[] more = line.StartsWith("data", StringComparison.Ordinal) ? [] : ["--device", "cpu", "-out_dir", folder["logs"]];
        ProcessStartInfo start = SlttProcess.StartInfo([.. line.Split(' '), "-data_dir", folder.FullName, .. more]);
        return SlttProcess.Run(start);
    }
}
