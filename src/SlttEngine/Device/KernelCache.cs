using System.Security.Cryptography;
using System.Text;
using SlttEngine.IO;

namespace SlttEngine.Device;

/// <summary>Compiled kernels of a user's own, in the cache.</summary>
/// <param name="Path">The library or the GPU's code.</param>
/// <param name="Notes">What the compiler said about it.</param>
internal readonly record struct CachedKernels(string Path, string Notes);

/// <summary>Compiled kernels by content: what is compiled from the same text, headers, options and compiler is compiled one time.</summary>
/// <remarks>
/// An entry is two files, the code and a stamp: the hash of both, then the notes. The stamp is written last. An entry whose hash differs is
/// made anew. Where the folder can't be written, a temporary folder of the process serves.
/// </remarks>
/// <param name="folder">Where; null: kernels/ of <see cref="UserCache"/>.</param>
internal sealed class KernelCache(string? folder = null)
{
    private static readonly Lazy<string> Temporary = new(MakeTemporary);

    private string folder = folder ?? Path.Combine(UserCache.Folder, "kernels");

    /// <summary>The hash of a text, in hexadecimal.</summary>
    /// <param name="text">The text.</param>
    public static string HashOf(string text) => Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(text)));

    /// <summary>Finds an entry, or makes it.</summary>
    /// <param name="name">The source's name, for the file's.</param>
    /// <param name="extension">The code's extension.</param>
    /// <param name="key">All that the code depends on.</param>
    /// <param name="make">Compiles, with the headers in a folder that is deleted afterwards, to the file; returns the notes.</param>
    public CachedKernels FindOrMake(string name, string extension, string key, Func<string, string, string> make)
    {
        string file = $"{name}-{HashOf(key)[..24]}{extension}";
        if (Find(Path.Combine(folder, file)) is { } found)
        {
            return found;
        }

        try
        {
            return Make(Path.Combine(folder, file), make);
        }
        catch (Exception e) when (folder != Temporary.Value && (FileErrors.IsFileError(e) || e is SlttException { Kind: ErrorKind.Data }))
        {
            folder = Temporary.Value;
            return FindOrMake(name, extension, key, make);
        }
    }

    private static CachedKernels? Find(string path)
    {
        try
        {
            string stamp = File.ReadAllText(path + ".stamp");
            int end = stamp.IndexOf('\n', StringComparison.Ordinal);
            string notes = stamp[(end + 1)..];
            return end > 0 && stamp[..end] == Stamp(File.ReadAllBytes(path), notes) ? new CachedKernels(path, notes) : null;
        }
        catch (Exception e) when (FileErrors.IsFileError(e))
        {
            return null;
        }
    }

    private static CachedKernels Make(string path, Func<string, string, string> make)
    {
        string work = Path.Combine(Directory.CreateDirectory(Path.GetDirectoryName(path)!).FullName, $".{Guid.NewGuid():N}");
        try
        {
            KernelHeaders.WriteTo(work);
            string made = Path.Combine(work, "made");
            string notes = make(work, made);
            string stamp = Stamp(File.ReadAllBytes(made), notes);
            File.Move(made, path, overwrite: true);
            AtomicFile.Write(path + ".stamp", stream => stream.Write(Encoding.UTF8.GetBytes($"{stamp}\n{notes}")), durable: false);
            return new CachedKernels(path, notes);
        }
        finally
        {
            Delete(work);
        }
    }

    private static string Stamp(byte[] code, string notes) => HashOf(Convert.ToHexString(SHA256.HashData(code)) + notes);

    private static string MakeTemporary()
    {
        string made = Directory.CreateTempSubdirectory("sltt-kernels-").FullName;
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Delete(made);
        return made;
    }

    private static void Delete(string path)
    {
        try
        {
            Directory.Delete(path, recursive: true);
        }
        catch (Exception e) when (FileErrors.IsFileError(e))
        {
            // Files that nobody reads any more are no reason to stop.
        }
    }
}
