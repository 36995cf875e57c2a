namespace SlttEngine.IO;

/// <summary>Writes files so that a reader finds either the older one or the new one, whole, whatever happens in between.</summary>
/// <remarks>
/// The bytes go to a temporary file in the same folder, are flushed to the disk, and only then take the name by a rename,
/// which the file system does in one step. A full disk or a killed process leaves the older file as it was; the temporary file's
/// name is fixed, so a left-over is overwritten by the next write.
/// </remarks>
public static class AtomicFile
{
    /// <summary>The temporary file that <see cref="Write"/> uses for <paramref name="path"/>.</summary>
    public static string TemporaryPath(string path)
    {
        string full = Path.GetFullPath(path);
        return Path.Combine(Path.GetDirectoryName(full) ?? full, $".{Path.GetFileName(full)}.tmp");
    }

    /// <summary>Writes <paramref name="path"/> in one piece.</summary>
    /// <param name="path">The file to replace or make. Its folder must exist, so that a mistyped path is an error.</param>
    /// <param name="write">Writes the content; if it throws, the older file stays.</param>
    /// <param name="durable">Wait for the disk, so that a power failure cannot lose the file; false for files that can be made a second
    /// time.</param>
    /// <exception cref="SlttException">The file cannot be written: names the file and the reason.</exception>
    public static void Write(string path, Action<Stream> write, bool durable = true)
    {
        ArgumentNullException.ThrowIfNull(write);
        string temporary = TemporaryPath(path);
        bool created = false;
        try
        {
            using (FileStream file = new FileStream(temporary, FileMode.Create, FileAccess.ReadWrite, FileShare.None, 1 << 16))
            {
                created = true;
                write(file);
                file.Flush(flushToDisk: durable);
            }

            File.Move(temporary, path, overwrite: true);
        }
        catch (Exception e) when (FileErrors.IsFileError(e))
        {
            Remove(created, temporary);
            throw FileErrors.Wrap("write", path, e);
        }
        catch
        {
            Remove(created, temporary);
            throw;
        }
    }

    private static void Remove(bool created, string temporary)
    {
        if (!created)
        {
            return;
        }

        try
        {
            File.Delete(temporary);
        }
        catch (Exception e) when (FileErrors.IsFileError(e))
        {
            // The first error is the one to report; a left-over is overwritten by the next write.
        }
    }
}
