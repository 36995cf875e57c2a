using SlttEngine.Reports;
using SlttEngine.Tests.Cli;

namespace SlttEngine.Tests.Reports;

/// <summary>Opens pages in Chromium, and looks at what is there and at the console.</summary>
public sealed class ReportBrowserTests
{
    private static readonly string[] Sections =
        ["curves", "firing", "potentials", "confusion", "mistakes", "spikes", "cost", "memory", "run"];

    private SmallCifar data = null!;
    private Browser browser = null!;

    [OneTimeSetUp]
    public async Task StartAsync()
    {
        browser = await Browser.StartAsync();
        data = new SmallCifar();
    }

    [OneTimeTearDown]
    public async Task StopAsync()
    {
        data?.Dispose();
        if (browser is not null)
        {
            await browser.DisposeAsync();
        }
    }

    /// <summary>The page of a run as the command leaves it: every section, with marks and pictures, and nothing to complain of.</summary>
    [Test]
    public async Task A_runs_page_shows_all_of_it()
    {
        SlttProcess.Result run = SlttProcess.Run(data.Train("-epochs", "2", "-T", "2"));
        Assert.That(run.ExitCode, Is.Zero, run.Error);
        string file = Path.Combine(Directory.GetDirectories(data.OutDir).Single(), ReportPage.FileName);
        await using Browser.OpenPage page = await browser.OpenAsync(file, 1280, dark: false);
        Assert.That(await page.ValueAsync<string>("document.title"), Does.Contain("spiking_resnet18 on cifar10").And.EndWith("done"));
        Assert.That(await page.ValueAsync<string[]>("[...document.querySelectorAll('main section')].map(s => s.id)"), Is.EqualTo(Sections));
        Assert.That(await page.ValueAsync<string[]>("[...document.querySelectorAll('h2')].map(h => h.textContent)"), Is.All.Not.Empty);
        await AssertDrawnAsync(page);
        Assert.That(await page.ValueAsync<int>("document.querySelectorAll('.cards img').length"), Is.GreaterThan(0), "mistakes");
        Assert.That(await page.ValueAsync<int>("document.querySelectorAll('.steps img.spikes').length"), Is.GreaterThan(1), "spikes");
        Assert.That(await page.ValueAsync<int>("document.querySelectorAll('table.matrix tbody td').length"), Is.EqualTo(110));
        Assert.That(await page.ValueAsync<string>("document.documentElement.outerHTML"), Does.Not.Contain(data.Folder));
        Assert.That(page.Complaints, Is.Empty);
    }

    /// <summary>A phone's width, and dark: nothing is wider than the window, tables scroll by themselves, text is light.</summary>
    [Test]
    public async Task A_page_fits_a_phone_and_the_night()
    {
        await using Browser.OpenPage page = await browser.OpenAsync(MadePage(RunState.Done), 360, dark: true);
        Assert.That(await page.ValueAsync<int>("document.documentElement.scrollWidth"), Is.LessThanOrEqualTo(360));
        Assert.That(await page.ValueAsync<bool>(
            "[...document.querySelectorAll('.scroll')].some(s => s.scrollWidth > s.clientWidth && s.tabIndex === 0)"), Is.True);
        Assert.That(await Brightness(page, "background-color", "document.body"), Is.LessThan(60));
        Assert.That(await Brightness(page, "color", "document.body"), Is.GreaterThan(180));
        Assert.That(await Brightness(page, "fill", "document.querySelector('svg text')"), Is.GreaterThan(120));
        await AssertDrawnAsync(page);
        Assert.That(page.Complaints, Is.Empty);

        await using Browser.OpenPage light = await browser.OpenAsync(MadePage(RunState.Done), 1280, dark: false);
        Assert.That(await Brightness(light, "background-color", "document.body"), Is.GreaterThan(200));
        Assert.That(await light.ValueAsync<int>("document.documentElement.scrollWidth"), Is.LessThanOrEqualTo(1280));
    }

    /// <summary>A page loads nothing but itself, and those who can't see it are told what is there.</summary>
    [Test]
    public async Task A_page_is_one_file_that_can_be_read_aloud()
    {
        await using Browser.OpenPage page = await browser.OpenAsync(MadePage(RunState.Done), 800, dark: false);
        Assert.That(page.Requests.Where(r => !r.StartsWith("data:", StringComparison.Ordinal)), Has.Exactly(1).Items);
        Assert.That(await page.ValueAsync<int>(
            "document.querySelectorAll('img:not([alt]), img[alt=\"\"], svg[role=img]:not([aria-label])').length"), Is.Zero);
        Assert.That(await page.ValueAsync<int>("document.querySelectorAll('h1').length"), Is.EqualTo(1));
        Assert.That(await page.ValueAsync<string>("document.documentElement.lang"), Is.EqualTo("en"));
        Assert.That(await page.ValueAsync<int>("document.querySelectorAll('th:not([scope])').length"), Is.Zero);
    }

    /// <summary>Arrow keys and the pointer show an epoch's values.</summary>
    [Test]
    public async Task Values_can_be_read()
    {
        await using Browser.OpenPage page = await browser.OpenAsync(MadePage(RunState.Done), 800, dark: false);
        Assert.That(await Readout(page), Does.StartWith("epoch 29: train "));
        await page.Page.FocusAsync("svg.curves");
        await page.Page.Keyboard.PressAsync("ArrowLeft");
        Assert.That(await Readout(page), Does.StartWith("epoch 28: train "));
        await page.Page.HoverAsync("svg.curves");
        Assert.That(await Readout(page), Does.Match("^epoch 1[45]: train "), "the middle of the plot");
        Assert.That(page.Complaints, Is.Empty);
    }

    /// <summary>The page of a run that goes on loads itself a second time, and shows what has come since.</summary>
    [Test]
    public async Task A_running_page_reloads()
    {
        string file = MadePage(RunState.Running);
        const string clock = "window.setInterval = (call, time) => { window.tick = call; window.time = time; }";
        await using Browser.OpenPage page = await browser.OpenAsync(file, 800, dark: false, before: clock);
        Assert.That(await page.ValueAsync<int>("time"), Is.InRange(1_000, 60_000));
        MadePage(RunState.Done);
        Task reloaded = page.Page.WaitForNavigationAsync();
        await page.ValueAsync<int>("(document.querySelector('details').open = true, scrollTo(0, 500), setTimeout(tick), 0)");
        await reloaded;
        Assert.That(await page.ValueAsync<string>("document.title"), Does.EndWith("done"));
        Assert.That(await page.ValueAsync<int>("scrollY"), Is.InRange(400, 600), "near the same place");
        Assert.That(await page.ValueAsync<bool>("document.querySelector('details').open"), Is.True);
        Assert.That(await page.ValueAsync<string>("typeof tick"), Is.EqualTo("undefined"), "a run that ended does not reload");
        Assert.That(page.Complaints, Is.Empty);
    }

    [Test]
    public async Task Compared_runs_are_drawn()
    {
        string file = Path.Combine(data.Folder, "compare.html");
        ComparePage.Write(file, [new("a", "done", SampleRun.Record(20, 3)), new("b", "died", SampleRun.Record(9, 3))]);
        await using Browser.OpenPage page = await browser.OpenAsync(file, 360, dark: true);
        string lines = "document.querySelectorAll('svg.curves path.s1, svg.curves path.s2').length";
        Assert.That(await page.ValueAsync<int>(lines), Is.EqualTo(12));
        Assert.That(await page.ValueAsync<int>("document.documentElement.scrollWidth"), Is.LessThanOrEqualTo(360));
        await AssertDrawnAsync(page);
        Assert.That(page.Complaints, Is.Empty);
    }

    /// <summary>Every plot has a mark of some size, and every picture has pixels.</summary>
    private static async Task AssertDrawnAsync(Browser.OpenPage page)
    {
        Assert.That(await page.ValueAsync<int>("document.querySelectorAll('figure svg[role=img]').length"), Is.GreaterThan(3));
        Assert.That(await page.ValueAsync<string[]>("""
            [...document.querySelectorAll('figure svg[role=img]')].filter(s =>
              ![...s.querySelectorAll('path:not(.gr):not(.ax)')].some(p => {
              const box = p.getBBox(), style = getComputedStyle(p);
              return box.width + box.height > 20 && (style.stroke !== 'none' || style.fill !== 'none');
            })).map(s => s.getAttribute('aria-label'))
            """), Is.Empty, "plots without a mark");
        Assert.That(await page.ValueAsync<string[]>(
            "[...document.images].filter(i => !i.complete || i.naturalWidth === 0).map(i => i.alt)"), Is.Empty, "pictures");
    }

    private static Task<string> Readout(Browser.OpenPage page) => page.ValueAsync<string>("document.querySelector('.read').textContent");

    private static Task<double> Brightness(Browser.OpenPage page, string property, string element) => page.ValueAsync<double>(
        $"(c => (c[0] + c[1] + c[2]) / 3)(getComputedStyle({element}).getPropertyValue('{property}').match(/[\\d.]+/g).map(Number))");

    private string MadePage(RunState state)
    {
        RunEnd? end = state == RunState.Done ? new RunEnd(SampleRun.Start.AddHours(1), RunEnd.Done) : null;
        ReportPage.Write(data.Folder, SampleRun.Record(30, 12, end: end), SampleRun.Inspection(29, 12, 10));
        return Path.Combine(data.Folder, ReportPage.FileName);
    }

    private enum RunState
    {
        Done,
        Running,
    }
}
