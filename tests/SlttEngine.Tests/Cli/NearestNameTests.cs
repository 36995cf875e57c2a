namespace SlttEngine.Tests.Cli;

public sealed class NearestNameTests
{
    private static readonly string[] Models = [
        "spiking_resnet18", "spiking_resnet34", "spiking_vgg11_bn", "spiking_nfresnet34", "spiking_nfresnet50", "spiking_nfresnet101"];

    [TestCase("spiking_resnet81", "spiking_resnet18")]
    [TestCase("spikingresnet34", "spiking_resnet34")]
    [TestCase("Spiking_VGG11_BN", "spiking_vgg11_bn")]
    [TestCase("spiking_vgg11", "spiking_vgg11_bn")]
    [TestCase("spiking_nfresnet10", "spiking_nfresnet101")]
    [TestCase("resnet18", null)]
    [TestCase("transformer", null)]
    [TestCase("", null)]
    public void FindsWhatWasMeant(string given, string? expected) => Assert.That(NearestName.Find(given, Models), Is.EqualTo(expected));

    [Test]
    public void ErrorNamesBoth()
    {
        SlttException error = NearestName.Unknown("model", "spiking_resnet19", Models);
        Assert.That(error.Message, Is.EqualTo("unknown model 'spiking_resnet19'; did you mean 'spiking_resnet18'?"));
        Assert.That(error.Hint, Does.Contain("spiking_nfresnet101"));
    }
}
