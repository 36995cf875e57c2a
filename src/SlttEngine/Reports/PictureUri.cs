namespace SlttEngine.Reports;

/// <summary>Pictures inside a page, as data URIs.</summary>
internal static class PictureUri
{
    /// <summary>Larger pictures are photographs, which JPEG makes ten times as small.</summary>
    private const int JpegFrom = 128 * 128;

    /// <summary>A picture of colours.</summary>
    /// <param name="picture">The picture.</param>
    internal static string Of(Picture picture) => picture.Width * picture.Height > JpegFrom
        ? Uri("jpeg", PictureFile.Jpeg(picture)) : Uri("png", PictureFile.Png(picture));

    /// <summary>A picture of red, green, blue and opacity, which stays transparent where nothing is.</summary>
    /// <param name="rgba">Height × width × 4 bytes.</param>
    /// <param name="width">Columns.</param>
    /// <param name="height">Rows.</param>
    internal static string Of(byte[] rgba, int width, int height) => Uri("png", PictureFile.Png(rgba, width, height));

    private static string Uri(string type, byte[] bytes) => $"data:image/{type};base64,{Convert.ToBase64String(bytes)}";
}
