namespace SlttEngine.Data.Sets;

/// <summary>The data sets that are found by name.</summary>
public static class DataSets
{
    /// <summary>All data sets, in the order of the official programs' -dataset.</summary>
    public static IReadOnlyList<NamedDataSet> All { get; } = [
        new Cifar10(), new Cifar100(), new Cifar10Dvs(), new DvsGesture(), new ImageNet()];

    /// <summary>The data set of a name.</summary>
    /// <param name="name">One of <see cref="All"/>.</param>
    /// <exception cref="SlttException">There is no such data set: names the nearest.</exception>
    public static NamedDataSet Find(string name) =>
        All.FirstOrDefault(d => d.Name == name) ?? throw NearestName.Unknown("data set", name, [.. All.Select(d => d.Name)]);
}
