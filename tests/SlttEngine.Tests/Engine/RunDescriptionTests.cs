using SlttEngine.IO;
using SlttEngine.Training;

namespace SlttEngine.Tests.Engine;

/// <summary>What a checkpoint says of its run, as text.</summary>
public sealed class RunDescriptionTests
{
    private static readonly string Text = """
        {"format":1,"program":"SlttEngine 0.2.0","method":"SLTT-K","K":2,"T":6,"neuron":"LIF, soft reset","tau":1.1,"threshold":1,
        "surrogate":"triangle","loss_lambda":0.05,"loss_one_hot":false,"loss_means":"NaN","model":"m\u003C1\u003E",
        "model_settings":{"drop_rate":"0"},"input":[2,8,8],"classes":2,"class_names":["cat","dog"],"scale":[0.5,1],"shift":[0,0],
        "train_samples":20,"dtype":"float32","fast_math":false,"split_tf32":false,"steps_at_once":1,
        "batch_size":4,"drop_last":false,"seed":2022,"epochs":1}
        """.ReplaceLineEndings(string.Empty);

    /// <summary>Each kind of member: the text that was read is written, byte for byte.</summary>
    [Test]
    public void A_description_is_written_as_it_was_read()
    {
        Dictionary<string, string> written = [];
        Read(Text).AddTo(written);
        Assert.That(written["sltt_description"], Is.EqualTo(Text));
    }

    /// <summary>Members that have a default need not be there.</summary>
    [Test]
    public void Members_that_are_missing_have_their_defaults()
    {
        RunDescription read = Read(Text.Replace("\"format\":1,", "").Replace("\"neuron\":\"LIF, soft reset\",", ""));
        Assert.That(read, Has.Property(nameof(read.Format)).EqualTo(1).And.Property(nameof(read.Neuron)).EqualTo("LIF, soft reset"));
    }

    /// <summary>Members that are required, and those that may not be null, are refused with their place.</summary>
    [TestCase("\"seed\":2022,", "")]
    [TestCase("[\"cat\",\"dog\"]", "null")]
    public void A_member_that_is_missing_or_null_is_refused(string part, string other) =>
        Assert.That(() => Read(Text.Replace(part, other)), Throws.TypeOf<SlttException>().With.Message.Contains("malformed"));

    private static RunDescription Read(string text) =>
        RunDescription.Read(new CheckpointFile([], new Dictionary<string, string> { ["sltt_description"] = text }))!;
}
