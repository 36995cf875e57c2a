namespace SlttEngine.Device;

/// <summary>Where kernels run.</summary>
public enum DeviceKind
{
    /// <summary>An NVIDIA GPU through the CUDA driver, cuDNN 9 and cuBLAS.</summary>
    Cuda,

    /// <summary>The CPU device, fast mode: the same calls served by libsltt_cpu.so.</summary>
    Cpu,

    /// <summary>The CPU device's test mode: every CUDA thread really runs, memory is fenced and poisoned. Slow.</summary>
    CpuFaithful,
}

/// <summary>What the user asked for with --device.</summary>
public enum DeviceChoice
{
    /// <summary>The GPU if one can be used, else the CPU.</summary>
    Auto,

    /// <summary>The GPU, or an error.</summary>
    Cuda,

    /// <summary>The CPU.</summary>
    Cpu,

    /// <summary>The CPU device's strict mode: every CUDA thread runs, memory is fenced and poisoned. Slow; for testing kernels.</summary>
    CpuStrict,
}
