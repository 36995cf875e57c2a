using System.Reflection;
using ManagedCuda;
using ManagedCuda.CudaBlas;

namespace SlttEngine.Tests.ManagedCudaApi;

/// <summary>
/// Golden/managedcuda-signatures.txt lists the members that src/ManagedCuda shares with the published ManagedCuda-12 and
/// ManagedCuda-CUBLAS. Each line was read from the published assemblies. docs/internals/managedcuda.md has the rule.
/// </summary>
public sealed class SignatureTests
{
    private static readonly string[] Published =
        File.ReadAllLines(Path.Combine(AppContext.BaseDirectory, "Golden", "managedcuda-signatures.txt"));

    /// <summary>Ours is one assembly. The published ones are two.</summary>
    private static readonly Assembly[] Assemblies = [.. new[] { typeof(CudaContext).Assembly, typeof(CudaBlas).Assembly }.Distinct()];

    [Test]
    public void TheAssemblyHasAllThatIsListed() =>
        Assert.That(Published.Except(Assemblies.SelectMany(ApiSignatures.Of)), Is.Empty);

    [Test]
    public void OurAssemblyHasNothingThatThePublishedOneLacks()
    {
        if (Assemblies.Length > 1)
        {
            Assert.Ignore("this run uses the published assemblies");
        }

        Assert.That(Assemblies.SelectMany(ApiSignatures.Of).Except(Published), Is.Empty);
    }

    [Test]
    public void TheListIsSortedAndUnique()
    {
        Assert.That(Published, Is.Unique);
        Assert.That(Published, Is.Ordered.Using((IComparer<string>)StringComparer.Ordinal));
        Assert.That(Published, Is.Not.Empty);
    }
}
