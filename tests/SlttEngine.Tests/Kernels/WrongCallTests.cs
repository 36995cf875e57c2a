using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace SlttEngine.Tests.Kernels;

/// <summary>Wrong calls of the kernels' launchers are errors of the C# compiler.</summary>
public sealed class WrongCallTests
{
    private const string Before = """
        using System;
        using SlttEngine.Device;

        static class Calls
        {
            static void Run(
                Kernels kernels, LaunchShape shape, DevicePtr<float> floats, ConstDevicePtr<float> constant, DevicePtr<Half> halves,
                DevicePtr<int> integers, DevicePtr<RunState> state)
            {
                
        """;

    private static readonly IReadOnlyList<MetadataReference> References =
    [
        .. ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator)
            .Where(
                f => Path.GetFileName(f).StartsWith(
                    "System.", StringComparison.Ordinal) || Path.GetFileName(f) is "SlttEngine.dll" or "SlttEngine.ManagedCuda.dll")
            .Select(f => MetadataReference.CreateFromFile(f)),
    ];

    [TestCase("kernels.Scale(shape, floats, floats, 0.5f, 10)")]
    [TestCase("kernels.Scale<float>(shape, floats, constant, 1, 10)")]
    [TestCase("kernels.Scale<Half>(shape, default, halves, 1f, 10L)")]
    [TestCase("kernels.AdvanceStep(shape, state, 1)")]
    public void RightCallCompiles(string call) => Assert.That(Errors(call), Is.Empty);

    [TestCase("kernels.Scale(shape, floats, floats, 0.5, 10)", "CS1503", TestName = "double for float")]
    [TestCase("kernels.Scale(shape, floats, floats, (Half)1, 10)", "CS1503", TestName = "Half for float")]
    [TestCase("kernels.Scale(shape, floats, floats, 1f, 10f)", "CS1503", TestName = "float for long")]
    [TestCase("kernels.Scale<float>(shape, integers, floats, 1f, 10)", "CS1503", TestName = "int pointer for float pointer")]
    [TestCase("kernels.Scale<float>(shape, constant, floats, 1f, 10)", "CS1503", TestName = "const where mutable is wanted")]
    [TestCase("kernels.Scale(shape, halves, floats, 1f, 10)", "CS1503", TestName = "two compute types in one call")]
    [TestCase("kernels.Scale(shape, floats, floats, 1f)", "CS7036", TestName = "too few arguments")]
    [TestCase("kernels.Scale(shape, floats, floats, 1f, 10, 10)", "CS1501", TestName = "too many arguments")]
    [TestCase("kernels.Scale(shape, floats, 1f, floats, 10)", "CS1503", TestName = "swapped arguments")]
    [TestCase("kernels.Scales(shape, floats, floats, 1f, 10)", "CS1061", TestName = "unknown kernel")]
    [TestCase("kernels.Scale<float>(shape, null, floats, 1f, 10)", "CS1503", TestName = "null for a pointer")]
    [TestCase("kernels.Scale<float>(shape, floats.Pointer, floats, 1f, 10)", "CS1503", TestName = "untyped address for a pointer")]
    [TestCase("kernels.AdvanceStep(shape, floats, 1)", "CS1503", TestName = "RunState pointer of another type")]
    [TestCase("kernels.Scale<string>(shape, default, default, 1f, 10)", "CS8377", TestName = "a type without a layout")]
    public void WrongCallDoesNotCompile(string call, string error) => Assert.That(Errors(call), Does.Contain(error));

    private static string[] Errors(string call)
    {
        CSharpCompilation compilation = CSharpCompilation.Create(
            "calls", [CSharpSyntaxTree.ParseText($"{Before}{call};\n    }}\n}}\n")], References, new(OutputKind.DynamicallyLinkedLibrary));
        return [.. compilation.GetDiagnostics().Where(d => d.Severity == DiagnosticSeverity.Error).Select(d => d.Id)];
    }
}
