using BitMiracle.LibTiff.Classic;

namespace SlttEngine.Data;

/// <summary>Decodes the first image of a TIFF file of 8 bits a sample, or fewer, by LibTiff.</summary>
internal static class TiffImage
{
    static TiffImage() => Tiff.SetErrorHandler(new Silent());

    /// <summary>True for the first bytes of such a file.</summary>
    internal static bool Is(ReadOnlySpan<byte> bytes) => bytes.StartsWith("II*\0"u8) || bytes.StartsWith("MM\0*"u8);

    /// <summary>The image; null with the reason if it is damaged or of a kind that is not read.</summary>
    internal static PixelImage? Decode(byte[] bytes, out string? problem)
    {
        problem = TiffHeader.Problem(bytes);
        if (problem is not null)
        {
            return null;
        }

        try
        {
            using MemoryStream stream = new(bytes, writable: false);
            using Tiff? tiff = Tiff.ClientOpen("image", "r", stream, new TiffStream());
            if (tiff is null)
            {
                problem = "a damaged TIFF file";
                return null;
            }

            int width = Field(tiff, TiffTag.IMAGEWIDTH, 0), height = Field(tiff, TiffTag.IMAGELENGTH, 0);
            problem = KindProblem(tiff) ?? GrowthProblem(tiff, width, height, bytes.Length);
            if (problem is not null)
            {
                return null;
            }

            bool alpha = Field(tiff, TiffTag.SAMPLESPERPIXEL, 1) is 2 or 4;
            byte[]? pixels = alpha ? ReadRows(tiff, width, height) : ReadAll(tiff, width, height);
            problem = pixels is null ? "damaged, or truncated" : null;
            return pixels is null ? null : new PixelImage(pixels, width, height);
        }
        catch (Exception e)
        {
            // LibTiff lets a damaged file end in whatever comes of it.
            problem = $"a damaged TIFF file ({e.GetType().Name})";
            return null;
        }
    }

    /// <summary>Why an image of this kind is not read; null if it is. Wrong pixels would be worse.</summary>
    private static string? KindProblem(Tiff tiff)
    {
        int bits = Field(tiff, TiffTag.BITSPERSAMPLE, 1), samples = Field(tiff, TiffTag.SAMPLESPERPIXEL, 1);
        int photometric = Field(tiff, TiffTag.PHOTOMETRIC, (int)Photometric.MINISBLACK);
        bool plain = photometric is (int)Photometric.MINISBLACK or (int)Photometric.RGB;
        bool known = plain || photometric is (int)Photometric.MINISWHITE or (int)Photometric.PALETTE or (int)Photometric.YCBCR;
        return bits > 8 ? $"a TIFF image of {bits} bits a sample: only 8 are read"
            : !known || samples > 4 || samples < 1 ? "a TIFF image that is neither grey nor coloured by RGB, YCbCr or a palette"
            : Field(tiff, TiffTag.ORIENTATION, 1) != 1 ? "a TIFF image that is stored turned: store it upright"
            : samples is 2 or 4 && (!plain || bits != 8 || tiff.IsTiled() || Field(tiff, TiffTag.PLANARCONFIG, 1) != 1)
                ? "a TIFF image with transparency in a form that is not read" : null;
    }

    /// <summary>Why the image can't be unpacked of so few bytes: it is damaged, and would take memory.</summary>
    private static string? GrowthProblem(Tiff tiff, long width, long height, long length)
    {
        long bits = width * height * Field(tiff, TiffTag.SAMPLESPERPIXEL, 1) * Field(tiff, TiffTag.BITSPERSAMPLE, 1);
        long part = tiff.IsTiled() ? tiff.TileSize() : tiff.StripSize();
        long limit = TiffHeader.MaxGrowth * length;
        return bits / 8 > limit || part < 0 || part > limit || tiff.ScanlineSize() > limit
            ? $"{width}×{height} pixels cannot come of {length} bytes: damaged?" : null;
    }

    private static int Field(Tiff tiff, TiffTag tag, int otherwise) =>
        tiff.GetField(tag) is { Length: > 0 } value ? value[0].ToInt() : otherwise;

    private static byte[]? ReadAll(Tiff tiff, int width, int height)
    {
        int[] raster = new int[width * height];
        if (!tiff.ReadRGBAImageOriented(width, height, raster, Orientation.TOPLEFT, stopOnError: true))
        {
            return null;
        }

        byte[] pixels = new byte[raster.Length * 4];
        for (int i = 0; i < raster.Length; i++)
        {
            (pixels[4 * i], pixels[(4 * i) + 1], pixels[(4 * i) + 2]) = ((byte)Tiff.GetR(raster[i]), (byte)Tiff.GetG(raster[i]),
                (byte)Tiff.GetB(raster[i]));
        }

        return pixels;
    }

    /// <summary>Colours beside alpha, as stored: the other way would multiply them by it.</summary>
    private static byte[]? ReadRows(Tiff tiff, int width, int height)
    {
        int samples = Field(tiff, TiffTag.SAMPLESPERPIXEL, 1);
        byte[] row = new byte[Math.Max(tiff.ScanlineSize(), width * samples)];
        byte[] pixels = new byte[width * height * 4];
        for (int y = 0; y < height; y++)
        {
            if (!tiff.ReadScanline(row, y))
            {
                return null;
            }

            for (int x = 0; x < width; x++)
            {
                for (int c = 0; c < 3; c++)
                {
                    pixels[(((y * width) + x) * 4) + c] = row[(x * samples) + (samples == 4 ? c : 0)];
                }
            }
        }

        return pixels;
    }

    /// <summary>Its messages go nowhere: a damaged file is reported in one line.</summary>
    private sealed class Silent : TiffErrorHandler
    {
        public override void ErrorHandler(Tiff tif, string method, string format, params object[] args)
        {
        }

        public override void ErrorHandlerExt(Tiff tif, object clientData, string method, string format, params object[] args)
        {
        }

        public override void WarningHandler(Tiff tif, string method, string format, params object[] args)
        {
        }

        public override void WarningHandlerExt(Tiff tif, object clientData, string method, string format, params object[] args)
        {
        }
    }
}
