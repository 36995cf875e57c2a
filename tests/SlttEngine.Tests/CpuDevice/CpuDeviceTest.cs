using System.Runtime.InteropServices;
using static SlttEngine.Tests.CpuDevice.CpuDriver;

namespace SlttEngine.Tests.CpuDevice;

/// <summary>A test with a context of its own on one of the CPU device's two modes.</summary>
internal abstract unsafe class CpuDeviceTest(int device)
{
    protected const int Fast = 0;
    protected const int Faithful = 1;
    private nint context;
    private nint module;

    protected int Device { get; } = device;

    [SetUp]
    public void MakeContext()
    {
        Ok(cuInit(0));
        Ok(cuCtxCreate_v2(out context, 0, Device));
        fixed (byte* image = "SLTT-CPU-KERNELS"u8)
        {
            Ok(cuModuleLoadFatBinary(out module, image));
        }
    }

    [TearDown]
    public void EndContext()
    {
        _ = cuModuleUnload(module);
        Ok(cuCtxDestroy_v2(context));
    }

    protected static void Ok(Result result) => Expect(result, Result.Success);

    protected static void Expect(Result result, Result expected) => Assert.That(result, Is.EqualTo(expected), LastMessage);

    protected nint Kernel(string name)
    {
        Ok(cuModuleGetFunction(out nint function, module, name));
        return function;
    }

    protected Result FindKernel(string name) => cuModuleGetFunction(out _, module, name);

    protected static ulong Allocate(long bytes)
    {
        Ok(cuMemAlloc_v2(out ulong pointer, (nuint)bytes));
        return pointer;
    }

    /// <summary>Device memory with these values.</summary>
    protected static ulong Upload<T>(T[] values)
        where T : unmanaged
    {
        ulong pointer = Allocate((long)values.Length * sizeof(T));
        fixed (T* p = values)
        {
            Ok(cuMemcpyHtoD_v2(pointer, p, (nuint)(values.Length * sizeof(T))));
        }

        return pointer;
    }

    protected static T[] Download<T>(ulong pointer, int count)
        where T : unmanaged
    {
        T[] values = new T[count];
        fixed (T* p = values)
        {
            Ok(cuMemcpyDtoH_v2(p, pointer, (nuint)(count * sizeof(T))));
        }

        return values;
    }

    /// <summary>Launches with arguments given as 8-byte words, each holding its value in the low bytes.</summary>
    protected static Result Launch(nint kernel, uint grid, uint block, nint stream, params ulong[] arguments) =>
        Launch(kernel, (grid, 1, 1), (block, 1, 1), 0, stream, arguments);

    protected static Result Launch(nint kernel, (uint X, uint Y, uint Z) grid, (uint X, uint Y, uint Z) block, uint shared, nint stream,
        params ulong[] arguments)
    {
        fixed (ulong* values = arguments)
        {
            void** pointers = stackalloc void*[arguments.Length + 1];
            for (int i = 0; i < arguments.Length; i++)
            {
                pointers[i] = values + i;
            }

            return cuLaunchKernel(kernel, grid.X, grid.Y, grid.Z, block.X, block.Y, block.Z, shared, stream, pointers, null);
        }
    }

    protected static ulong Word(float value) => BitConverter.SingleToUInt32Bits(value);

    protected static nint NewStream()
    {
        Ok(cuStreamCreate(out nint stream, 1));
        return stream;
    }

    protected static nint NewEvent(uint flags = 0)
    {
        Ok(cuEventCreate(out nint made, flags));
        return made;
    }

    /// <summary>The text behind a pointer that the device keeps.</summary>
    protected static string? Text(nint pointer) => Marshal.PtrToStringUTF8(pointer);

    protected static float[] Range(int n) => [.. Enumerable.Range(0, n).Select(i => (float)i)];
}
