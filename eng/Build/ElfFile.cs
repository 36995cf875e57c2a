using System.Buffers.Binary;
using System.Text;

namespace SlttEngine.Build;

/// <summary>What a 64-bit ELF library asks of others: their names, the versions of their symbols, and where it looks for them.</summary>
internal sealed class ElfFile
{
    private const int Dynamic = 6;
    private const int VersionNeeds = 0x6ffffffe;
    private const long Needed = 1, Rpath = 15, Runpath = 29;

    private readonly byte[] bytes;

    /// <summary>Reads a library.</summary>
    /// <param name="name">Its name, for messages.</param>
    /// <param name="bytes">Its content.</param>
    /// <exception cref="InvalidDataException">The file is no 64-bit little-endian ELF file with sections.</exception>
    public ElfFile(string name, byte[] bytes)
    {
        this.bytes = bytes;
        if (bytes.Length < 64 || !bytes.AsSpan(0, 6).SequenceEqual("\u007fELF\u0002\u0001"u8))
        {
            throw new InvalidDataException($"{name} is no 64-bit ELF file");
        }

        int sections = U16(0x3c), size = U16(0x3a);
        long table = I64(0x28);
        for (int i = 0; i < sections; i++)
        {
            long at = table + i * size;
            long strings = I64(table + I32(at + 0x28) * size + 0x18);
            switch (I32(at + 4))
            {
                case Dynamic:
                    ReadDynamic(I64(at + 0x18), I64(at + 0x20), strings);
                    break;
                case VersionNeeds:
                    ReadVersions(I64(at + 0x18), I32(at + 0x2c), strings);
                    break;
            }
        }

        if (Libraries.Count == 0)
        {
            throw new InvalidDataException($"{name} names no library that it needs: it has no sections, or is static");
        }
    }

    /// <summary>Names of the libraries needed.</summary>
    public List<string> Libraries { get; } = [];

    /// <summary>Versions of symbols needed, such as GLIBC_2.34.</summary>
    public List<string> Versions { get; } = [];

    /// <summary>DT_RPATH: it holds for the libraries of libraries too.</summary>
    public string? SearchPath { get; private set; }

    /// <summary>DT_RUNPATH: a library with one ignores the search path of those that load it.</summary>
    public string? OwnSearchPath { get; private set; }

    /// <summary>The newest version needed of a family, such as GLIBC; null if none is.</summary>
    public Version? Newest(string family) => Versions
        .Where(version => version.StartsWith(family + "_", StringComparison.Ordinal))
        .Select(version => Version.TryParse(version[(family.Length + 1)..], out Version? number) ? number : null)
        .Max();

    private void ReadDynamic(long at, long length, long strings)
    {
        for (long entry = at; entry < at + length; entry += 16)
        {
            string text() => Text(strings + I64(entry + 8));
            switch (I64(entry))
            {
                case Needed:
                    Libraries.Add(text());
                    break;
                case Rpath:
                    SearchPath = text();
                    break;
                case Runpath:
                    OwnSearchPath = text();
                    break;
            }
        }
    }

    // A list of libraries, each with a list of versions; both link by distances in bytes.
    private void ReadVersions(long at, int libraries, long strings)
    {
        for (int i = 0; i < libraries; i++)
        {
            long version = at + I32(at + 8);
            for (int j = U16(at + 2); j > 0; j--)
            {
                Versions.Add(Text(strings + I32(version + 8)));
                version += I32(version + 12);
            }

            at += I32(at + 12);
        }
    }

    private int U16(long at) => BinaryPrimitives.ReadUInt16LittleEndian(bytes.AsSpan((int)at));

    private int I32(long at) => BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan((int)at));

    private long I64(long at) => BinaryPrimitives.ReadInt64LittleEndian(bytes.AsSpan((int)at));

    private string Text(long at)
    {
        ReadOnlySpan<byte> rest = bytes.AsSpan((int)at);
        return Encoding.UTF8.GetString(rest[..rest.IndexOf((byte)0)]);
    }
}
