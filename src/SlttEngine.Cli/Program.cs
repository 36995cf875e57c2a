using System.Runtime.InteropServices;

namespace SlttEngine.Cli;

internal static class Program
{
    private static int Main(string[] arguments)
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

        using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, OnSignal);
        using PosixSignalRegistration terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, OnSignal);
        return CommandLine.Run(arguments, context);
    }
}
