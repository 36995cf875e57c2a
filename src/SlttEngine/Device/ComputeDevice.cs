using System.Reflection;
using ManagedCuda;
using ManagedCuda.BasicTypes;
using ManagedCuda.CudaBlas;
using ManagedCuda.CudaDNN;

namespace SlttEngine.Device;

/// <summary>One device with its stream, kernels and library handles: all that the engine launches goes through here.</summary>
public sealed class ComputeDevice : IDisposable
{
    private const string KernelResource = "sltt_kernels.fatbin";

    /// <summary>cuBLAS's workspace, bytes: what NVIDIA recommends for Hopper; with less it would choose other kernels.</summary>
    private const long BlasWorkspace = 32 << 20;

    /// <summary>The image by which the CPU device knows that its compiled-in kernels are meant.</summary>
    private static readonly byte[] CpuKernels = "SLTT-CPU-KERNELS\0"u8.ToArray();

    private readonly CUmodule module;
    private readonly CudaDeviceVariable<byte> blasWorkspace;
    private readonly Dictionary<KernelSource, KernelModule> userModules = [];
    private readonly Lock use = new();
    private bool disposed;

    private ComputeDevice(DeviceKind kind, int ordinal)
    {
        Kind = kind;
        Context = new PrimaryContext(ordinal);
        Context.SetCurrent();
        CudaDeviceProperties properties = Context.GetDeviceInfo();
        Name = properties.DeviceName;
        Multiprocessors = properties.MultiProcessorCount;
        TotalMemory = (long)(ulong)properties.TotalGlobalMemory;
        Stream = new CudaStream(CUStreamFlags.NonBlocking);
        module = Context.LoadModuleFatBin(IsCpu ? CpuKernels : ReadGpuKernels());
        Kernels = new Kernels(module, Stream.Stream, Name);
        Blas = new CudaBlas(Stream.Stream);

        // Without a workspace, a captured product allocates and frees at each replay. Setting the stream drops the workspace, so it is
        // set afterwards. The CPU device refuses a captured product without a workspace, too.
        blasWorkspace = new CudaDeviceVariable<byte>(IsCpu ? 256 : BlasWorkspace);
        Blas.SetWorkspace(blasWorkspace);
        Dnn = new CudaDNNContext();
        Dnn.SetStream(Stream);
        Uploads = new BatchUpload(this);
        string remembered = ConvolutionAlgorithms.CacheKey(Name, CudaDNNContext.GetVersion(), TotalMemory);
        Convolutions = new ConvolutionAlgorithms(this, RememberedAlgorithm.Open(remembered), TotalMemory);
        ConvolutionChoices = kind == DeviceKind.Cpu ? new ConvolutionChoices() : null;
        PrefersPixelProducts = !IsCpu;
    }

    /// <summary>True if the GPU kernels were compiled into this build.</summary>
    public static bool HasGpuKernels { get; } = typeof(ComputeDevice).Assembly.GetManifestResourceInfo(KernelResource) is not null;

    /// <summary>Where kernels run.</summary>
    public DeviceKind Kind { get; }

    /// <summary>True on both modes of the CPU device.</summary>
    public bool IsCpu => Kind != DeviceKind.Cuda;

    /// <summary>The device's own name.</summary>
    public string Name { get; }

    /// <summary>Multiprocessors; a constant on the CPU device, so that sums do not depend on the number of cores.</summary>
    public int Multiprocessors { get; }

    /// <summary>Device memory, bytes.</summary>
    public long TotalMemory { get; }

    /// <summary>The driver's context.</summary>
    public PrimaryContext Context { get; }

    /// <summary>The one stream that the engine's work runs on, in order.</summary>
    public CudaStream Stream { get; }

    /// <summary>Launches kernels on <see cref="Stream"/>.</summary>
    public Kernels Kernels { get; }

    /// <summary>cuBLAS on <see cref="Stream"/>.</summary>
    public CudaBlas Blas { get; }

    /// <summary>cuDNN on <see cref="Stream"/>.</summary>
    public CudaDNNContext Dnn { get; }

    /// <summary>Copies batches to the device.</summary>
    internal BatchUpload Uploads { get; }

    /// <summary>Chooses among cuDNN's algorithms.</summary>
    internal ConvolutionAlgorithms Convolutions { get; }

    /// <summary>The CPU device's choices among its ways to do a convolution; null on a GPU and where every thread is run.</summary>
    internal ConvolutionChoices? ConvolutionChoices { get; }

    /// <summary>
    /// True if a 1 × 1 convolution with a stride is faster as a matrix product of every stride-th pixel. On the CPU device the convolution
    /// is, as it goes by the input's spikes.
    /// </summary>
    internal bool PrefersPixelProducts { get; set; }

    /// <summary>True if captured graphs make their small fills of memory by a kernel (<see cref="GraphClears"/>).</summary>
    internal bool ClearsAreKernels { get; set; } = GraphClears.AreKernels;

    /// <summary>Opens a GPU if there is one that can be used, else the CPU device. <see cref="Name"/> says which.</summary>
    /// <exception cref="SlttException">Neither can be used.</exception>
    public static ComputeDevice Open() => Open(DeviceChoice.Auto, out _);

    /// <summary>Opens a device.</summary>
    /// <param name="kind">Which.</param>
    /// <exception cref="SlttException">It can't be used.</exception>
    public static ComputeDevice Open(DeviceKind kind)
    {
        NativeLibraries.Choose(kind != DeviceKind.Cuda);
        try
        {
            return new ComputeDevice(kind, kind == DeviceKind.CpuFaithful ? 1 : 0);
        }
        catch (Exception e) when (e is CudaException or CudaBlasException or CudaDNNException)
        {
            throw new SlttException(ErrorKind.Device, $"the device does not open: {e.Message}", null, e);
        }
    }

    /// <summary>Opens what the user asked for; says in one line what was chosen and why.</summary>
    /// <param name="choice">What was asked for.</param>
    /// <param name="reason">Why this device, for the first line of a run.</param>
    public static ComputeDevice Open(DeviceChoice choice, out string reason)
    {
        if (choice is DeviceChoice.Cpu or DeviceChoice.CpuStrict)
        {
            reason = "as asked";
            return Open(choice == DeviceChoice.Cpu ? DeviceKind.Cpu : DeviceKind.CpuFaithful);
        }

        string? whyNot = NativeLibraries.WhyNoCuda();
        if (whyNot is null)
        {
            reason = choice == DeviceChoice.Auto ? "a GPU is there" : "as asked";
            return Open(DeviceKind.Cuda);
        }

        if (choice == DeviceChoice.Cuda)
        {
            throw new SlttException(ErrorKind.Device, "no NVIDIA GPU can be used: " + whyNot, "use --device cpu");
        }

        reason = whyNot;
        return Open(DeviceKind.Cpu);
    }

    /// <summary>Makes the device the calling thread's: a thread that did not open it calls this first. One thread at a time may use
    /// it.</summary>
    /// <exception cref="ObjectDisposedException">The device is disposed.</exception>
    public void MakeCurrent()
    {
        ObjectDisposedException.ThrowIf(disposed, this);
        Context.SetCurrent();
    }

    /// <summary>True once it is disposed: what is on it is gone too.</summary>
    internal bool IsDisposed => disposed;

    /// <summary>Keeps other threads out until the result is disposed, and makes the device this thread's.</summary>
    /// <exception cref="SlttException">Another thread uses the device.</exception>
    internal IDisposable Use()
    {
        MakeCurrent();
        return use.TryEnter() ? new DeviceUse(use) : throw new SlttException(
            ErrorKind.Usage, $"another thread uses this device ({Name})", "open a device for each thread, or take turns");
    }

    /// <summary>A kernel of a user's own source, which is compiled where this device does not have it yet.</summary>
    /// <param name="source">The source.</param>
    /// <param name="name">The kernel's symbol.</param>
    /// <exception cref="SlttException">There is no compiler, the source does not compile, or it has no such kernel.</exception>
    public CompiledKernel Kernel(KernelSource source, string name) => Kernel(source, [name]);

    /// <summary>As the public one: the first kernel that is there of several.</summary>
    internal CompiledKernel Kernel(KernelSource source, string[] names)
    {
        if (!userModules.TryGetValue(source, out KernelModule? loaded))
        {
            userModules[source] = loaded = KernelModule.Load(this, source);
        }

        return loaded.Kernel(names);
    }

    /// <summary>Waits until all work on <see cref="Stream"/> is done.</summary>
    public void Synchronize() => Stream.Synchronize();

    /// <inheritdoc/>
    public void Dispose()
    {
        if (disposed)
        {
            return;
        }

        MakeCurrent();
        disposed = true;
        Uploads.Dispose();
        Dnn.Dispose();
        Blas.Dispose();
        blasWorkspace.Dispose();
        Stream.Dispose();
        Context.Dispose();
    }

    private sealed class DeviceUse(Lock use) : IDisposable
    {
        public void Dispose() => use.Exit();
    }

    private static byte[] ReadGpuKernels()
    {
        using Stream? stream = Assembly.GetExecutingAssembly().GetManifestResourceStream(KernelResource);
        if (stream is null)
        {
            throw new SlttException(
                ErrorKind.Device, "this build holds no GPU kernels", "install nvcc and run ./build.sh, or use --device cpu");
        }

        byte[] image = new byte[stream.Length];
        stream.ReadExactly(image);
        return image;
    }
}
