using System.Globalization;
using System.Runtime.InteropServices;

namespace SlttEngine.Cli;

internal static class Program
{
    private const int Hangup = 1;

    private static int Main(string[] arguments) => FileLimit.Suffices() ? Run(arguments) : (int)ErrorKind.Device;

    private static int Run(string[] arguments)
    {
        using CancellationTokenSource stop = new CancellationTokenSource();
        CliContext context = CliContext.ForProcess(stop.Token);

        // The first signal asks for an orderly end; a second one is left to the system, which ends the process.
        void OnSignal(PosixSignalContext signal)
        {
            if (stop.IsCancellationRequested)
            {
                return;
            }

            signal.Cancel = true;
            // The bar may stand on the line.
            context.Error.WriteLine(
                (Console.IsErrorRedirected ? string.Empty : "\n") + "stopping after this iteration (once more: at once, without saving)");
            stop.Cancel();
        }

        // A terminal that goes away sends SIGHUP. A process that was started to ignore that (nohup) goes on ignoring it.
        using PosixSignalRegistration? hangUp = IsIgnored(Hangup) ? null : PosixSignalRegistration.Create(PosixSignal.SIGHUP, OnSignal);
        using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, OnSignal);
        using PosixSignalRegistration terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, OnSignal);
        return CommandLine.Run(arguments, context);
    }

    /// <summary>True if the process was started with a signal ignored.</summary>
    private static bool IsIgnored(int signal)
    {
        const string Name = "SigIgn:";
        const string Status = "/proc/self/status";
        string? line = File.Exists(Status)
            ? File.ReadLines(Status).FirstOrDefault(l => l.StartsWith(Name, StringComparison.Ordinal))
            : null;
        return line is not null
            && ulong.TryParse(
                line.AsSpan(Name.Length).Trim(), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ulong ignored)
            && (ignored >> (signal - 1) & 1) != 0;
    }
}
