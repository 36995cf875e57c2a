using SlttEngine.Checkpoints;
using SlttEngine.Device;

namespace SlttEngine.Verification;

/// <summary>Replays recorded vectors on a device and compares.</summary>
public static class Verifier
{
    /// <summary>Replays one file: a neuron, a whole model's iterations, or an event recording, as its metadata say.</summary>
    /// <param name="device">The device.</param>
    /// <param name="path">A safetensors file.</param>
    /// <exception cref="SlttException">It can't be read or is no recording.</exception>
    public static VerificationReport Replay(ComputeDevice device, string path)
    {
        using SafeTensorsFile file = SafeTensorsFile.Open(path);
        RecordedFile recorded = new(file);
        if (recorded.Has("model"))
        {
            return ModelReplay.Run(device, recorded);
        }

        if (recorded.HasTensor("upstream"))
        {
            return NeuronReplay.Run(device, recorded);
        }

        throw new SlttException(ErrorKind.Data, $"{path}: neither a model's nor a neuron's recording", "give a file whose metadata name a model, or a neuron's x and upstream");
    }
}
