namespace SlttEngine.Tests;

/// <summary>What is measured in tests, by this process or those that it starts, is remembered in a folder of theirs.</summary>
[SetUpFixture]
public sealed class CacheFolder
{
    private string? folder;

    /// <summary>Makes the folder.</summary>
    [OneTimeSetUp]
    public void Make()
    {
        folder = Directory.CreateTempSubdirectory("sltt-cache").FullName;
        Environment.SetEnvironmentVariable("SLTT_CACHE_DIR", folder);
    }

    /// <summary>Deletes it.</summary>
    [OneTimeTearDown]
    public void Delete() => Directory.Delete(folder!, recursive: true);
}
