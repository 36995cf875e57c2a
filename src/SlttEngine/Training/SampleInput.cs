using ManagedCuda.BasicTypes;
using SlttEngine.Data;

namespace SlttEngine.Training;

/// <summary>From a data set's sample format to the format of an engine's input.</summary>
internal static class SampleInput
{
    /// <summary>How batches of these samples come to the device.</summary>
    /// <param name="format">The samples.</param>
    /// <param name="images">Where images are that stay on the device; null before there is memory.</param>
    /// <param name="train">True: images are augmented.</param>
    internal static InputFormat Input(this SampleFormat format, CUdeviceptr images, bool train) => format switch
    {
        SampleFormat.Images i => new InputFormat.ResidentCifar(images, i.Mean, i.Std, Augment: train),
        SampleFormat.Frames f => new InputFormat.Frames(Name(f.Element), f.Shape.Steps, f.Scale, f.Shift),
        _ => throw new ArgumentOutOfRangeException(nameof(format)),
    };

    private static string Name(SampleElement element) =>
        element switch { SampleElement.UInt8 => "u8", SampleElement.UInt16 => "u16", _ => "f32" };
}
