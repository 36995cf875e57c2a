namespace SlttEngine.Export;

/// <summary>Stub.</summary>
internal static class NirWriter
{
    internal static ExportSummary Write(ExportSubject subject, string path, ExportOptions options) => throw new NotImplementedException();
}
