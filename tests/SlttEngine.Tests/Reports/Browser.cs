using PuppeteerSharp;
using PuppeteerSharp.Media;

namespace SlttEngine.Tests.Reports;

/// <summary>The distribution's Chromium, spoken to over DevTools.</summary>
internal sealed class Browser : IAsyncDisposable
{
    private static readonly string[] Names = ["chromium-headless-shell", "chromium", "chromium-browser", "google-chrome"];

    private readonly IBrowser browser;

    private Browser(IBrowser browser) => this.browser = browser;

    /// <summary>Starts it. Ignores the running test where there is none.</summary>
    internal static async Task<Browser> StartAsync()
    {
        string[] folders = (Environment.GetEnvironmentVariable("PATH") ?? string.Empty).Split(Path.PathSeparator);
        string? program = Names.SelectMany(name => folders.Select(f => Path.Combine(f, name))).FirstOrDefault(File.Exists);
        if (program is null)
        {
            Assert.Ignore("no Chromium is installed: apt-get install chromium-headless-shell");
        }

        return new Browser(await Puppeteer.LaunchAsync(new LaunchOptions
        {
            Headless = true,
            ExecutablePath = program,
            Args = ["--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--disable-extensions"],
        }));
    }

    /// <summary>Opens a page and keeps what it complains of.</summary>
    /// <param name="file">The page.</param>
    /// <param name="width">Of the window, CSS pixels.</param>
    /// <param name="dark">What the user prefers.</param>
    /// <param name="before">A script that runs before the page's own.</param>
    internal async Task<OpenPage> OpenAsync(string file, int width, bool dark, string? before = null)
    {
        IPage page = await browser.NewPageAsync();
        OpenPage open = new(page);
        await page.SetViewportAsync(new ViewPortOptions { Width = width, Height = 800 });
        await page.EmulateMediaFeaturesAsync(
            [new MediaFeatureValue { MediaFeature = MediaFeature.PrefersColorScheme, Value = dark ? "dark" : "light" }]);
        if (before is not null)
        {
            await page.EvaluateExpressionOnNewDocumentAsync(before);
        }

        await page.GoToAsync(new Uri(file).AbsoluteUri);
        return open;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync() => await browser.DisposeAsync();

    /// <summary>A page in the browser.</summary>
    internal sealed class OpenPage : IAsyncDisposable
    {
        private readonly IPage page;

        internal OpenPage(IPage page)
        {
            this.page = page;
            page.Console += (_, e) => Complaints.Add($"{e.Message.Type}: {e.Message.Text}");
            page.PageError += (_, e) => Complaints.Add(e.Message);
            page.RequestFailed += (_, e) => Complaints.Add($"failed: {e.Request.Url}");
            page.Request += (_, e) => Requests.Add(e.Request.Url);
        }

        /// <summary>Lines of the console, errors, failed requests.</summary>
        internal List<string> Complaints { get; } = [];

        /// <summary>What was loaded.</summary>
        internal List<string> Requests { get; } = [];

        /// <summary>The page itself.</summary>
        internal IPage Page => page;

        /// <summary>A value of the page.</summary>
        /// <typeparam name="T">Its type.</typeparam>
        /// <param name="script">An expression.</param>
        internal Task<T> ValueAsync<T>(string script) => page.EvaluateExpressionAsync<T>(script);

        /// <inheritdoc/>
        public async ValueTask DisposeAsync() => await page.DisposeAsync();
    }
}
