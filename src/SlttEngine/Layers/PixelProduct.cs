using ManagedCuda.BasicTypes;
using ManagedCuda.CudaBlas;
using SlttEngine.Device;
using SlttEngine.Graph;
using Transposed = ManagedCuda.CudaBlas.Operation;

namespace SlttEngine.Layers;

/// <summary>
/// A 1 × 1 convolution with a stride and no padding as cuBLAS's matrix products over every stride-th pixel. cuDNN has no fast algorithm
/// for some of these shapes.
/// </summary>
/// <remarks>
/// The pixels are gathered into a compact matrix (rows = N·Ho·Wo, input channels), which lives within one operation. So backward gathers
/// them again. The filter's gradient is added to the float gradient by the product itself.
/// </remarks>
/// <typeparam name="T">Compute type.</typeparam>
internal sealed class PixelProduct<T>
    where T : unmanaged
{
    private readonly ProgramBuilder<T> b;
    private readonly ConvolutionModule module;
    private readonly Edge input;
    private readonly Edge output;
    private readonly long multiplyAdds;
    private readonly long compactBytes;
    private readonly DataType type;

    /// <summary>Describes the product.</summary>
    /// <param name="b">The program.</param>
    /// <param name="module">Sizes and parameters.</param>
    /// <param name="input">What it reads.</param>
    /// <param name="output">What it makes.</param>
    public PixelProduct(ProgramBuilder<T> b, ConvolutionModule module, Edge input, Edge output)
    {
        (this.b, this.module, this.input, this.output) = (b, module, input, output);
        multiplyAdds = b.Rows(output) * module.In * module.Out;
        compactBytes = (b.IsStatic(output) ? 1 : b.StepCounts[0]) * b.Rows(output) * module.In * b.Shape.Type.Size();
        type = b.Shape.Type.Blas();
    }

    private CudaBlas Blas => b.Device.Blas;

    /// <summary>True if the convolution has the shape, and the device is faster with products.</summary>
    /// <param name="b">The program.</param>
    /// <param name="module">Sizes.</param>
    public static bool IsFor(ProgramBuilder<T> b, ConvolutionModule module) =>
        b.Device.PrefersPixelProducts && module is { Kernel: 1, Padding: 0, Stride: > 1 };

    /// <summary>y = x Wᵀ.</summary>
    /// <param name="x">Activation.</param>
    /// <param name="filter">W.</param>
    /// <param name="y">Activation.</param>
    public Op Forward(DeviceBuffer<T> x, Filter<T> filter, DeviceBuffer<T> y)
    {
        DeviceBuffer<byte> pixels = b.Workspace($"{module.Name} forward", compactBytes);
        return NewOp("forward", [x, .. filter.Buffers], [y, pixels], filter.ParameterBytes, s =>
        {
            Gather(pixels, x, s);

            // Row-major matrices are cuBLAS's transposed: yᵀ (Out, rows) = W xᵀ.
            Blas.GemmEx(
                Transposed.Transpose,
                Transposed.NonTranspose,
                module.Out,
                RowsOf(s),
                module.In,
                1f,
                filter.Address(),
                type,
                module.In,
                pixels.Address(0),
                type,
                module.In,
                0f,
                y.Address(s.First),
                type,
                module.Out);
        });
    }

    /// <summary>Emits both backward passes: the filter's gradient is added up, the input's handed on.</summary>
    /// <param name="parameter">Whose gradient the filter's is.</param>
    /// <param name="filter">The filter that forward used.</param>
    public void EmitBackward(Parameter parameter, Filter<T> filter)
    {
        Section section = b.BackwardOf(output);
        DeviceBuffer<T> gradOutput = b.DrainGradient(output);
        b.Add(section, BackwardFilter(b.ActivationForBackward(input), gradOutput, parameter));
        if (input != b.Network.Input)
        {
            DeviceBuffer<T> gradInput = b.Scratch<T>(input.Name + " gradient from " + output.Name, b.Count(input), section);
            b.Add(section, BackwardData(gradOutput, filter, gradInput));
            b.AddGradient(input, gradInput);
        }
    }

    /// <summary>The parameter's gradient += gradOutputᵀ x.</summary>
    private Op BackwardFilter(DeviceBuffer<T> x, DeviceBuffer<T> gradOutput, Parameter parameter)
    {
        DeviceBuffer<byte> pixels = b.Workspace($"{module.Name} backward filter", compactBytes);
        return NewOp("backward filter", [x, gradOutput], [pixels], 8L * parameter.Count, s =>
        {
            Gather(pixels, x, s);
            Blas.GemmEx(
                Transposed.NonTranspose,
                Transposed.Transpose,
                module.In,
                module.Out,
                RowsOf(s),
                1f,
                pixels.Address(0),
                type,
                module.In,
                gradOutput.Address(s.First),
                type,
                module.Out,
                1f,
                b.Store.Gradient(parameter).Pointer,
                DataType.CUDA_R_32F,
                module.In);
        });
    }

    /// <summary>gradInput = gradOutput W, and zeros between those pixels.</summary>
    private Op BackwardData(DeviceBuffer<T> gradOutput, Filter<T> filter, DeviceBuffer<T> gradInput)
    {
        DeviceBuffer<byte> pixels = b.Workspace($"{module.Name} backward data", compactBytes);
        return NewOp("backward data", [gradOutput, .. filter.Buffers], [gradInput, pixels], filter.ParameterBytes, s =>
        {
            Blas.GemmEx(
                Transposed.NonTranspose,
                Transposed.NonTranspose,
                module.In,
                RowsOf(s),
                module.Out,
                1f,
                filter.Address(),
                type,
                module.In,
                gradOutput.Address(s.First),
                type,
                module.Out,
                0f,
                pixels.Address(0),
                type,
                module.In);
            b.Device.Kernels.ScatterPixels<T>(
                b.Elementwise(s.Count * b.Count(input)),
                gradInput.At(s.First),
                new ConstDevicePtr<T>(pixels.Address(0)),
                ImagesOf(s),
                input.Height,
                input.Width,
                module.In,
                output.Height,
                output.Width,
                module.Stride);
        });
    }

    private void Gather(DeviceBuffer<byte> pixels, DeviceBuffer<T> x, StepRange steps) => b.Device.Kernels.GatherPixels(
        b.Elementwise((long)RowsOf(steps) * module.In),
        new DevicePtr<T>(pixels.Address(0)),
        x.At(steps.First),
        ImagesOf(steps),
        input.Height,
        input.Width,
        module.In,
        output.Height,
        output.Width,
        module.Stride);

    private int ImagesOf(StepRange steps) => steps.Count * b.Shape.Batch;

    private int RowsOf(StepRange steps) => ImagesOf(steps) * output.Height * output.Width;

    private Op NewOp(string pass, DeviceBuffer[] reads, DeviceBuffer[] writes, long parameterBytes, Action<StepRange> launch) =>
        Op.ForSteps($"{module.Name} {pass}", reads, writes, launch) with
        {
            MultiplyAdds = multiplyAdds,
            ParameterBytes = parameterBytes,
        };
}
