using System.Diagnostics;
using System.Runtime.InteropServices;

namespace SlttEngine.Tests.Cli;

/// <summary>Runs the command as users do: its own process, from the build as from the bundle.</summary>
internal static class SlttProcess
{
    internal sealed record Result(int ExitCode, string Output, string Error);

    /// <summary>The command's process, ready to start.</summary>
    internal static ProcessStartInfo StartInfo(params string[] arguments)
    {
        // In the bundle the runtime lies beside the command; elsewhere the one that runs this test runs it.
        string folder = AppContext.BaseDirectory;
        string suffix = OperatingSystem.IsWindows() ? ".exe" : string.Empty;
        bool selfContained = Directory.EnumerateFiles(folder, "*coreclr.*").Any();
        string dotnet = Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", "..", "dotnet" + suffix));
        ProcessStartInfo start = selfContained
            ? new(Path.Combine(folder, "sltt" + suffix), arguments)
            : new(dotnet, [Path.Combine(folder, "sltt.dll"), .. arguments]);
        start.UseShellExecute = false;
        start.RedirectStandardInput = true;
        start.RedirectStandardOutput = true;
        start.RedirectStandardError = true;
        start.WorkingDirectory = TestContext.CurrentContext.WorkDirectory;
        return start;
    }

    /// <summary>Runs it to its end.</summary>
    internal static Result Run(params string[] arguments) => Run(StartInfo(arguments));

    /// <summary>Runs it to its end.</summary>
    internal static Result Run(ProcessStartInfo start)
    {
        using Process process = Process.Start(start)!;
        process.StandardInput.Close();
        Task<string> error = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return new Result(process.ExitCode, output, error.Result);
    }
}
