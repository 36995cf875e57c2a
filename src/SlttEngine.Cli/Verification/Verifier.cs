using SlttEngine.Device;
using SlttEngine.IO;
using SlttEngine.Layers;

namespace SlttEngine.Cli.Verification;

/// <summary>How a recorded model is run: whatever changes how it is computed, and not what.</summary>
/// <param name="BatchNorm">Whose batch norm it is built with.</param>
/// <param name="FastMath">Its convolutions may round more than a sum of products does.</param>
/// <param name="SplitTf32">Its convolutions of spikes are split into TF32 parts.</param>
/// <param name="Recompute">Backward makes what batch norms read again.</param>
/// <param name="StepsAtOnce">So many steps go through it side by side, or all if it has fewer; 0: all.</param>
public sealed record ReplayOptions(
    BatchNormKind BatchNorm = BatchNormKind.Sltt,
    bool FastMath = false,
    bool SplitTf32 = false,
    bool Recompute = false,
    int StepsAtOnce = 1);

/// <summary>Replays recorded vectors on a device and compares.</summary>
public static class Verifier
{
    /// <summary>Replays one file: a neuron, a whole model's iterations, or an event recording, as its metadata say.</summary>
    /// <param name="device">The device.</param>
    /// <param name="path">A safetensors file.</param>
    /// <param name="options">How a model is run; null: as by default.</param>
    /// <exception cref="SlttException">It can't be read or is no recording.</exception>
    public static VerificationReport Replay(ComputeDevice device, string path, ReplayOptions? options = null)
    {
        using SafeTensorsFile file = SafeTensorsFile.Open(path);
        RecordedFile recorded = new(file);
        if (recorded.Has("model"))
        {
            return ModelReplay.Run(device, recorded, options ?? new ReplayOptions());
        }

        if (recorded.HasTensor("upstream"))
        {
            return NeuronReplay.Run(device, recorded);
        }

        if (recorded.Has("file"))
        {
            return EventReplay.Run(recorded);
        }

        throw new SlttException(
            ErrorKind.Data, $"{path}: no recording of a model, a neuron or an event camera",
            "give a file whose metadata name a model or an event file, or that holds a neuron's x and upstream");
    }
}
