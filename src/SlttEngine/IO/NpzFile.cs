using System.IO.Compression;
using System.IO.Hashing;

namespace SlttEngine.IO;

/// <summary>Reads NumPy's .npz files: zip archives of .npy arrays.</summary>
internal static class NpzFile
{
    /// <summary>A deflated stream grows by no more than this factor.</summary>
    private const long MaxGrowth = 1032;

    /// <summary>33 million times of 8 bytes; the data sets' samples have up to some millions of events.</summary>
    private const long LargestArray = 1 << 28;

    /// <summary>Reads some arrays of a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="names">The arrays' names.</param>
    /// <returns>The arrays in the order of <paramref name="names"/>.</returns>
    /// <exception cref="SlttException">The file cannot be read or is damaged, or an array is missing or not of plain numbers.</exception>
    internal static NpyArray[] Read(string path, params string[] names)
    {
        try
        {
            using FileStream file = File.OpenRead(path);
            using ZipArchive zip = new(file, ZipArchiveMode.Read);
            long fileLength = file.Length;
            return [.. names.Select(name => Read(path, zip, fileLength, name))];
        }
        catch (InvalidDataException e)
        {
            throw FileErrors.Bad(path, "not a whole .npz file (a zip archive of arrays): truncated or damaged?", null, e);
        }
        catch (Exception e) when (FileErrors.IsFileError(e))
        {
            throw FileErrors.Wrap("read", path, e);
        }
        catch (Exception e) when (e is NotSupportedException or ArgumentException)
        {
            throw FileErrors.Bad(path, "a zip archive with what NumPy does not write", null, e);
        }
    }

    /// <summary>Whether a file holds an array of that name; false for a file that can't be read.</summary>
    /// <param name="path">The file.</param>
    /// <param name="name">The array's name.</param>
    internal static bool Holds(string path, string name)
    {
        try
        {
            using ZipArchive zip = ZipFile.OpenRead(path);
            return zip.GetEntry(name + ".npy") is not null;
        }
        catch (Exception e) when (e is InvalidDataException or NotSupportedException or ArgumentException || FileErrors.IsFileError(e))
        {
            return false; // the read that follows says why
        }
    }

    private static NpyArray Read(string path, ZipArchive zip, long fileLength, string name)
    {
        ZipArchiveEntry[] found = [.. zip.Entries.Where(e => e.FullName == name + ".npy")];
        if (found.Length != 1)
        {
            string held = string.Join(", ", zip.Entries.Select(e => Shown(e.FullName)).Take(8));
            throw FileErrors.Bad(
                path, found.Length > 1 ? $"holds the array {name} twice"
                    : $"holds no array {name}, but {(held.Length > 0 ? held : "nothing")}");
        }

        ZipArchiveEntry entry = found[0];
        string place = $"{path}: {name}";
        if (entry.Length > Array.MaxLength || entry.CompressedLength > fileLength
            || entry.Length > (MaxGrowth * entry.CompressedLength) + 1024)
        {
            throw FileErrors.Bad(
                place, $"{entry.Length} bytes cannot come of {entry.CompressedLength} compressed ones in {fileLength}: damaged?");
        }

        if (entry.Length > LargestArray)
        {
            throw FileErrors.Bad(place, $"an array of {entry.Length} bytes, more than a sample has", "is it one sample?");
        }

        byte[] bytes = new byte[entry.Length];
        using Stream stream = entry.Open();
        stream.ReadExactly(bytes);
        if (stream.ReadByte() >= 0 || Crc32.HashToUInt32(bytes) != entry.Crc32)
        {
            throw FileErrors.Bad(place, "the checksum does not fit: damaged?");
        }

        return NpyArray.Parse(place, bytes);
    }

    /// <summary>A name in the archive without its ending, fit for one line.</summary>
    private static string Shown(string name)
    {
        string plain = string.Concat(name.Where(c => !char.IsControl(c)).Take(40));
        return plain.EndsWith(".npy", StringComparison.Ordinal) ? plain[..^4] : plain;
    }
}
