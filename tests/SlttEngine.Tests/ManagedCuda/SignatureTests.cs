using System.Reflection;
using ManagedCuda;
using ManagedCuda.CudaBlas;

namespace SlttEngine.Tests.ManagedCudaApi;

/// <summary>
/// Golden/managedcuda-signatures.txt lists, as read from the published ManagedCuda-12 and ManagedCuda-CUBLAS, the members that
/// src/ManagedCuda has; docs/managedcuda.md says how the file is made.
/// </summary>
public sealed class SignatureTests
{
    private static readonly Assembly[] Assemblies = [.. new[] { typeof(CudaContext).Assembly, typeof(CudaBlas).Assembly }.Distinct()];

    private static readonly string[] Published = File.ReadAllLines(Path.Combine(AppContext.BaseDirectory, "Golden", "managedcuda-signatures.txt"));

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
    public void TheListIsWhole()
    {
        Assert.That(Published, Is.Unique);
        Assert.That(Published, Is.Ordered.Using((IComparer<string>)StringComparer.Ordinal));
        Assert.That(Published, Has.Length.GreaterThan(1000));
    }
}
