using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;

namespace ManagedCuda.CudaDNN;

/// <summary>A cuDNN call failed. The message has the call, its shapes, its status and cuDNN's reason.</summary>
public class CudaDNNException : Exception
{
    /// <summary>Creates the exception for a status; the message does not name a call.</summary>
    public CudaDNNException(cudnnStatus error)
        : this(error, Describe(error), null)
    {
    }

    /// <summary>Creates the exception for a status, with a given message.</summary>
    public CudaDNNException(cudnnStatus error, string message, Exception? exception)
        : base(message, exception)
    {
        DNNStatus = error;
    }

    /// <summary>The status.</summary>
    public cudnnStatus DNNStatus { get; }

    /// <summary>Throws unless the call succeeded.</summary>
    /// <param name="status">The call's status.</param>
    /// <param name="shapes">The descriptors of the call. They are formatted only if it failed.</param>
    /// <param name="call">The call as written in the source; filled in by the compiler.</param>
    internal static void Check(
        cudnnStatus status, ReadOnlySpan<object> shapes = default, [CallerArgumentExpression(nameof(status))] string call = "")
    {
        if (status != cudnnStatus.Success)
        {
            throw Failure(status, shapes, call);
        }
    }

    private static CudaDNNException Failure(cudnnStatus status, ReadOnlySpan<object> shapes, string call)
    {
        int end = call.IndexOf('(');
        string function = (end < 0 ? call : call[..end])["CudaDNNNativeMethods.".Length..];
        StringBuilder message = new(function);
        for (int i = 0; i < shapes.Length; i++)
        {
            message.Append(i == 0 ? " (" : ", ").Append(shapes[i]);
        }

        message.Append(shapes.Length > 0 ? "): " : ": ").Append(Describe(status));
        return new CudaDNNException(status, message.ToString(), null);
    }

    private static string Describe(cudnnStatus status)
    {
        string text = Enum.IsDefined(status) ? $"{status} ({(int)status})" : $"error {(int)status}";
        string library = Marshal.PtrToStringUTF8(CudaDNNNativeMethods.cudnnGetErrorString(status)) ?? "";
        text = library.Length == 0 ? text : $"{text}, {library}";
        string last = LastError();
        return last.Length == 0 ? text : $"{text}: {last}";
    }

    /// <summary>cuDNN 9's message about the last error on this thread; empty if the library has none.</summary>
    private static string LastError()
    {
        byte[] buffer = new byte[1024];
        try
        {
            CudaDNNNativeMethods.cudnnGetLastErrorString(buffer, buffer.Length);
        }
        catch (EntryPointNotFoundException)
        {
            return "";
        }

        int length = Array.IndexOf(buffer, (byte)0);
        return Encoding.UTF8.GetString(buffer, 0, length < 0 ? buffer.Length : length).ReplaceLineEndings(" ").Trim();
    }
}
