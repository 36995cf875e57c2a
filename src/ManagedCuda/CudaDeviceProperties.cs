using ManagedCuda.BasicTypes;
using ManagedCuda.VectorTypes;

namespace ManagedCuda;

/// <summary>Properties of a device, read once.</summary>
public class CudaDeviceProperties
{
    private readonly int[] attributes = new int[(int)CUDeviceAttribute.MAX];

    /// <summary>Creates properties that say nothing; <see cref="CudaContext.GetDeviceInfo(int)"/> reads a device's.</summary>
    public CudaDeviceProperties()
    {
        DeviceName = "";
        DriverVersion = new Version(0, 0);
    }

    internal CudaDeviceProperties(CUdevice device)
    {
        byte[] name = new byte[256];
        Driver.Check(DriverAPINativeMethods.DeviceManagement.cuDeviceGetName(name, name.Length, device));
        DeviceName = System.Text.Encoding.UTF8.GetString(name.AsSpan(0, Math.Max(0, Array.IndexOf(name, (byte)0))));
        DriverVersion = CudaContext.GetDriverVersion();
        SizeT bytes = 0;
        Driver.Check(DriverAPINativeMethods.DeviceManagement.cuDeviceTotalMem_v2(ref bytes, device));
        TotalGlobalMemory = bytes;
        for (int i = 1; i < attributes.Length; i++)
        {
            // Attributes that the driver does not know (it may be older than this list) stay 0.
            int value = 0;
            if (DriverAPINativeMethods.DeviceManagement.cuDeviceGetAttribute(ref value, (CUDeviceAttribute)i, device) == CUResult.Success)
            {
                attributes[i] = value;
            }
        }
    }

    /// <summary>The device's name.</summary>
    public string DeviceName { get; }

    /// <summary>The newest CUDA version that the driver supports.</summary>
    public Version DriverVersion { get; }

    /// <summary>Device memory, bytes.</summary>
    public SizeT TotalGlobalMemory { get; }

    /// <summary>Compute capability: 9.0 is Hopper.</summary>
    public Version ComputeCapability => new(Get(CUDeviceAttribute.ComputeCapabilityMajor), Get(CUDeviceAttribute.ComputeCapabilityMinor));

    /// <summary>Who may use the device.</summary>
    public CUComputeMode ComputeMode => (CUComputeMode)Get(CUDeviceAttribute.ComputeMode);

    /// <summary>Most threads of a block along each axis.</summary>
    public dim3 MaxBlockDim => new(Get(CUDeviceAttribute.MaxBlockDimX), Get(CUDeviceAttribute.MaxBlockDimY), Get(CUDeviceAttribute.MaxBlockDimZ));

    /// <summary>Most blocks of a grid along each axis.</summary>
    public dim3 MaxGridDim => new(Get(CUDeviceAttribute.MaxGridDimX), Get(CUDeviceAttribute.MaxGridDimY), Get(CUDeviceAttribute.MaxGridDimZ));

    /// <summary>Multiprocessors.</summary>
    public int MultiProcessorCount => Get(CUDeviceAttribute.MultiProcessorCount);

    /// <summary>Most threads of a block.</summary>
    public int MaxThreadsPerBlock => Get(CUDeviceAttribute.MaxThreadsPerBlock);

    /// <summary>Most threads that a multiprocessor runs at once.</summary>
    public int MaxThreadsPerMultiProcessor => Get(CUDeviceAttribute.MaxThreadsPerMultiProcessor);

    /// <summary>Most blocks that a multiprocessor runs at once.</summary>
    public int MaxBlocksPerMultiProcessor => Get(CUDeviceAttribute.MaxBlocksPerMultiProcessor);

    /// <summary>Threads of a warp.</summary>
    public int WarpSize => Get(CUDeviceAttribute.WarpSize);

    /// <summary>Most shared memory of a block, bytes.</summary>
    public int SharedMemoryPerBlock => Get(CUDeviceAttribute.MaxSharedMemoryPerBlock);

    /// <summary>Most shared memory of a block that asks for it, bytes.</summary>
    public int MaxSharedMemoryPerBlockOptin => Get(CUDeviceAttribute.MaxSharedMemoryPerBlockOptin);

    /// <summary>Shared memory of a multiprocessor, bytes.</summary>
    public int MaxSharedMemoryPerMultiprocessor => Get(CUDeviceAttribute.MaxSharedMemoryPerMultiprocessor);

    /// <summary>Shared memory that the driver keeps of each block, bytes.</summary>
    public int ReservedSharedMemoryPerBlock => Get(CUDeviceAttribute.ReservedSharedMemoryPerBlock);

    /// <summary>32-bit registers of a block.</summary>
    public int RegistersPerBlock => Get(CUDeviceAttribute.MaxRegistersPerBlock);

    /// <summary>32-bit registers of a multiprocessor.</summary>
    public int MaxRegistersPerMultiprocessor => Get(CUDeviceAttribute.MaxRegistersPerMultiprocessor);

    /// <summary>Constant memory, bytes.</summary>
    public int TotalConstantMemory => Get(CUDeviceAttribute.TotalConstantMemory);

    /// <summary>Core clock, kHz.</summary>
    public int ClockRate => Get(CUDeviceAttribute.ClockRate);

    /// <summary>Memory clock, kHz.</summary>
    public int MemoryClockRate => Get(CUDeviceAttribute.MemoryClockRate);

    /// <summary>Width of the memory bus, bits.</summary>
    public int GlobalMemoryBusWidth => Get(CUDeviceAttribute.GlobalMemoryBusWidth);

    /// <summary>L2 cache, bytes.</summary>
    public int L2CacheSize => Get(CUDeviceAttribute.L2CacheSize);

    /// <summary>L2 cache that can be set aside, bytes.</summary>
    public int MaxPersistingL2CacheSize => Get(CUDeviceAttribute.MaxPersistingL2CacheSize);

    /// <summary>Longest row of a pitched copy, bytes.</summary>
    public int MemoryPitch => Get(CUDeviceAttribute.MaxPitch);

    /// <summary>Copies that can run beside kernels.</summary>
    public int AsyncEngineCount => Get(CUDeviceAttribute.AsyncEngineCount);

    /// <summary>PCI bus.</summary>
    public int PciBusId => Get(CUDeviceAttribute.PCIBusID);

    /// <summary>PCI device.</summary>
    public int PciDeviceId => Get(CUDeviceAttribute.PCIDeviceID);

    /// <summary>PCI domain.</summary>
    public int PCIDomainID => Get(CUDeviceAttribute.PCIDomainID);

    /// <summary>The same on all devices of a board.</summary>
    public int MultiGPUBoardGroupID => Get(CUDeviceAttribute.MultiGpuBoardGroupID);

    /// <summary>How much faster float arithmetic is than double.</summary>
    public int SingleToDoublePrecisionPerfRatio => Get(CUDeviceAttribute.SingleToDoublePrecisionPerfRatio);

    /// <summary>Copies can run beside kernels.</summary>
    public bool GpuOverlap => Get(CUDeviceAttribute.GPUOverlap) != 0;

    /// <summary>Kernels are stopped after some time.</summary>
    public bool KernelExecTimeoutEnabled => Get(CUDeviceAttribute.KernelExecTimeout) != 0;

    /// <summary>The GPU shares the host's memory.</summary>
    public bool Integrated => Get(CUDeviceAttribute.Integrated) != 0;

    /// <summary>Kernels can read page-locked host memory.</summary>
    public bool CanMapHostMemory => Get(CUDeviceAttribute.CanMapHostMemory) != 0;

    /// <summary>Several kernels can run at once.</summary>
    public bool ConcurrentKernels => Get(CUDeviceAttribute.ConcurrentKernels) != 0;

    /// <summary>Memory errors are corrected.</summary>
    public bool EccEnabled => Get(CUDeviceAttribute.ECCEnabled) != 0;

    /// <summary>Windows: the driver that is for computing alone.</summary>
    public bool TccDrivelModel => Get(CUDeviceAttribute.TCCDriver) != 0;

    /// <summary>Host and device share one address space.</summary>
    public bool UnifiedAddressing => Get(CUDeviceAttribute.UnifiedAddressing) != 0;

    /// <summary>Streams can have priorities.</summary>
    public bool SupportsStreamPriorities => Get(CUDeviceAttribute.StreamPrioritiesSupported) != 0;

    /// <summary>L1 caches global memory.</summary>
    public bool GlobalL1CacheSupported => Get(CUDeviceAttribute.GlobalL1CacheSupported) != 0;

    /// <summary>L1 caches local memory.</summary>
    public bool LocalL1CacheSupported => Get(CUDeviceAttribute.LocalL1CacheSupported) != 0;

    /// <summary>Memory that moves by itself is supported.</summary>
    public bool ManagedMemory => Get(CUDeviceAttribute.ManagedMemory) != 0;

    /// <summary>The board has several GPUs.</summary>
    public bool MultiGPUBoard => Get(CUDeviceAttribute.MultiGpuBoard) != 0;

    /// <summary>Kernels can be interrupted.</summary>
    public bool ComputePreemptionSupported => Get(CUDeviceAttribute.ComputePreemptionSupported) != 0;

    /// <summary>Cooperative launches are supported.</summary>
    public bool CooperativeLaunch => Get(CUDeviceAttribute.CooperativeLaunch) != 0;

    /// <summary>Thread block clusters are supported.</summary>
    public bool ClusterLaunch => Get(CUDeviceAttribute.ClusterLaunch) != 0;

    private int Get(CUDeviceAttribute attribute) => attributes[(int)attribute];
}
