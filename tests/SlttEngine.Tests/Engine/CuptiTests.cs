using System.Diagnostics;
using System.Runtime.InteropServices;
using SlttEngine.Device;
using SlttEngine.Graph;
using SlttEngine.Training;

namespace SlttEngine.Tests.Engine;

/// <summary>What a GPU's kernels took, from CUPTI's records: a stand-in for its library, and which operation a record belongs to.</summary>
[Platform("Linux")]
[NonParallelizable]
public sealed class CuptiTests
{
    // Two buffers of records: kernels (kind 10; start, end, stream, name at CUpti_ActivityKernel9's places), a clear, a copy, and one of a
    // kind that nobody asked for.
    private const string StandIn = """
        #include <stdlib.h>
        #include <string.h>
        typedef void (*Request)(unsigned char**, size_t*, size_t*);
        typedef void (*Complete)(void*, unsigned, unsigned char*, size_t, size_t);
        static Request request; static Complete complete; static int kinds, failure;
        enum { RECORD = 208 };
        static void put(unsigned char* r, int at, const void* value, int bytes) { memcpy(r + at, value, bytes); }
        static void record(unsigned char* r, int kind, unsigned long long start, unsigned stream, const char* name) {
            unsigned long long end = start + 500, bytes = 64;
            memset(r, 0xee, RECORD); put(r, 0, &kind, 4); put(r, 16, &start, 8); put(r, 24, &end, 8);
            if (kind == 10) { put(r, 48, &stream, 4); put(r, 104, &name, 8); } else { put(r, 8, &bytes, 8); put(r, 40, &stream, 4); }
        }
        int cuptiActivityRegisterCallbacks(Request r, Complete c) { request = r; complete = c; return 0; }
        int cuptiActivityEnable(int kind) { kinds |= 1 << kind; return failure; }
        int cuptiActivityDisable(int kind) { kinds &= ~(1 << kind); return 0; }
        int cuptiGetResultString(int r, const char** s) { *s = r == 35 ? "CUPTI_ERROR_INSUFFICIENT_PRIVILEGES" : "CUPTI_ERROR"; return 0; }
        void fail_with(int status) { failure = status; }
        int enabled(void) { return kinds; }
        int cuptiActivityGetNextRecord(unsigned char* buffer, size_t valid, unsigned char** r) {
            *r = *r ? *r + RECORD : buffer;
            return *r < buffer + valid ? 0 : 12;
        }
        int cuptiActivityFlushAll(unsigned flags) {
            unsigned char* b; size_t size, most;
            if (!(kinds & 1 << 10)) return 0;
            request(&b, &size, &most);
            if (size < 2 * RECORD || most) abort();
            record(b, 10, 3000, 7, "second"); record(b + RECORD, 1, 1000, 9, 0);
            complete(0, 0, b, size, 2 * RECORD);
            request(&b, &size, &most);
            record(b, 2, 2000, 7, 0); record(b + RECORD, 4, 5000, 7, 0); record(b + 2 * RECORD, 10, 1500, 7, "first");
            complete(0, 0, b, size, 3 * RECORD);
            request(&b, &size, &most); complete(0, 0, b, size, 0);
            return 0;
        }
        """;

    [Test]
    public void Records_are_read_from_its_buffers_and_a_refusal_is_told()
    {
        string folder = Directory.CreateTempSubdirectory("sltt-cupti-").FullName;
        try
        {
            string source = Path.Combine(folder, "cupti.c"), file = Path.Combine(folder, "libcupti.so.12");
            File.WriteAllText(source, StandIn);
            using Process compiler = Process.Start("g++", ["-xc", "-shared", "-fPIC", "-o", file, source]);
            compiler.WaitForExit();
            Assert.That(compiler.ExitCode, Is.Zero);
            nint library = NativeLibrary.Load(file);
            using (Cupti? cupti = Cupti.TryStart(library, out _))
            {
                Assert.That(cupti!.Drain(), Is.EqualTo(new DeviceActivity[]
                {
                    new("memcpy", 9, 1000, 1500, 64), new("first", 7, 1500, 2000, 0), new("memset", 7, 2000, 2500, 64),
                    new("second", 7, 3000, 3500, 0),
                }));
                Assert.That(cupti.Drain(), Has.Count.EqualTo(4), "the first four are gone");
                Assert.That(Call(library, "enabled"), Is.EqualTo((1 << 10) | (1 << 1) | (1 << 2)));
            }

            Assert.That(Call(library, "enabled"), Is.Zero);
            Call(library, "fail_with", 35);
            Assert.That(Cupti.TryStart(library, out string why), Is.Null);
            Assert.That(why, Is.EqualTo("cuptiActivityEnable: CUPTI_ERROR_INSUFFICIENT_PRIVILEGES"));
            Assert.That(Cupti.TryStart(0, out why), Is.Null);
            Assert.That(why, Does.StartWith("CUPTI not found"));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>Where this machine has CUPTI's header, it says where the fields are.</summary>
    [Test]
    public void Fields_are_where_the_header_has_them()
    {
        string? header = new[] { "/usr/include/cupti.h", "/usr/local/cuda/extras/CUPTI/include/cupti.h" }.FirstOrDefault(File.Exists);
        if (header is null)
        {
            Assert.Ignore("cupti.h is not here");
        }

        const string Check = """
            #include <cupti.h>
            #include <stddef.h>
            #define AT(record, field, offset) _Static_assert(offsetof(record, field) == offset, #field)
            AT(CUpti_ActivityKernel8, start, 16); AT(CUpti_ActivityKernel8, end, 24); AT(CUpti_ActivityKernel8, streamId, 48);
            AT(CUpti_ActivityKernel8, name, 104); AT(CUpti_ActivityKernel4, name, 104);
            AT(CUpti_ActivityMemset4, bytes, 8); AT(CUpti_ActivityMemset4, start, 16); AT(CUpti_ActivityMemset4, end, 24);
            AT(CUpti_ActivityMemset4, streamId, 40); AT(CUpti_ActivityMemcpy5, bytes, 8); AT(CUpti_ActivityMemcpy5, start, 16);
            AT(CUpti_ActivityMemcpy5, end, 24); AT(CUpti_ActivityMemcpy5, streamId, 40);
            _Static_assert(CUPTI_ACTIVITY_KIND_MEMCPY == 1 && CUPTI_ACTIVITY_KIND_MEMSET == 2, "");
            _Static_assert(CUPTI_ACTIVITY_KIND_CONCURRENT_KERNEL == 10 && CUPTI_ACTIVITY_FLAG_FLUSH_FORCED == 1, "");
            """;
        ProcessStartInfo start = new("gcc", ["-fsyntax-only", "-xc", "-I", Path.GetDirectoryName(header)!, "-"])
        { RedirectStandardInput = true, RedirectStandardError = true };
        using Process compiler = Process.Start(start)!;
        compiler.StandardInput.Write(Check);
        compiler.StandardInput.Close();
        string messages = compiler.StandardError.ReadToEnd();
        compiler.WaitForExit();
        Assert.That(compiler.ExitCode, Is.Zero, messages);
    }

    [Test]
    public void A_replays_records_find_their_operations_also_where_a_graph_differs()
    {
        (Op Op, StepRange Steps)[] launched = [
            (Named("convolution"), StepRange.One(0)), (Named("neurons"), StepRange.One(0)), (Named("convolution"), StepRange.One(1))];
        (string, int)[] expected = [("memset", 0), ("conv", 0), ("reduce", 0), ("lif", 1), ("memset", 2), ("conv", 2), ("reduce", 2)];
        DeviceActivity At(string name, ulong start, ulong nanoseconds) => new(name, 7, start, start + nanoseconds, 0);

        // The graph has no clears but one of its own, and an upload runs on another stream while the first kernel does.
        TimedIteration timed = CuptiTimer.Match(
            launched,
            expected,
            [
                At("conv", 1000, 100), At("memcpy", 1050, 10) with { Stream = 8 }, At("clear_all", 1100, 5), At("reduce", 1110, 20),
                At("lif", 1130, 7), At("conv", 1140, 200), At("reduce", 1340, 30),
            ]);
        Assert.Multiple(() =>
        {
            Assert.That(timed.Activities.Select(a => a.Op), Is.EqualTo(new[] { 0, -1, -1, 0, 1, 2, 2 }));
            Assert.That(timed.Ops.Select(o => Math.Round(1e9 * o.Seconds)), Is.EqualTo(new[] { 120, 7, 230 }));
            Assert.That(timed.Ops.Select(o => Math.Round(1e9 * o.Start)), Is.EqualTo(new[] { 0, 130, 140 }));
            Assert.That(timed.Ops.Select(o => o.Launches), Is.EqualTo(new[] { 2, 1, 2 }));
            Assert.That(1e9 * timed.Seconds, Is.EqualTo(370).Within(0.01));
            Assert.That(1e9 * timed.Gaps, Is.EqualTo(5 + 3).Within(0.01), "before the second kernel, and behind the neurons");
        });
    }

    private static Op Named(string name) => new(name, [], [], _ => { });

    private static unsafe int Call(nint library, string function, int argument = 0) =>
        ((delegate* unmanaged<int, int>)NativeLibrary.GetExport(library, function))(argument);
}
