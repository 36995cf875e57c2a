using ManagedCuda.BasicTypes;

namespace ManagedCuda;

/// <summary>Says what the driver's error numbers mean. It needs no driver.</summary>
internal static class CudaErrors
{
    /// <summary>"ErrorOutOfMemory (2), not enough memory".</summary>
    public static string Describe(CUResult result)
    {
        string name = Enum.IsDefined(result) ? $"{result} ({(int)result})" : $"error {(int)result}";
        return Meaning(result) is { } meaning ? $"{name}, {meaning}" : name;
    }

    private static string? Meaning(CUResult result) => result switch
    {
        CUResult.Success => "no error",
        CUResult.ErrorInvalidValue => "an argument is out of its range",
        CUResult.ErrorOutOfMemory => "not enough memory",
        CUResult.ErrorNotInitialized => "the driver was not started (cuInit)",
        CUResult.ErrorDeinitialized => "the driver is shutting down",
        CUResult.ErrorStubLibrary => "the library is a stub for linking, not a driver",
        CUResult.ErrorDeviceUnavailable => "the device is busy or its use is prohibited",
        CUResult.ErrorNoDevice => "there is no CUDA device",
        CUResult.ErrorInvalidDevice => "there is no device of this number",
        CUResult.ErrorInvalidImage => "the kernel image is damaged or not one",
        CUResult.ErrorInvalidContext => "no context is current on this thread, or it is not valid",
        CUResult.ErrorNoBinaryForGPU => "the kernels were not compiled for this GPU",
        CUResult.ErrorECCUncorrectable => "the GPU found a memory error that it can't correct",
        CUResult.ErrorUnsupportedLimit => "the device has no such limit",
        CUResult.ErrorContextAlreadyInUse => "another thread holds the context",
        CUResult.ErrorPeerAccessUnsupported => "these devices can't reach each other's memory",
        CUResult.ErrorInvalidPtx => "the PTX does not compile",
        CUResult.NVLinkUncorrectable => "an uncorrectable NVLink error",
        CUResult.JITCompilerNotFound => "the driver's PTX compiler is missing",
        CUResult.UnsupportedPTXVersion => "the PTX is newer than the driver",
        CUResult.JITCompilationDisabled => "PTX compilation is switched off",
        CUResult.ErrorInvalidSource => "the kernel source is not valid",
        CUResult.ErrorFileNotFound => "file not found",
        CUResult.ErrorSharedObjectSymbolNotFound => "a symbol of a shared library is missing",
        CUResult.ErrorSharedObjectInitFailed => "a shared library does not start",
        CUResult.ErrorOperatingSystem => "a call to the operating system failed",
        CUResult.ErrorInvalidHandle => "a handle is not valid",
        CUResult.ErrorIllegalState => "something needed is not in the right state",
        CUResult.ErrorNotFound => "there is nothing of this name",
        CUResult.ErrorNotReady => "not done yet",
        CUResult.ErrorIllegalAddress => "a kernel used memory outside its allocations; this process can't use the device any more",
        CUResult.ErrorLaunchOutOfResources => "the launch wants more threads, registers or shared memory than there are",
        CUResult.ErrorLaunchTimeout => "the kernel ran longer than the system allows",
        CUResult.ErrorPeerAccessAlreadyEnabled => "peer access is already on",
        CUResult.ErrorPeerAccessNotEnabled => "peer access is not on",
        CUResult.ErrorPrimaryContextActive => "the primary context is in use",
        CUResult.ErrorContextIsDestroyed => "the context is destroyed",
        CUResult.ErrorAssert => "an assertion in a kernel failed",
        CUResult.ErrorHostMemoryAlreadyRegistered => "the host memory is already page-locked",
        CUResult.ErrorHostMemoryNotRegistered => "the host memory is not page-locked",
        CUResult.ErrorHardwareStackError => "a kernel's stack overflowed or is damaged",
        CUResult.ErrorIllegalInstruction => "a kernel reached an illegal instruction",
        CUResult.ErrorMisalignedAddress => "a kernel used a misaligned address",
        CUResult.ErrorInvalidAddressSpace => "a kernel used an address of the wrong memory space",
        CUResult.ErrorInvalidPC => "a kernel's program counter left the program",
        CUResult.ErrorLaunchFailed => "a kernel failed",
        CUResult.ErrorCooperativeLaunchTooLarge => "more blocks than can run at once",
        CUResult.ErrorNotPermitted => "not permitted",
        CUResult.ErrorNotSupported => "the device does not support this call",
        CUResult.ErrorSystemNotReady => "the system's GPU services are not running",
        CUResult.ErrorSystemDriverMismatch => "driver and kernel module are of different versions",
        CUResult.ErrorCompatNotSupportedOnDevice => "this GPU does not take the forward-compatible driver",
        CUResult.ErrorStreamCaptureUnsupported => "the call is not allowed while a stream is captured",
        CUResult.ErrorStreamCaptureInvalidated => "an earlier error made the capture invalid",
        CUResult.ErrorStreamCaptureMerge => "two captures would be joined",
        CUResult.ErrorStreamCaptureUnmatched => "the stream is not the one the capture began on",
        CUResult.ErrorStreamCaptureUnjoined => "the capture forked to a stream that was not joined again",
        CUResult.ErrorStreamCaptureIsolation => "work outside the capture would be waited for",
        CUResult.ErrorStreamCaptureImplicit => "the default stream can't be captured or waited for in a capture",
        CUResult.ErrorCapturedEvent => "the event was recorded in a capture",
        CUResult.ErrorStreamCaptureWrongThread => "another thread began the capture",
        CUResult.ErrorTimeOut => "timed out",
        CUResult.ErrorGraphExecUpdateFailure => "the graph changed too much to be updated",
        _ => null,
    };
}
