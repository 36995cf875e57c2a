using SlttEngine.Graph;

namespace SlttEngine.Models;

/// <summary>A model by name.</summary>
/// <param name="Name">The official program's name.</param>
/// <param name="Summary">One line.</param>
/// <param name="DataSet">The data set that the official commands train it on.</param>
/// <param name="Build">Builds it.</param>
public sealed record ModelEntry(string Name, string Summary, string DataSet, Func<ModelOptions, Network> Build);

/// <summary>The models that the engine knows.</summary>
public static class ModelCatalog
{
    /// <summary>All models, in the order that they are listed.</summary>
    public static IReadOnlyList<ModelEntry> All { get; } =
    [
        new(
            "spiking_resnet18", "pre-activation ResNet-18 with batch norm, for CIFAR", "cifar10",
            o => SpikingResNet.Build("spiking_resnet18", [2, 2, 2, 2], o)),
        new(
            "spiking_resnet34", "pre-activation ResNet-34 with batch norm, for CIFAR", "cifar10",
            o => SpikingResNet.Build("spiking_resnet34", [3, 4, 6, 3], o)),
        new("spiking_vgg11_bn", "VGG-11 with batch norm, for event cameras", "DVSCIFAR10", SpikingVgg.Build),
        new(
            "spiking_nfresnet34", "normaliser-free ResNet-34, for ImageNet", "imagenet",
            o => SpikingNfResNet.Build("spiking_nfresnet34", [3, 4, 6, 3], bottleneck: false, o)),
        new(
            "spiking_nfresnet50", "normaliser-free ResNet-50, for ImageNet", "imagenet",
            o => SpikingNfResNet.Build("spiking_nfresnet50", [3, 4, 6, 3], bottleneck: true, o)),
        new(
            "spiking_nfresnet101", "normaliser-free ResNet-101, for ImageNet", "imagenet",
            o => SpikingNfResNet.Build("spiking_nfresnet101", [3, 4, 23, 3], bottleneck: true, o)),
    ];

    /// <summary>Builds a model.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="options">What it is built for.</param>
    /// <exception cref="SlttException">No model has that name, or it can't be built so.</exception>
    public static Network Build(string name, ModelOptions options) =>
        (All.FirstOrDefault(m => m.Name == name) ?? throw Unknown(name)).Build(options);

    private static SlttException Unknown(string name) =>
        new(ErrorKind.Usage, $"unknown model '{name}'", "models: " + string.Join(", ", All.Select(m => m.Name)));
}
