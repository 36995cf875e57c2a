using SlttEngine.Device;
using SlttEngine.IO;
using SlttEngine.Layers;

namespace SlttEngine.Cli.Verification;

/// <summary>Replays recorded vectors on a device and compares.</summary>
public static class Verifier
{
    /// <summary>Replays one file: a neuron, a whole model's iterations, or an event recording, as its metadata say.</summary>
    /// <param name="device">The device.</param>
    /// <param name="path">A safetensors file.</param>
    /// <param name="batchNorm">Whose batch norm a model is built with.</param>
    /// <param name="fastMath">A model's convolutions may round more than a sum of products does.</param>
    /// <exception cref="SlttException">It can't be read or is no recording.</exception>
    public static VerificationReport Replay(
        ComputeDevice device, string path, BatchNormKind batchNorm = BatchNormKind.Sltt, bool fastMath = false)
    {
        using SafeTensorsFile file = SafeTensorsFile.Open(path);
        RecordedFile recorded = new(file);
        if (recorded.Has("model"))
        {
            return ModelReplay.Run(device, recorded, batchNorm, fastMath);
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
