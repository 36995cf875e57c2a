using ManagedCuda;
using ManagedCuda.BasicTypes;
using SlttEngine.Device;
using SlttEngine.Graph;
using SlttEngine.Layers;

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

/// <summary>The input of one program: its tensors and the operation that fills the network's input.</summary>
internal sealed class InputFeed : IDisposable
{
    private readonly ComputeDevice device;
    private readonly DeviceBuffer source;
    private readonly CudaDeviceVariable<float>? scale;
    private readonly CudaDeviceVariable<float>? shift;

    public InputFeed(ProgramBuilder b, InputFormat format)
    {
        device = b.Device;
        Edge input = b.Store.Network.Input;
        int n = b.Shape.Batch;
        bool once = b.Shape.StaticInput;
        DeviceBuffer x = b.Shape.Training || once
            ? b.Keep("input", BufferKind.Batch, b.BytesOf(input), once ? 1 : b.Copies)
            : ProgramBuilder.Scratch("input", b.BytesOf(input));
        b.SetForward(input, x);
        Section section = once ? Section.Begin : Section.Forward;
        switch (format)
        {
            case InputFormat.Frames frames:
                source = b.Keep("frames", BufferKind.Batch, frames.Steps * input.Elements * n * frames.ElementSize);
                scale = Upload(frames.Scale);
                shift = Upload(frames.Shift);
                b.Add(section, new Op(
                    "expand frames",
                    [source],
                    [x],
                    t => device.Launch(
                        $"expand_frames_{frames.Element}_{b.Suffix}",
                        SpikeOps.Elements(b, input.Elements * n),
                        x.At(t),
                        source.At(0),
                        b.RunState,
                        scale.DevicePointer,
                        shift.DevicePointer,
                        frames.Steps,
                        n,
                        input.Channels,
                        input.Height,
                        input.Width))
                { Bytes = (source.Bytes / frames.Steps) + x.Bytes });
                break;
            case InputFormat.ResidentCifar cifar:
                source = b.Keep("image indices", BufferKind.Batch, 4L * n);
                b.Add(section, new Op(
                    "augment",
                    [source],
                    [x],
                    t => device.Launch(
                        "augment_cifar_" + b.Suffix,
                        LaunchShape.Samples(n),
                        x.At(t),
                        cifar.Images,
                        source.At(0),
                        b.RunState,
                        cifar.Mean[0],
                        cifar.Mean[1],
                        cifar.Mean[2],
                        cifar.Std[0],
                        cifar.Std[1],
                        cifar.Std[2],
                        cifar.Augment ? 1 : 0,
                        n,
                        input.Channels)));
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(format));
        }
    }

    /// <summary>Bytes that <see cref="Write"/> takes.</summary>
    public long Bytes => source.Bytes;

    /// <summary>Copies a batch's frames, or its image indices, to the device.</summary>
    /// <param name="batch">Exactly <see cref="Bytes"/> bytes; may be reused once the call returns.</param>
    public void Write(ReadOnlySpan<byte> batch) => device.Uploads.Write(source.At(0), batch);

    public void Dispose()
    {
        scale?.Dispose();
        shift?.Dispose();
    }

    private CudaDeviceVariable<float> Upload(float[] values)
    {
        CudaDeviceVariable<float> variable = new(values.Length);
        HostCopy.ToDevice<float>(device, variable.DevicePointer, values);
        return variable;
    }
}
