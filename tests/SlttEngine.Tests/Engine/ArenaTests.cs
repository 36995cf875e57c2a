using SlttEngine.Graph;

namespace SlttEngine.Tests.Engine;

/// <summary>The planner: nothing that is alive at the same time shares memory, what is not does.</summary>
public sealed class ArenaTests
{
    [Test]
    public void Scratch_that_is_never_alive_together_shares_memory()
    {
        (DeviceBuffer a, DeviceBuffer b, DeviceBuffer c) = (Scratch("a", 1000), Scratch("b", 1000), Scratch("c", 1000));
        Arena arena = Plan([Op([], [a]), Op([a], [b]), Op([b], [c]), Op([c], [])]);
        Assert.That(arena.Bytes, Is.EqualTo(2 * 1024), "a and c take turns beside b");
    }

    [Test]
    public void An_operation_in_place_needs_its_input_only_once()
    {
        (DeviceBuffer a, DeviceBuffer b) = (Scratch("a", 1000), Scratch("b", 1000));
        Arena arena = Plan([Op([], [a]), Op([a], [b]) with { InPlace = (b, a) }, Op([b], [])]);
        Assert.That(arena.Bytes, Is.EqualTo(1024));
    }

    [Test]
    public void In_place_is_not_taken_where_the_input_is_read_again()
    {
        (DeviceBuffer a, DeviceBuffer b) = (Scratch("a", 1000), Scratch("b", 1000));
        Arena arena = Plan([Op([], [a]), Op([a], [b]) with { InPlace = (b, a) }, Op([a, b], [])]);
        Assert.That(arena.Bytes, Is.EqualTo(2048));
    }

    [Test]
    public void Reading_before_writing_is_an_error() =>
        Assert.That(
            () => Plan([Op([Scratch("a", 4)], [])]), Throws.InvalidOperationException.With.Message.Contains("before it is written"));

    [Test]
    public void Copies_over_time_lie_a_multiple_of_256_bytes_apart()
    {
        DeviceBuffer<byte> u = new("u", BufferKind.State, 1000, copies: 3, zeroed: false);
        Arena arena = Arena.Plan([u], []);
        arena.Place(new ManagedCuda.BasicTypes.CUdeviceptr(1 << 20));
        Assert.Multiple(() =>
        {
            Assert.That(arena.Bytes, Is.EqualTo(3 * 1024));
            Assert.That((ulong)u.Address(2).Pointer, Is.EqualTo((1UL << 20) + 2048));
            Assert.That((ulong)u.Before(0).Pointer.Pointer, Is.Zero);
            Assert.That((ulong)u.Before(2).Pointer.Pointer, Is.EqualTo((1UL << 20) + 1024));
        });
    }

    [Test]
    public void One_copy_holds_the_step_before_but_for_the_first()
    {
        DeviceBuffer<byte> u = new("u", BufferKind.State, 1000, copies: 1, zeroed: false);
        Arena.Plan([u], []).Place(new ManagedCuda.BasicTypes.CUdeviceptr(1 << 20));
        Assert.Multiple(() =>
        {
            Assert.That((ulong)u.Before(0).Pointer.Pointer, Is.Zero);
            Assert.That((ulong)u.Before(2).Pointer.Pointer, Is.EqualTo(1UL << 20));
        });
    }

    [Test]
    public void Random_programs_never_overlap([Range(1, 40)] int seed)
    {
        Random random = new(seed);
        List<DeviceBuffer> all = [];
        List<Op> ops = [];
        for (int i = 0; i < 30; i++)
        {
            DeviceBuffer made = Scratch($"t{i}", random.Next(1, 5000));
            DeviceBuffer[] reads = [.. all.Where(_ => random.Next(4) == 0)];
            Op op = Op(reads, [made]);
            ops.Add(reads.Length > 0 && random.Next(2) == 0 && reads[0].Bytes >= made.Bytes ? op with { InPlace = (made, reads[0]) } : op);
            all.Add(made);
        }

        Arena arena = Plan(ops);
        arena.Place(new ManagedCuda.BasicTypes.CUdeviceptr(1 << 20));
        for (int i = 0; i < ops.Count; i++)
        {
            DeviceBuffer[] alive = [.. all.Where(t => First(t) <= i && Last(t) >= i)];
            foreach (DeviceBuffer x in alive)
            {
                foreach (DeviceBuffer y in alive.Where(y => y != x && Overlap(x, y)))
                {
                    bool handedOver = ops[i].InPlace is { } pair && (
                        (pair.Output == x && pair.Input == y) || (pair.Output == y && pair.Input == x));
                    Assert.That(handedOver, Is.True, $"{x.Name} and {y.Name} overlap at {i}");
                }
            }
        }

        Assert.That(all.Max(t => (long)(ulong)t.Address(0).Pointer + t.Bytes) - (1 << 20), Is.LessThanOrEqualTo(arena.Bytes));

        int First(DeviceBuffer t) => ops.FindIndex(o => o.Writes.Contains(t));

        int Last(DeviceBuffer t) => ops.FindLastIndex(o => o.Writes.Contains(t) || o.Reads.Contains(t));
    }

    private static bool Overlap(DeviceBuffer x, DeviceBuffer y)
    {
        (ulong a, ulong b) = (x.Address(0).Pointer, y.Address(0).Pointer);
        return a < b + (ulong)y.Bytes && b < a + (ulong)x.Bytes;
    }

    private static DeviceBuffer<byte> Scratch(string name, long bytes) => new(name, BufferKind.Scratch, bytes);

    private static Op Op(DeviceBuffer[] reads, DeviceBuffer[] writes) => new("op", reads, writes, _ => { });

    private static Arena Plan(IReadOnlyList<Op> ops) => Arena.Plan([], [ops]);
}
