using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using SlttEngine.Cli.Verification;
using SlttEngine.Device;
using SlttEngine.Training;

namespace SlttEngine.Cli.Commands;

/// <summary>Says what of a machine the engine can use: libraries with versions, what mends a missing one, and a self-test.</summary>
/// <remarks>A process uses one kind of device, so each device is examined by a process of its own.</remarks>
internal sealed class DoctorCommand : Command
{
    private const string Cuda = "cuda";
    private const string Cpu = "cpu";

    /// <summary>Longer than the self-test takes on the slowest machine; a driver that hangs does so for ever.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    private string? device;
    private bool json;

    internal DoctorCommand() => Options =
    [
        new CliOption(
            "device", "DEVICE", $"look at this one alone: {Cuda}, {Cpu}",
            value => device = value is Cuda or Cpu ? value : throw NearestName.Unknown("device", value, [Cuda, Cpu])),
        new CliOption("json", null, "the same as JSON", _ => json = true),
    ];

    /// <inheritdoc/>
    internal override IReadOnlyList<CliOption> Options { get; }

    /// <inheritdoc/>
    internal override int Run(CliContext context, IReadOnlyList<string> positionals)
    {
        if (device is not null)
        {
            Health health = device == Cuda ? ExamineCuda() : ExamineCpu();
            if (json)
            {
                JsonOutput.Write(context, health);
            }
            else
            {
                Write(context, health);
            }

            return health.IsFaulty ? (int)ErrorKind.Device : 0;
        }

        string machine = string.Create(
            CultureInfo.InvariantCulture,
            $"sltt {RunDescription.Version}, .NET {Environment.Version}, {RuntimeInformation.OSDescription}, "
                + $"{Environment.ProcessorCount} cores, {Units.Bytes(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes)}");
        if (!json)
        {
            context.WriteLine(machine);
        }

        JsonArray devices = [];
        int exitCode = 0;
        foreach (string name in (string[])[Cuda, Cpu])
        {
            (int code, string output, string error) = Examine(name, context.Stop);
            exitCode = code == 0 ? exitCode : (int)ErrorKind.Device;
            if (json && code is 0 or (int)ErrorKind.Device && output.Length > 0)
            {
                devices.Add(JsonNode.Parse(output));
            }
            else if (output.Length > 0)
            {
                context.WriteLine(output.TrimEnd());
            }

            if (error.Length > 0)
            {
                context.Error.WriteLine(error.TrimEnd());
            }
        }

        if (json)
        {
            JsonOutput.Write(context, new { Program = machine, Devices = devices });
        }

        return exitCode;
    }

    private (int Code, string Output, string Error) Examine(string name, CancellationToken stop)
    {
        string program = Environment.ProcessPath!;
        bool isHost = Path.GetFileNameWithoutExtension(program) == "dotnet";
        ProcessStartInfo start = new(
            program, [.. isHost ? [Environment.GetCommandLineArgs()[0]] : Array.Empty<string>(), "doctor", "--device", name,
                .. json ? ["--json"] : Array.Empty<string>()])
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using Process process = Process.Start(start)!;
        using CancellationTokenSource late = CancellationTokenSource.CreateLinkedTokenSource(stop);
        late.CancelAfter(Patience);
        Task<string> output = process.StandardOutput.ReadToEndAsync(stop), error = process.StandardError.ReadToEndAsync(stop);
        try
        {
            process.WaitForExitAsync(late.Token).GetAwaiter().GetResult();
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            stop.ThrowIfCancellationRequested();
            return ((int)ErrorKind.Device, string.Empty, $"{name}  no answer in {Patience.TotalMinutes:0} minutes: the driver hangs");
        }

        // Killed by a signal, as a broken driver does it: say so in place of nothing.
        string message = process.ExitCode is 0 or (int)ErrorKind.Device || error.Result.Length > 0 ? error.Result
            : $"{name}  its process ended with exit code {process.ExitCode}: a library that does not fit the others?";
        return (process.ExitCode, output.Result, message);
    }

    private static Health ExamineCuda()
    {
        IReadOnlyList<FoundLibrary> libraries = NativeLibraries.FindCuda();
        string? why = NativeLibraries.WhyNoCuda();
        if (why is null)
        {
            return Tested(Cuda, libraries, DeviceKind.Cuda);
        }

        // Where there is no GPU, what else its libraries lack is no fault.
        bool isThere = libraries[0].Path is not null && !NativeLibraries.FindsNoGpu();
        string? remedy = !isThere || ComputeDevice.HasGpuKernels ? null
            : "install nvcc and run ./build.sh, or use a package or bundle that was built with it";
        return new Health(
            Cuda, null, isThere ? "unusable" : "absent", why, remedy,
            isThere ? libraries : [.. libraries.Where((l, i) => i == 0 || l.Path is not null)], null);
    }

    private static Health ExamineCpu()
    {
        try
        {
            return Tested(Cpu, NativeLibraries.FindCpu(), DeviceKind.Cpu);
        }
        catch (SlttException e)
        {
            return new Health(Cpu, null, "unusable", e.Message, e.Hint, [], null);
        }
    }

    private static Health Tested(string name, IReadOnlyList<FoundLibrary> libraries, DeviceKind kind)
    {
        try
        {
            using ComputeDevice opened = ComputeDevice.Open(kind);
            SelfTest test = SelfTest.Run(opened);
            return new Health(
                name, opened.Name, test.Passed ? "works" : "wrong", test.Passed ? null : "the self-test's numbers differ from PyTorch's",
                test.Passed ? null : "report this with the output of sltt doctor --json; a run here would not be right", libraries, test);
        }
        catch (Exception e) when (e is SlttException || e.GetType().Namespace?.StartsWith("ManagedCuda", StringComparison.Ordinal) == true)
        {
            return new Health(name, null, "unusable", e.Message, (e as SlttException)?.Hint, libraries, null);
        }
    }

    private static void Write(CliContext context, Health health)
    {
        string state = health.State == "works" ? $"{health.Name}: works" : health.Problem!;
        context.WriteLine($"{health.Device,-4}  {state}");
        if (health.Remedy is not null)
        {
            context.WriteLine($"        {health.Remedy}");
        }

        foreach (FoundLibrary library in health.Libraries)
        {
            string mark = library.Path is not null ? "found" : library.IsNeeded ? "MISSING" : "none";
            string rest = library.Path ?? $"for {library.Use}; {library.Remedy}";
            context.WriteLine($"      {mark,-7}  {library.Name,-10}  {library.Version ?? string.Empty,-12}  {rest}");
        }

        foreach (string line in health.SelfTest?.Lines ?? [])
        {
            context.WriteLine($"      {line}");
        }
    }

    /// <summary>What is known of a device.</summary>
    /// <param name="Device">cuda or cpu.</param>
    /// <param name="Name">Its own name.</param>
    /// <param name="State">works; absent: there is no such device; unusable; wrong: its self-test failed.</param>
    /// <param name="Problem">Why it is not used.</param>
    /// <param name="Remedy">What to do.</param>
    /// <param name="Libraries">What it is served by.</param>
    /// <param name="SelfTest">null if it could not be run.</param>
    private sealed record Health(
        string Device, string? Name, string State, string? Problem, string? Remedy, IReadOnlyList<FoundLibrary> Libraries,
        SelfTest? SelfTest)
    {
        /// <summary>True for a device that is there and can't be trusted or used.</summary>
        [System.Text.Json.Serialization.JsonIgnore]
        public bool IsFaulty => State is "unusable" or "wrong";
    }
}
