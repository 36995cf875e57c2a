using ManagedCuda;
using SlttEngine.Device;
using SlttEngine.Graph;

namespace SlttEngine.Training;

/// <summary>The input of one program: its buffers and the operation that fills the network's input.</summary>
internal sealed class InputFeed : IDisposable
{
    private readonly ComputeDevice device;
    private readonly DeviceBuffer source;
    private InputFormat format;
    private CudaDeviceVariable<float>? scale;
    private CudaDeviceVariable<float>? shift;

    private InputFeed(ComputeDevice device, DeviceBuffer source, InputFormat format) =>
        (this.device, this.source, this.format) = (device, source, format);

    /// <summary>Bytes that <see cref="Write"/> takes.</summary>
    public long Bytes => source.Bytes;

    /// <summary>Emits the operation that fills the network's input: one time an iteration for a static input, else each step.</summary>
    /// <typeparam name="T">Compute type.</typeparam>
    /// <param name="b">The program.</param>
    /// <param name="format">How batches come; where images lie is not asked yet.</param>
    public static InputFeed Emit<T>(ProgramBuilder<T> b, InputFormat format)
        where T : unmanaged
    {
        Edge input = b.Network.Input;
        bool isStatic = b.Shape.StaticInput;
        DeviceBuffer<T> x = b.Shape.Training || isStatic
            ? b.Keep<T>("input", BufferKind.Batch, b.Count(input), isStatic ? 1 : b.Copies)
            : b.Scratch<T>("input", b.Count(input));
        b.SetActivation(input, x);
        Section section = isStatic ? Section.Begin : Section.Forward;
        switch (format)
        {
            case InputFormat.Frames frames:
                {
                    long bytes = frames.Steps * b.Count(input) * frames.ElementSize;
                    DeviceBuffer<byte> source = b.Keep<byte>("frames", BufferKind.Batch, bytes);
                    InputFeed feed = new(b.Device, source, format);
                    b.Add(section, Op.ForSteps(
                        "expand frames", [source], [x], s => feed.Expand(b, frames.Element, frames.Steps, x.At(s.First), s)) with
                    {
                        Bytes = (source.Bytes / frames.Steps) + x.Bytes,
                    });
                    return feed;
                }

            case InputFormat.ResidentCifar:
                {
                    DeviceBuffer<int> source = b.Keep<int>("image indices", BufferKind.Batch, b.Shape.Batch);
                    InputFeed feed = new(b.Device, source, format);
                    b.Add(section, new Op("augment", [source], [x], t => feed.Augment(b, x.At(t), source.At(0))));
                    return feed;
                }

            default:
                throw new ArgumentOutOfRangeException(nameof(format));
        }
    }

    /// <summary>Gives the feed its memory, and the place of images that stay on the device.</summary>
    /// <param name="placed">The format that the program was planned with, now with the images' address.</param>
    public void Allocate(InputFormat placed)
    {
        format = placed;
        if (format is InputFormat.Frames frames)
        {
            scale = Upload(frames.Scale);
            shift = Upload(frames.Shift);
        }
    }

    /// <summary>Copies a batch's frames, or its image indices, to the device.</summary>
    /// <param name="batch">Exactly <see cref="Bytes"/> bytes; may be reused once the call returns.</param>
    public void Write(ReadOnlySpan<byte> batch) => device.Uploads.Write(this, source.Address(0), batch);

    /// <summary>
    /// True if the next batch's copy runs beside an iteration's work, from <see cref="Release"/> on. That is after the last operation that
    /// <see cref="IsReadBy"/>.
    /// </summary>
    public bool Overlaps => device.Uploads.Overlaps(Bytes);

    /// <summary>True if the operation reads the batch.</summary>
    /// <param name="op">The operation.</param>
    public bool IsReadBy(Op op) => op.Reads.Contains(source);

    /// <summary>The launches so far were the last to read the batch: the next one may take its place.</summary>
    public void Release()
    {
        if (Overlaps)
        {
            device.Uploads.Release();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        scale?.Dispose();
        shift?.Dispose();
    }

    private void Expand<T>(ProgramBuilder<T> b, string element, int frames, DevicePtr<T> x, StepRange steps)
        where T : unmanaged
    {
        Edge input = b.Network.Input;
        (Kernels kernels, LaunchShape shape) = (device.Kernels, b.Elementwise(b.Count(input), steps));
        (int n, int c, int h, int w) = (b.Shape.Batch, input.Channels, input.Height, input.Width);
        ConstDevicePtr<float> scales = new(scale!.DevicePointer);
        ConstDevicePtr<float> shifts = new(shift!.DevicePointer);
        switch (element)
        {
            case "u8":
                kernels.ExpandFramesU8(
                    shape, x, new ConstDevicePtr<byte>(source.Address(0)), b.RunState, scales, shifts, steps.Count, frames, n, c, h, w);
                break;
            case "u16":
                kernels.ExpandFramesU16(
                    shape, x, new ConstDevicePtr<ushort>(source.Address(0)), b.RunState, scales, shifts, steps.Count, frames, n, c, h, w);
                break;
            default:
                kernels.ExpandFramesF32(
                    shape, x, new ConstDevicePtr<float>(source.Address(0)), b.RunState, scales, shifts, steps.Count, frames, n, c, h, w);
                break;
        }
    }

    private void Augment<T>(ProgramBuilder<T> b, DevicePtr<T> x, DevicePtr<int> indices)
        where T : unmanaged
    {
        InputFormat.ResidentCifar cifar = (InputFormat.ResidentCifar)format;
        device.Kernels.AugmentCifar(
            LaunchShape.Samples(b.Shape.Batch),
            x,
            new ConstDevicePtr<byte>(cifar.Images),
            indices,
            b.RunState,
            cifar.Mean[0],
            cifar.Mean[1],
            cifar.Mean[2],
            cifar.Std[0],
            cifar.Std[1],
            cifar.Std[2],
            cifar.Augment ? 1 : 0,
            b.Shape.Batch,
            b.Network.Input.Channels);
    }

    private CudaDeviceVariable<float> Upload(float[] values)
    {
        CudaDeviceVariable<float> variable = new(values.Length);
        HostCopy.ToDevice<float>(device, variable.DevicePointer, values);
        return variable;
    }
}
