using System.Text.Json;
using ManagedCuda.CudaDNN;
using SlttEngine.IO;

namespace SlttEngine.Device;

/// <summary>Which way the CPU device does a pass of a convolution.</summary>
/// <param name="Winograd">Where it is dense: by Winograd's algorithm, not directly.</param>
/// <param name="DensestEvent">It is event-driven where at most this share of the input's numbers is not zero.</param>
public sealed record ConvolutionChoice(bool Winograd, double DensestEvent);

/// <summary>
/// The CPU device's choices among its ways to do a convolution: measured once a machine, remembered, and written into the run folder, from
/// which a resumed run takes them again. So the same run makes the same choices, wherever it goes on.
/// </summary>
/// <remarks>
/// A choice holds for any batch size and number of threads. What can't be remembered is not measured: the device's own estimates
/// hold then, and SLTT_CPU_CONV=estimate asks for them. A GPU has none of this (<see cref="ConvolutionAlgorithms"/>).
/// </remarks>
public sealed class ConvolutionChoices
{
    /// <summary>Name of the file in the run folder.</summary>
    public const string FileName = "convolution_choices.json";

    private static readonly JsonSerializerOptions Json = new() { WriteIndented = true };

    private readonly MeasuredChoices<ConvolutionChoice> remembered;
    private readonly SortedDictionary<string, ConvolutionChoice> used = new(StringComparer.Ordinal);
    private Dictionary<string, ConvolutionChoice>? given;
    private bool measures = true;

    /// <summary>Opens what is remembered of this machine.</summary>
    /// <param name="folder">Where that is; null: the user's.</param>
    public ConvolutionChoices(string? folder = null) => remembered = new("cpu-convolutions.json", Machine(), folder);

    /// <summary>A pass, as the CPU device counts them.</summary>
    internal enum Pass
    {
        /// <summary>Forward.</summary>
        Forward,

        /// <summary>Gradient of the input.</summary>
        BackwardData,

        /// <summary>Gradient of the filter.</summary>
        BackwardFilter,
    }

    /// <summary>
    /// Puts the choice for a pass in force before it is planned: the resumed run's; without one what is remembered, or what is measured
    /// now. A pass that the resumed run had no choice for goes by the device's estimates, as it did there, whatever was measured since.
    /// </summary>
    /// <param name="call">Pass, shape but for the batch size, and type.</param>
    /// <param name="pass">The pass.</param>
    /// <param name="x">Its input, of any batch size.</param>
    /// <param name="w">Its filter.</param>
    /// <param name="convolution">Padding, stride and arithmetic.</param>
    /// <param name="y">Its output.</param>
    /// <param name="measure">False: nothing is measured.</param>
    internal unsafe void Resolve(
        string call, Pass pass, TensorDescriptor x, FilterDescriptor w, ConvolutionDescriptor convolution, TensorDescriptor y, bool measure)
    {
        ConvolutionChoice? known = given is not null
            ? given.GetValueOrDefault(call)
            : used.GetValueOrDefault(call) ?? remembered.Find(call) ?? (measure ? Measure(call, pass, x, w, convolution, y) : null);
        if (known is not { } choice)
        {
            return;
        }

        delegate* unmanaged<int, nint, nint, nint, nint, int, double, int> set =
            (delegate* unmanaged<int, nint, nint, nint, nint, int, double, int>)NativeLibraries.CpuFunction("sltt_cpu_set_convolution");
        _ = set(
            (int)pass, x.Desc.Pointer, w.Desc.Pointer, convolution.Desc.Pointer, y.Desc.Pointer, choice.Winograd ? 1 : 0,
            choice.DensestEvent);
        used[call] = choice;
    }

    /// <summary>Takes the choices of the run that a checkpoint belongs to, if its folder has any.</summary>
    /// <param name="checkpoint">The checkpoint's file.</param>
    /// <exception cref="SlttException">The file beside it is damaged.</exception>
    internal void CopyFrom(string checkpoint)
    {
        string path = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(checkpoint))!, FileName);
        if (File.Exists(path))
        {
            Read(path);
        }
    }

    /// <summary>Takes the choices that a file holds.</summary>
    /// <param name="path">The file, as <see cref="WriteTo"/> writes it.</param>
    /// <exception cref="SlttException">It can't be read.</exception>
    internal void Read(string path)
    {
        try
        {
            given = JsonSerializer.Deserialize<Dictionary<string, ConvolutionChoice>>(File.ReadAllText(path), Json) ?? [];
        }
        catch (Exception e) when (FileErrors.IsFileError(e))
        {
            throw FileErrors.Wrap("read", path, e);
        }
        catch (JsonException e)
        {
            throw FileErrors.Bad(
                path, "not the choices of convolutions that a run folder holds",
                "delete it: a run then goes on with this machine's own choices, to other last bits", e);
        }
    }

    /// <summary>Writes the choices in force into the run folder, so that a resumed run has the same: none is a statement, too.</summary>
    /// <param name="folder">The folder.</param>
    /// <exception cref="SlttException">The file can't be written.</exception>
    internal void WriteTo(string folder)
    {
        AtomicFile.Write(Path.Combine(folder, FileName), file => JsonSerializer.Serialize(file, used, Json), durable: false);
    }

    // Vendor, family, model and name: in a virtual machine the name alone is often the same for all processors.
    private static unsafe string Machine()
    {
        const string Revision = "1"; // Raise it when a convolution kernel changes: remembered choices are then measured again.
        delegate* unmanaged<nint> instructions = (delegate* unmanaged<nint>)NativeLibraries.CpuFunction("sltt_cpu_instruction_set");
        string level = instructions is null
            ? string.Empty
            : System.Runtime.InteropServices.Marshal.PtrToStringUTF8(instructions()) ?? string.Empty;
        string[] wanted = ["vendor_id", "cpu family", "model", "model name"];
        string processor;
        try
        {
            processor = string.Join(", ", File.ReadLines("/proc/cpuinfo").TakeWhile(l => l.Length > 0)
                .Select(l => l.Split(':', 2, StringSplitOptions.TrimEntries)).Where(l => wanted.Contains(l[0])).Select(l => l[^1]));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            processor = "a processor without a name";
        }

        return $"{processor}, {level}, {Revision}";
    }

    private unsafe ConvolutionChoice? Measure(
        string call, Pass pass, TensorDescriptor x, FilterDescriptor w, ConvolutionDescriptor convolution, TensorDescriptor y)
    {
        if (!measures)
        {
            return null;
        }

        nint function = NativeLibraries.CpuFunction("sltt_cpu_measure_convolution");
        delegate* unmanaged<int, nint, nint, nint, nint, int*, double*, int> measure =
            (delegate* unmanaged<int, nint, nint, nint, nint, int*, double*, int>)function;
        int winograd = 0;
        double densest = 0;
        if (measure((int)pass, x.Desc.Pointer, w.Desc.Pointer, convolution.Desc.Pointer, y.Desc.Pointer, &winograd, &densest) != 1)
        {
            return null;
        }

        ConvolutionChoice choice = new(winograd != 0, densest);
        measures = remembered.Add(call, choice);
        return measures ? choice : null;
    }
}
