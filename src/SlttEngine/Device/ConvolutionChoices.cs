using System.Text.Json;
using ManagedCuda.CudaDNN;
using SlttEngine.IO;

namespace SlttEngine.Device;

/// <summary>Which way the CPU device does a pass of a convolution.</summary>
/// <param name="Winograd">Where it is dense: by Winograd's algorithm, not directly.</param>
/// <param name="DensestEvent">It is event-driven where at most this share of the input's numbers is not zero.</param>
public sealed record ConvolutionChoice(bool Winograd, double DensestEvent);

/// <summary>
/// The CPU device's choices among its ways to do a convolution, where they are not the device's own estimates: measured at a run's start
/// (SLTT_CPU_CONV=measure), written into the run folder, and taken from there by a resumed run.
/// </summary>
/// <remarks>
/// The ways differ in a result's last bits, and times vary. So nothing is measured unless asked, and nothing outlives the run but in its
/// folder: a run's bits depend on no other run. A GPU has none of this (<see cref="ConvolutionAlgorithms"/>).
/// </remarks>
public sealed class ConvolutionChoices
{
    /// <summary>Name of the file in the run folder.</summary>
    public const string FileName = "convolution_choices.json";

    private const int Estimate = -1; // in the place of `winograd`: no choice

    private readonly SortedDictionary<string, ConvolutionChoice> used = new(StringComparer.Ordinal);
    private Dictionary<string, ConvolutionChoice>? given;

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
    /// Puts the choice for a pass in force before it is planned: the resumed run's; without one what this run has measured, or measures
    /// now. A pass that the resumed run had no choice for goes by the device's estimates, as it did there.
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
        ConvolutionChoice? choice = given is not null
            ? given.GetValueOrDefault(call)
            : used.GetValueOrDefault(call) ?? (measure ? Measure(pass, x, w, convolution, y) : null);
        delegate* unmanaged<int, nint, nint, nint, nint, int, double, int> set =
            (delegate* unmanaged<int, nint, nint, nint, nint, int, double, int>)NativeLibraries.CpuFunction("sltt_cpu_set_convolution");
        int winograd = choice is null ? Estimate : choice.Winograd ? 1 : 0;
        _ = set((int)pass, x.Desc.Pointer, w.Desc.Pointer, convolution.Desc.Pointer, y.Desc.Pointer, winograd, choice?.DensestEvent ?? 0);
        if (choice is not null)
        {
            used[call] = choice;
        }
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
            given = JsonSerializer.Deserialize(File.ReadAllText(path), ChoicesJson.Default.Convolutions) ?? [];
        }
        catch (Exception e) when (FileErrors.IsFileError(e))
        {
            throw FileErrors.Wrap("read", path, e);
        }
        catch (JsonException e)
        {
            throw FileErrors.Bad(
                path, "not the choices of convolutions that a run folder holds",
                "delete it: a run then goes on with the device's estimates, to other last bits where they differ", e);
        }
    }

    /// <summary>Writes the choices in force into the run folder, so that a resumed run has the same: none is a statement, too.</summary>
    /// <param name="folder">The folder.</param>
    /// <exception cref="SlttException">The file can't be written.</exception>
    internal void WriteTo(string folder)
    {
        AtomicFile.Write(
            Path.Combine(folder, FileName), file => JsonSerializer.Serialize(file, used, ChoicesJson.Default.SortedConvolutions),
            durable: false);
    }

    private static unsafe ConvolutionChoice? Measure(
        Pass pass, TensorDescriptor x, FilterDescriptor w, ConvolutionDescriptor convolution, TensorDescriptor y)
    {
        nint function = NativeLibraries.CpuFunction("sltt_cpu_measure_convolution");
        delegate* unmanaged<int, nint, nint, nint, nint, int*, double*, int> measure =
            (delegate* unmanaged<int, nint, nint, nint, nint, int*, double*, int>)function;
        int winograd = 0;
        double densest = 0;
        int answer = measure((int)pass, x.Desc.Pointer, w.Desc.Pointer, convolution.Desc.Pointer, y.Desc.Pointer, &winograd, &densest);
        return answer == 1 ? new ConvolutionChoice(winograd != 0, densest) : null;
    }
}
