namespace ManagedCuda.BasicTypes;

/// <summary>Called by the driver when the stream has done its work so far; must not call the driver.</summary>
/// <param name="hStream">The stream.</param>
/// <param name="status">Its status.</param>
/// <param name="userData">What the callback was added with.</param>
public delegate void CUstreamCallback(CUstream hStream, CUResult status, IntPtr userData);

/// <summary>Called by a stream on the host; must not call the driver.</summary>
/// <param name="userData">What the function was launched with.</param>
public delegate void CUhostFn(IntPtr userData);
