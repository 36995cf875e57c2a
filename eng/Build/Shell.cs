using System.Diagnostics;
using System.Text;

namespace SlttEngine.Build;

/// <summary>Runs other programs.</summary>
internal static class Shell
{
    internal static string? Find(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
        .SelectMany(folder => new[] { Path.Combine(folder, program), Path.Combine(folder, program + ".exe") })
        .FirstOrDefault(File.Exists);

    // Runs a program on this terminal, or hands its standard output to onLine; returns its exit code.
    internal static int Start(
        string program, string[] arguments, Action<string>? onLine = null, params (string Name, string? Value)[] defaults) =>
        StartIn(Directory.GetCurrentDirectory(), program, arguments, onLine, defaults);

    // The same in a folder.
    internal static int StartIn(
        string folder, string program, string[] arguments, Action<string>? onLine = null, params (string Name, string? Value)[] defaults)
    {
        ProcessStartInfo start = new(program, arguments)
        {
            UseShellExecute = false,
            RedirectStandardOutput = onLine is not null,
            WorkingDirectory = folder,
        };
        foreach ((string name, string? value) in defaults.Where(variable => variable.Value is not null))
        {
            start.Environment.TryAdd(name, value);
        }

        start.Environment["DOTNET_CLI_TELEMETRY_OPTOUT"] = "1";
        start.Environment["DOTNET_NOLOGO"] = "1";
        start.Environment["TESTINGPLATFORM_TELEMETRY_OPTOUT"] = "1";
        start.Environment["TESTINGPLATFORM_NOBANNER"] = "1";
        using Process process = Process.Start(start) ?? throw new BuildException($"{program} did not start", 1);
        if (onLine is not null)
        {
            while (process.StandardOutput.ReadLine() is { } line)
            {
                onLine(line);
            }
        }

        process.WaitForExit();
        return process.ExitCode;
    }

    internal static void Require(string program, string[] arguments, string failure) =>
        RequireIn(Directory.GetCurrentDirectory(), program, arguments, failure);

    internal static void RequireIn(string folder, string program, string[] arguments, string failure)
    {
        int exitCode = StartIn(folder, program, arguments);
        if (exitCode != 0)
        {
            throw new BuildException(failure, exitCode);
        }
    }

    internal static (int ExitCode, string Output) Capture(string program, string[] arguments)
    {
        StringBuilder output = new();
        ProcessStartInfo start = new(program, arguments)
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using Process process = Process.Start(start) ?? throw new BuildException($"{program} did not start", 1);
        void Add(object sender, DataReceivedEventArgs e)
        {
            lock (output)
            {
                if (e.Data is not null)
                {
                    output.AppendLine(e.Data);
                }
            }
        }

        process.OutputDataReceived += Add;
        process.ErrorDataReceived += Add;
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        process.WaitForExit();
        return (process.ExitCode, output.ToString());
    }
}
