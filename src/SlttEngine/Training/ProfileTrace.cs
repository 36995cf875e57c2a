using System.Globalization;
using System.Text.Json;
using SlttEngine.Device;
using SlttEngine.Graph;
using SlttEngine.IO;

namespace SlttEngine.Training;

/// <summary>
/// Writes a timed iteration as a trace in Chrome's format, which Perfetto opens: a track for the operations, and one a stream.
/// </summary>
internal static class ProfileTrace
{
    private const uint OpTrack = 0;

    /// <summary>Writes it.</summary>
    /// <param name="path">The file.</param>
    /// <param name="iteration">The iteration.</param>
    /// <param name="network">The network.</param>
    /// <exception cref="SlttException">The file can't be written.</exception>
    public static void Write(string path, TimedIteration iteration, Network network) => AtomicFile.Write(
        path,
        file =>
        {
            using Utf8JsonWriter json = new(file);
            json.WriteStartObject();
            json.WriteString("displayTimeUnit", "ns");
            json.WriteStartArray("traceEvents");
            Track(json, OpTrack, "operations");
            foreach (uint stream in iteration.Activities.Select(a => a.Activity.Stream).Distinct().Order())
            {
                Track(json, stream + 1, string.Create(CultureInfo.InvariantCulture, $"stream {stream}"));
            }

            foreach (TimedOp op in iteration.Ops)
            {
                Event(json, op.Op.Name, OpTrack, op.Start, op.Seconds, op, network);
            }

            ulong first = iteration.Activities.Count > 0 ? iteration.Activities[0].Activity.Start : 0;
            foreach ((DeviceActivity activity, int op) in iteration.Activities)
            {
                Event(
                    json, activity.Name, activity.Stream + 1, (activity.Start - first) * 1e-9, activity.Seconds,
                    op < 0 ? null : iteration.Ops[op], network);
            }

            json.WriteEndArray();
            json.WriteEndObject();
        },
        durable: false);

    private static void Track(Utf8JsonWriter json, uint track, string name)
    {
        json.WriteStartObject();
        json.WriteString("name", "thread_name");
        json.WriteString("ph", "M");
        json.WriteNumber("pid", 1);
        json.WriteNumber("tid", track);
        json.WriteStartObject("args");
        json.WriteString("name", name);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void Event(Utf8JsonWriter json, string name, uint track, double start, double seconds, TimedOp? op, Network network)
    {
        json.WriteStartObject();
        json.WriteString("name", name);
        json.WriteString("ph", "X");
        json.WriteNumber("pid", 1);
        json.WriteNumber("tid", track);
        json.WriteNumber("ts", Math.Round(1e6 * start, 3)); // microseconds
        json.WriteNumber("dur", Math.Round(1e6 * seconds, 3));
        if (op is { } o)
        {
            json.WriteString("cat", OpKinds.Of(o.Op, network));
            json.WriteStartObject("args");
            json.WriteString("operation", o.Op.Name);
            json.WriteString("layer", o.Op.Layer);
            json.WriteNumber("step", o.Steps.First);
            json.WriteNumber("steps", o.Steps.Count);
            json.WriteNumber("bytes", o.Op.BytesFor(o.Steps.Count));
            json.WriteNumber("multiply_adds", o.Steps.Count * o.Op.MultiplyAdds);
            json.WriteEndObject();
        }

        json.WriteEndObject();
    }
}
