using System.Diagnostics;

namespace SlttEngine.Tests.Export;

/// <summary>The system's Python, with packages that an independent check needs and continuous integration may lack.</summary>
internal static class Python
{
    private const string Program = "/usr/bin/python3";

    /// <summary>Ignores the test where a package is not installed.</summary>
    /// <param name="package">The package.</param>
    internal static void Require(string package)
    {
        if (!File.Exists(Program) || Start(["-c", $"import importlib.util, sys; sys.exit(importlib.util.find_spec('{package}') is None)"])
            .ExitCode != 0)
        {
            Assert.Ignore($"python3 with {package} is not here");
        }
    }

    /// <summary>Runs a program, which must end well, and returns what it wrote.</summary>
    /// <param name="arguments">Its arguments.</param>
    internal static string Run(params string[] arguments)
    {
        (int exitCode, string output, string error) = Start(arguments);
        Assert.That(exitCode, Is.Zero, error);
        return output;
    }

    private static (int ExitCode, string Output, string Error) Start(string[] arguments)
    {
        ProcessStartInfo start = new(Program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["OMP_NUM_THREADS"] = "1";
        using Process process = Process.Start(start)!;
        Task<string> error = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output, error.Result);
    }
}
