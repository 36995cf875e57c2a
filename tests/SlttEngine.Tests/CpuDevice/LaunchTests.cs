using static SlttEngine.Tests.CpuDevice.CpuDriver;

namespace SlttEngine.Tests.CpuDevice;

/// <summary>Devices, modules and launches: arguments and indices arrive, limits of a GPU hold, misuse is an error.</summary>
[TestFixture(Fast)]
[TestFixture(Faithful)]
internal sealed unsafe class LaunchTests(int device) : CpuDeviceTest(device)
{
    [Test]
    public void TheDeviceShowsItsTwoModes()
    {
        Ok(cuDeviceGetCount(out int count));
        Assert.That(count, Is.EqualTo(2));
        byte* name = stackalloc byte[32];
        Ok(cuDeviceGetName(name, 32, Device));
        Assert.That(Text((nint)name), Is.EqualTo(Device == Fast ? "CPU" : "CPU (faithful)"));
        Ok(cuDeviceGetName(name, 3, Device));
        Assert.That(Text((nint)name), Is.EqualTo("CP"));
        Expect(cuDeviceGet(out _, 2), Result.InvalidDevice);
        Expect(cuDeviceGet(out _, -1), Result.InvalidDevice);
        Expect(cuDeviceGetName(name, 3, 5), Result.InvalidDevice);
    }

    [TestCase(1, 1024)]
    [TestCase(10, 32)]
    [TestCase(16, 16)]
    [TestCase(75, 9)]
    public void AttributesDoNotDependOnTheMachine(int which, int expected)
    {
        Ok(cuDeviceGetAttribute(out int value, which, Device));
        Assert.That(value, Is.EqualTo(expected));
    }

    [Test]
    public void ArgumentsOfEachSizeArrive()
    {
        ulong p = Allocate(48);
        ulong negative = unchecked((uint)-5), real = BitConverter.DoubleToUInt64Bits(-2.25);
        Ok(Launch(Kernel("test_parameters"), 1, 1, 0, p, 200, 60000, negative, 1UL << 52, Word(1.5f), real));
        Assert.That(Download<double>(p, 6), Is.EqualTo(new[] { 200, 60000, -5, Math.Pow(2, 52), 1.5, -2.25 }));
    }

    [Test]
    public void ArgumentsAreCopiedAtTheCall()
    {
        ulong x = Upload(Range(10)), y = Allocate(40);
        nint kernel = Kernel("test_add");
        ulong* values = stackalloc ulong[4] { y, x, Word(1), 10 };
        void** arguments = stackalloc void*[4] { values, values + 1, values + 2, values + 3 };
        Ok(cuLaunchKernel(kernel, 1, 1, 1, 32, 1, 1, 0, 0, arguments, null));
        values[2] = Word(1000);
        Assert.That(Download<float>(y, 10), Is.EqualTo(Range(10).Select(v => v + 1)));
    }

    [TestCase(1u, 1u)]
    [TestCase(7u, 96u)]
    [TestCase(300u, 33u)]
    public void EveryElementIsDoneOnce(uint grid, uint block)
    {
        const int N = 10007;
        ulong x = Upload(Range(N)), y = Allocate(N * 4);
        Ok(Launch(Kernel("test_add"), grid, block, 0, y, x, Word(0.5f), N));
        Assert.That(Download<float>(y, N), Is.EqualTo(Range(N).Select(v => v + 0.5f)));
    }

    [Test]
    public void IndicesCoverGridAndBlock()
    {
        (uint X, uint Y, uint Z) grid = (3, 2, 5), block = Device == Fast ? (1u, 1u, 1u) : (4u, 3u, 2u);
        int blocks = 30, threads = (int)(block.X * block.Y * block.Z);
        ulong p = Allocate(blocks * threads * 8);
        Ok(Launch(Kernel("test_indices"), grid, block, 0, 0, p));
        int[] expected = [.. Enumerable.Range(0, blocks * threads).SelectMany(i => new[] { i / threads, i % threads })];
        Assert.That(Download<int>(p, blocks * threads * 2), Is.EqualTo(expected));
    }

    [TestCase(0u, 1u, 1u, 1u, 1u, 1u, 0u)]
    [TestCase(1u, 1u, 1u, 0u, 1u, 1u, 0u)]
    [TestCase(1u, 1u, 1u, 1025u, 1u, 1u, 0u)]
    [TestCase(1u, 1u, 1u, 512u, 3u, 1u, 0u)]
    [TestCase(1u, 1u, 1u, 1u, 1u, 65u, 0u)]
    [TestCase(1u, 65536u, 1u, 1u, 1u, 1u, 0u)]
    [TestCase(1u, 1u, 65536u, 1u, 1u, 1u, 0u)]
    [TestCase(0x80000000u, 1u, 1u, 1u, 1u, 1u, 0u)]
    [TestCase(1u, 1u, 1u, 1u, 1u, 1u, 49153u)]
    public void ShapesThatNoGpuTakesAreInvalidValues(uint gx, uint gy, uint gz, uint bx, uint by, uint bz, uint shared)
    {
        ulong p = Allocate(64);
        Expect(Launch(Kernel("test_indices"), (gx, gy, gz), (bx, by, bz), shared, 0, p), Result.InvalidValue);
    }

    [Test]
    public void WrongHandlesAndNamesAreErrors()
    {
        Expect(FindKernel("no_such_kernel"), Result.NotFound);
        Expect(cuModuleGetFunction(out _, 77, "test_add"), Result.InvalidHandle);
        Expect(Launch(77, 1, 1, 0), Result.InvalidHandle);
        Expect(Launch(Kernel("test_indices"), 1, 1, 77, Allocate(64)), Result.InvalidHandle);
        Expect(cuLaunchKernel(Kernel("test_add"), 1, 1, 1, 1, 1, 1, 0, 0, null, null), Result.InvalidValue);
        fixed (byte* image = "SLTT-CPU-KERNELS"u8, elf = "\u007fELF a GPU's image"u8)
        {
            Expect(cuModuleLoadFatBinary(out _, elf), Result.NoBinaryForGpu);
            Ok(cuModuleLoadFatBinary(out nint module, image));
            Ok(cuModuleGetFunction(out nint function, module, "test_add"));
            Ok(cuModuleUnload(module));
            Expect(cuModuleUnload(module), Result.InvalidHandle);
            Expect(Launch(function, 1, 1, 0, 0, 0, 0, 0), Result.InvalidHandle);
        }
    }

    [Test]
    public void APointerToNoDeviceMemoryIsAnIllegalAddress()
    {
        ulong p = Allocate(64);
        Expect(Launch(Kernel("test_add"), 1, 1, 0, p, 0x1234560, Word(1), 16), Result.IllegalAddress);
        Assert.That(LastMessage, Does.Contain("test_add").And.Contain("argument 1").And.Contain("0x1234560"));
        float host = 0;
        Expect(Launch(Kernel("test_add"), 1, 1, 0, p, (ulong)(nint)(&host), Word(1), 1), Result.IllegalAddress);
        Ok(cuMemFree_v2(p));
        Expect(Launch(Kernel("test_indices"), 1, 1, 0, p), Result.IllegalAddress);
    }

    [Test]
    public void AKernelThatFollowsANullPointerFailsAndTheProcessLives()
    {
        Result result = Launch(Kernel("test_poke"), 40, 1, 0, 0, 16, Word(1));
        Expect(Device == Fast ? result : cuCtxSynchronize(), Result.IllegalAddress);
        Assert.That(LastMessage, Does.Contain("test_poke").And.Contain("0x10").And.Contain("null pointer"));
        Ok(cuCtxSynchronize());
        EveryElementIsDoneOnce(3, 32);
    }

    [Test]
    public void TheRuntimeStillCatchesItsOwnNullReferences()
    {
        _ = Launch(Kernel("test_poke"), 1, 1, 0, 0, 16, Word(1));
        _ = cuCtxSynchronize();
        int[]? none = FindKernel("no_such_kernel") == Result.NotFound ? null : [1];
        Assert.That(() => none!.Length, Throws.InstanceOf<NullReferenceException>());
    }
}
