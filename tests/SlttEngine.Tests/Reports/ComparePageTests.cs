using SlttEngine.Reports;

namespace SlttEngine.Tests.Reports;

/// <summary>The page of several runs.</summary>
public sealed class ComparePageTests
{
    [Test]
    public void Runs_on_different_data_have_no_best_one_among_them()
    {
        RunRecord one = SampleRun.Record(3, 4), other = one with { Begin = one.Begin with { DataSet = "another" } };
        Assert.That(ComparePage.Html([new("a", "done", one), new("b", "done", one)]), Does.Contain("Best test accuracy"));
        Assert.That(ComparePage.Html([new("a", "done", one), new("b", "done", other)]), Does.Not.Contain("Best test accuracy"));
    }

    [Test]
    public void Runs_lie_over_each_other_with_what_differs()
    {
        RunRecord one = SampleRun.Record(20, 4), other = SampleRun.Record(10, 4);
        other = other with
        {
            Begin = other.Begin with
            {
                Method = "BPTT",
                Epochs = 20,
                Options = new Dictionary<string, string> { ["lr"] = "0.05", ["T"] = "6", ["out_dir"] = "<b>" },
            },
        };
        string page = ComparePage.Html([new("first <run>", "done", one), new("second", "running", other)]);
        Assert.That(page, Does.Contain("2 runs compared").And.Contain("first &lt;run&gt;").And.Contain("B: method BPTT, lr 0.05"));
        Assert.That(page, Does.Contain("<th scope=\"row\">lr</th><td>0.1</td><td>0.05</td>").And.Not.Contain("row\">out_dir"));
        Assert.That(page, Does.Contain("20 of 20").And.Contain("10 of 20").And.Not.Contain("xception").And.Not.Contain("data-reload"));
        foreach (string title in new[] { "Test accuracy", "Train accuracy", "Test loss", "Train loss", "Mean firing rate", "samples a" })
        {
            Assert.That(page, Does.Contain(title));
        }
    }

    [Test]
    public void Runs_without_a_difference_or_an_epoch_have_a_page()
    {
        string page = ComparePage.Html([new("a", "died", SampleRun.Record(0, 4)), new("b", "done", SampleRun.Record(0, 4))]);
        Assert.That(page, Does.Contain("Nothing that is recorded").And.Contain("died"));
    }
}
