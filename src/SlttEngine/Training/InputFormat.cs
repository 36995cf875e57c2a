using ManagedCuda.BasicTypes;

namespace SlttEngine.Training;

/// <summary>How a batch's frames come to the device, and which kernel makes the network's input of them.</summary>
public abstract record InputFormat
{
    /// <summary>Frames (steps, N, C, H, W) copied to the device each iteration; input = frame · scale + shift by channel.</summary>
    /// <param name="Element">u8, u16 or f32.</param>
    /// <param name="Steps">1: one frame for all steps; T: a frame a step.</param>
    /// <param name="Scale">Scale (C).</param>
    /// <param name="Shift">Shift (C).</param>
    public sealed record Frames(string Element, int Steps, float[] Scale, float[] Shift) : InputFormat
    {
        /// <summary>Bytes an element.</summary>
        public int ElementSize => Element switch { "u8" => 1, "u16" => 2, _ => 4 };
    }

    /// <summary>CIFAR images (M, 3, 32, 32) that stay on the device as bytes; an iteration names the ones it takes.</summary>
    /// <param name="Images">The images on the device.</param>
    /// <param name="Mean">Mean by channel, of values in [0, 1].</param>
    /// <param name="Std">Standard deviation by channel.</param>
    /// <param name="Augment">Crop, cutout and flip at random.</param>
    public sealed record ResidentCifar(CUdeviceptr Images, float[] Mean, float[] Std, bool Augment) : InputFormat;
}
