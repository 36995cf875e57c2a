using SlttEngine.IO;

namespace SlttEngine.Tests.Engine;

/// <summary>Checkpoints with numbers that a run would not have made.</summary>
internal static class ChangedCheckpoint
{
    /// <summary>Writes a copy of a checkpoint in which a tensor's numbers are others.</summary>
    public static void Write(string from, string to, string tensor, Action<float[]> change)
    {
        CheckpointFile file = CheckpointFile.Read(from);
        List<NamedTensor> tensors = [.. file.Tensors];
        int at = tensors.FindIndex(t => t.Name == tensor);
        float[] values = tensors[at].ToFloat32();
        change(values);
        tensors[at] = NamedTensor.Float32(tensor, tensors[at].Shape, values);
        new CheckpointFile(tensors, file.Metadata).WriteSafeTensors(to);
    }
}
