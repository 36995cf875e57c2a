using System.Reflection;
using System.Runtime.InteropServices;
using SlttEngine.Bench;
using SlttEngine.Device;
using SlttEngine.Generator;
using Launchers = SlttEngine.Device.Kernels;

namespace SlttEngine.Tests.Kernels;

/// <summary>The C# side of the kernels' signatures against what the built library lists.</summary>
public sealed class KernelSignatureTests
{
    private static readonly KernelList List = KernelList.Load(Path.Combine(AppContext.BaseDirectory, "libsltt_cpu.so"));

    /// <summary>Every kernel of the library has a launcher with the same parameters, and no launcher is left over.</summary>
    [Test]
    public void LaunchersAreTheLibrarysKernels()
    {
        Assert.That(List.Kernels, Has.Count.GreaterThan(80));
        Assert.That(KernelSignatures.All.Keys.Order(StringComparer.Ordinal), Is.EqualTo(List.Kernels.Select(k => k.Name)));
        foreach (ListedKernel kernel in List.Kernels)
        {
            KernelSignature signature = KernelSignatures.All[kernel.Name];
            Assert.That(Launchers.Names[signature.Index], Is.EqualTo(kernel.Name));
            Assert.That(
                signature.Parameters.Select(p => (p.Name, Type: KernelParameter.NameOf(p.Element), p.IsPointer, p.IsConst)),
                Is.EqualTo(
                    kernel.Parameters.Select(p => (Name: CSharp.Camel(p.Name).TrimStart('@'), Type: NameOf(p.Type), p.Pointer, p.Const))),
                kernel.Name);
        }
    }

    /// <summary>RunState has the library's fields where the library has them.</summary>
    [Test]
    public void RunStateIsLaidOutAsInTheLibrary()
    {
        Assert.That(Marshal.SizeOf<RunState>(), Is.EqualTo(List.RunState.Size));
        Assert.That(List.RunState.HostBytes, Is.EqualTo(RunState.HostBytes));
        FieldInfo[] fields = typeof(RunState).GetFields(BindingFlags.Public | BindingFlags.Instance);
        Assert.That(
            fields.Select(f => (f.Name, NameOf(f.FieldType), (int)Marshal.OffsetOf<RunState>(f.Name), Marshal.SizeOf(f.FieldType))),
            Is.EqualTo(List.RunState.Fields.Select(f => (CSharp.Field(f.Name), NameOf(f.Type), f.Offset, f.Size))));
    }

    /// <summary>The committed files are what ./build.sh generate writes.</summary>
    [Test]
    public void CommittedFilesAreUpToDate()
    {
        string? root = AppContext.BaseDirectory;
        while (root is not null && !File.Exists(Path.Combine(root, "SlttEngine.sln")))
        {
            root = Path.GetDirectoryName(root);
        }

        if (root is null)
        {
            Assert.Ignore("the sources are not here");
        }

        foreach ((string name, string text) in GeneratedFiles.Of(List, Path.Combine(root, "kernels")))
        {
            string committed = File.ReadAllText(Path.Combine(root, "src", "SlttEngine", "Device", name)).ReplaceLineEndings("\n");
            Assert.That(committed, Is.EqualTo(text), $"{name} is not what the kernels say; run ./build.sh generate");
        }
    }

    /// <summary>The bench times every kernel, in every variant, with arguments of its signature.</summary>
    [Test]
    public void EveryKernelHasABenchCase()
    {
        using ComputeDevice device = ComputeDevice.Open(KernelTest.Kinds.First());
        IReadOnlyList<KernelCase> cases = KernelCases.For(device, Cases.Types, small: true);
        // The guards' kernels check other kernels, in strict mode: their speed does not matter.
        IEnumerable<string> timed = KernelSignatures.All.Keys.Where(k => !k.StartsWith("guard_", StringComparison.Ordinal));
        Assert.That(timed.Except(cases.Select(c => c.Kernel)), Is.Empty, "kernels without a case in KernelCases");
        foreach (KernelCase one in cases)
        {
            using KernelBuffers buffers = new(device);
            Assert.That(() => new KernelLaunch(device, one.Kernel, one.Shape, one.Arguments(buffers)), Throws.Nothing, one.Name);
        }
    }

    /// <summary>Kernels that differ in more than the compute type are not taken for variants of one method.</summary>
    [Test]
    public void VariantsMustAgree()
    {
        ListedParameter[] sizes = [new("n", "i32", false, false), new("n", "i64", false, false), new("n", "i32", false, false)];
        string[] names = ["f32", "f16", "bf16"];
        KernelFamily family = KernelFamily.Of(
            names.Select((t, i) => new ListedKernel("k_" + t, "k.cu", [new("x", t, true, true), sizes[i]]))).Single();
        Assert.That(() => family.Parameters(), Throws.TypeOf<InvalidDataException>().With.Message.Contains("k").And.Message.Contains("n"));
    }

    /// <summary>A launch takes the instance for its neuron and for the arrays that it is given.</summary>
    [Test]
    public void InstancesAreChosenByNeuronAndArrays()
    {
        KernelFamily[] families = [.. KernelFamily.Of(List.Kernels).Where(f => f.Instances.Count > 1)];
        Assert.That(
            families.Select(f => f.Name),
            Is.EqualTo(new[] { "batch_norm_lif_backward", "batch_norm_lif_pool_backward", "batch_norm_statistics" }));
        Assert.That(families[0].Arrays, Is.EqualTo(new[] { "grad_residual", "carried" }));
        Assert.That(families[2].InstanceTable(), Is.EqualTo(new[] { 0, 2, 1, -1 }));
        foreach (KernelFamily family in families)
        {
            IReadOnlyList<int> table = family.InstanceTable();
            Assert.That(table.Distinct().Count(i => i >= 0), Is.EqualTo(family.Instances.Count), family.Name);
            for (int i = 0; i < table.Count; i++)
            {
                if (table[i] < 0)
                {
                    continue;
                }

                (string, bool)[] given = [
                    .. family.Arrays.Select((a, bit) => (a, (i >> (family.Arrays.Count - 1 - bit) & 1) != 0))];
                int? surrogate = family.Neurons.Count == 0 ? null : 2 * (i >> family.Arrays.Count);
                Assert.That(
                    family.Instances[table[i]].Variants[0].Name,
                    Is.EqualTo(Instances.Of(family.Name, ComputeType.Float32, surrogate, given)));
            }

            Assert.That(
                family.Neurons.Count == 0 || family.Neurons.SequenceEqual(Enum.GetNames<NeuronKernel>().Select(n => n.ToLowerInvariant())),
                family.Name);
        }
    }

    private static string NameOf(Type type) => KernelParameter.NameOf(type);

    private static string NameOf(string listed) => KernelParameter.NameOf(CSharp.Type(listed) switch
    {
        "float" => typeof(float),
        "Half" => typeof(Half),
        "BFloat16" => typeof(BFloat16),
        "double" => typeof(double),
        "int" => typeof(int),
        "long" => typeof(long),
        "byte" => typeof(byte),
        "ushort" => typeof(ushort),
        "uint" => typeof(uint),
        "ulong" => typeof(ulong),
        _ => typeof(RunState),
    });
}
