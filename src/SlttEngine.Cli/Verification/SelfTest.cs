using System.Diagnostics;
using System.Globalization;
using SlttEngine.Device;

namespace SlttEngine.Cli.Verification;

/// <summary>The result of replaying the recorded vectors that are inside the program: PyTorch's numbers for a neuron and a small network
/// with convolutions, batch norm, shortcuts, the loss and the optimiser.</summary>
/// <param name="Passed">True if every tensor is within its tolerance.</param>
/// <param name="Tensors">How many were compared.</param>
/// <param name="Seconds">How long it took.</param>
/// <param name="Lines">The same for people: one line, or one a group that failed.</param>
internal sealed record SelfTest(bool Passed, int Tensors, double Seconds, IReadOnlyList<string> Lines)
{
    private const string Prefix = "selftest/";

    /// <summary>Runs it.</summary>
    /// <param name="device">Where.</param>
    internal static SelfTest Run(ComputeDevice device)
    {
        long start = Stopwatch.GetTimestamp();
        System.Reflection.Assembly assembly = typeof(SelfTest).Assembly;
        string folder = Directory.CreateTempSubdirectory("sltt-doctor-").FullName;
        try
        {
            List<VerificationReport> reports = [];
            foreach (string name in assembly.GetManifestResourceNames().Where(n => n.StartsWith(Prefix, StringComparison.Ordinal)))
            {
                string path = Path.Combine(folder, name[Prefix.Length..]);
                using (Stream recorded = assembly.GetManifestResourceStream(name)!)
                using (FileStream file = File.Create(path))
                {
                    recorded.CopyTo(file);
                }

                reports.Add(Verifier.Replay(device, path));
            }

            double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
            int tensors = reports.Sum(r => r.Groups.Sum(g => g.Tensors));
            string[] failed = [.. reports.SelectMany(r => r.Groups.Where(g => !g.Passed).Select(g => string.Create(
                CultureInfo.InvariantCulture,
                $"FAILED   self-test  {Path.GetFileName(r.File)}: {g.Group} off by {g.Worst:0.0e+00} of {g.Tolerance:0e+00} allowed")))];
            return new SelfTest(
                reports.Count > 0 && reports.All(r => r.Passed), tensors, seconds,
                failed.Length > 0 ? failed : [string.Create(
                    CultureInfo.InvariantCulture,
                    $"passed   self-test   {tensors} tensors of {reports.Count} recorded files as PyTorch has them, in {seconds:0.0} s")]);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
