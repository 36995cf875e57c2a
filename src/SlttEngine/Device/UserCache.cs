namespace SlttEngine.Device;

/// <summary>The folder for what is measured or compiled: SLTT_CACHE_DIR, else sltt/ of the user's cache folder.</summary>
internal static class UserCache
{
    /// <summary>The folder; it may not exist yet.</summary>
    public static string Folder
    {
        get
        {
            if (Environment.GetEnvironmentVariable("SLTT_CACHE_DIR") is { Length: > 0 } chosen)
            {
                return chosen;
            }

            string? user = Environment.GetEnvironmentVariable("XDG_CACHE_HOME");
            string home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
            return Path.Combine(string.IsNullOrEmpty(user) ? Path.Combine(home, ".cache") : user, "sltt");
        }
    }
}
