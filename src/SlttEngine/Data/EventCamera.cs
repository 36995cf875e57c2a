namespace SlttEngine.Data;

/// <summary>A bright disc with a soft edge, as the camera sees a hand or a forearm.</summary>
/// <param name="X">Column of the centre.</param>
/// <param name="Y">Row of the centre.</param>
/// <param name="Radius">Pixels, to the middle of the edge.</param>
/// <param name="Contrast">Logarithm of its brightness over the background's.</param>
internal readonly record struct Blob(double X, double Y, double Radius, double Contrast);

/// <summary>
/// A simulated DVS128: each pixel remembers the logarithm of the brightness at its last event and fires ON or OFF for every
/// threshold that the brightness has moved since. So the leading edge of a bright blob fires ON, the trailing one OFF. Thresholds
/// differ from pixel to pixel, pixels fire without cause (background activity), and a few do so all the time (hot pixels).
/// </summary>
internal sealed class EventCamera
{
    private const int Size = EventFrames.Sensor;
    private const double EdgeWidth = 2.5;

    private readonly float[] seen = new float[Size * Size];
    private readonly float[] reference = new float[Size * Size];
    private readonly float[] thresholds = new float[Size * Size];
    private readonly List<(int X, int Y, double Rate)> hot = [];
    private readonly List<(double Time, int X, int Y, int P)> pending = [];
    private readonly double noiseRate;
    private Philox random;
    private Blob[] shown = [];
    private (int Left, int Top, int Right, int Bottom)[] shownBoxes = [];

    /// <summary>A camera in front of the dark background.</summary>
    /// <param name="random">Of its pixels and noise.</param>
    /// <param name="threshold">Mean step of log brightness that makes an event.</param>
    /// <param name="noiseRate">Background events a second and pixel.</param>
    /// <param name="hotPixels">Pixels that fire 20 to 80 times a second.</param>
    internal EventCamera(Philox random, double threshold, double noiseRate, int hotPixels)
    {
        this.random = random;
        this.noiseRate = noiseRate;
        for (int i = 0; i < thresholds.Length; i++)
        {
            thresholds[i] = (float)(threshold * Math.Clamp(1 + (0.08 * this.random.NextNormal()), 0.7, 1.3));
        }

        for (int i = 0; i < hotPixels; i++)
        {
            hot.Add((this.random.NextBelow(Size), this.random.NextBelow(Size), this.random.NextBetween(20, 80)));
        }
    }

    /// <summary>Observes the blobs for a moment and appends the events of it, in order of time.</summary>
    /// <param name="start">Time, s.</param>
    /// <param name="duration">s; short enough that a blob moves a pixel or less.</param>
    /// <param name="blobs">Where they are at the end of the moment. Where several cover a pixel, the brightest shows.</param>
    /// <param name="events">Receives the events, in µs.</param>
    internal void Observe(double start, double duration, ReadOnlySpan<Blob> blobs, EventList events)
    {
        pending.Clear();
        if (!blobs.SequenceEqual(shown))
        {
            Move(blobs, start, duration);
        }

        AddNoise(start, duration);
        pending.Sort((a, b) => a.Time.CompareTo(b.Time));
        foreach ((double time, int x, int y, int p) in pending)
        {
            events.Add((long)(time * 1e6), x, y, p);
        }
    }

    private void Move(ReadOnlySpan<Blob> blobs, double start, double duration)
    {
        (int Left, int Top, int Right, int Bottom)[] boxes = new (int Left, int Top, int Right, int Bottom)[blobs.Length];
        for (int i = 0; i < blobs.Length; i++)
        {
            boxes[i] = Draw(blobs[i]);
        }

        // The brightness has changed only where a blob that moved is or was. A pixel in two boxes fires in the first one only.
        for (int i = 0; i < Math.Max(blobs.Length, shown.Length); i++)
        {
            if (i >= blobs.Length)
            {
                Fire(shownBoxes[i], start, duration);
            }
            else if (i >= shown.Length)
            {
                Fire(boxes[i], start, duration);
            }
            else if (blobs[i] != shown[i])
            {
                Fire(Around(boxes[i], shownBoxes[i]), start, duration);
            }
        }

        foreach ((int left, int top, int right, int bottom) in boxes)
        {
            for (int y = top; y < bottom; y++)
            {
                seen.AsSpan((y * Size) + left, right - left).Clear();
            }
        }

        shown = blobs.ToArray();
        shownBoxes = boxes;
    }

    private static (int Left, int Top, int Right, int Bottom) Around(
        (int Left, int Top, int Right, int Bottom) a, (int Left, int Top, int Right, int Bottom) b) =>
        (Math.Min(a.Left, b.Left), Math.Min(a.Top, b.Top), Math.Max(a.Right, b.Right), Math.Max(a.Bottom, b.Bottom));

    private (int Left, int Top, int Right, int Bottom) Draw(Blob blob)
    {
        double reach = blob.Radius + EdgeWidth;
        int left = Math.Clamp((int)Math.Floor(blob.X - reach), 0, Size), right = Math.Clamp(
            (int)Math.Ceiling(blob.X + reach) + 1, left, Size);
        int top = Math.Clamp((int)Math.Floor(blob.Y - reach), 0, Size), bottom = Math.Clamp(
            (int)Math.Ceiling(blob.Y + reach) + 1, top, Size);
        float x0 = (float)blob.X, square = (float)(blob.Radius * blob.Radius), slope = (float)(
            1 / (2 * blob.Radius * EdgeWidth)), contrast = (float)blob.Contrast;
        for (int y = top; y < bottom; y++)
        {
            Span<float> line = seen.AsSpan(y * Size, Size);
            float dy = y - (float)blob.Y;
            float rest = square - (dy * dy);
            for (int x = left; x < right; x++)
            {
                // Linear in the squared distance: a soft edge without a square root.
                float dx = x - x0;
                float inside = Math.Clamp(((rest - (dx * dx)) * slope) + 0.5f, 0f, 1f);
                line[x] = Math.Max(line[x], contrast * inside);
            }
        }

        return (left, top, right, bottom);
    }

    private void Fire((int Left, int Top, int Right, int Bottom) box, double start, double duration)
    {
        for (int y = box.Top; y < box.Bottom; y++)
        {
            for (int x = box.Left; x < box.Right; x++)
            {
                int i = (y * Size) + x;
                float change = seen[i] - reference[i];
                float threshold = thresholds[i];
                while (Math.Abs(change) >= threshold)
                {
                    int on = change > 0 ? 1 : 0;
                    float step = on == 1 ? threshold : -threshold;
                    reference[i] += step;
                    change -= step;
                    pending.Add((start + (duration * random.NextDouble()), x, y, on));
                }
            }
        }
    }

    private void AddNoise(double start, double duration)
    {
        double expected = noiseRate * duration * Size * Size;
        for (double t = -Math.Log(1 - random.NextDouble()); t < expected; t -= Math.Log(1 - random.NextDouble()))
        {
            pending.Add((start + (duration * t / expected), random.NextBelow(Size), random.NextBelow(Size), random.NextBelow(2)));
        }

        foreach ((int x, int y, double rate) in hot)
        {
            if (random.NextDouble() < rate * duration)
            {
                pending.Add((start + (duration * random.NextDouble()), x, y, 1));
            }
        }
    }
}
