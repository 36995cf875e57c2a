namespace SlttEngine.Data;

/// <summary>
/// Where the hands and forearms of a simulated person are while making one of DVS-Gesture's eleven gestures. Lengths are in
/// pixels for a person of scale 1 whose breast is at the origin, y downwards; the right hand is on the left of the picture.
/// </summary>
internal sealed class GestureScene
{
    private readonly int gesture;
    private readonly Person person;
    private readonly double frequency;
    private readonly double phase;
    private readonly double size;
    private readonly double squash;
    private readonly int variant;
    private readonly double moveX;
    private readonly double moveY;

    /// <summary>One performance of a gesture: speed, size, place and phase vary.</summary>
    /// <param name="gesture">Class, 0 to 10.</param>
    /// <param name="person">Who makes it.</param>
    /// <param name="random">Of this performance.</param>
    internal GestureScene(int gesture, Person person, ref Philox random)
    {
        this.gesture = gesture;
        this.person = person;
        frequency = person.Speed * random.NextBetween(0.85, 1.15);
        phase = random.NextBetween(0, 2 * Math.PI);
        size = random.NextBetween(0.85, 1.15);
        squash = random.NextBetween(0.8, 1.2);
        variant = random.NextBelow(3);
        moveX = random.NextBetween(-3, 3);
        moveY = random.NextBetween(-3, 3);
    }

    /// <summary>What makes one person, or recording, differ from another.</summary>
    /// <param name="X">Column of the breast.</param>
    /// <param name="Y">Row of the breast.</param>
    /// <param name="Scale">Of all lengths.</param>
    /// <param name="HandRadius">Pixels at scale 1.</param>
    /// <param name="Speed">Turns a second.</param>
    /// <param name="Contrast">Log brightness of the hands.</param>
    internal sealed record Person(double X, double Y, double Scale, double HandRadius, double Speed, double Contrast);

    /// <summary>The blobs at a time: two hands, two forearms, and the head, which sways a little.</summary>
    /// <param name="time">s since the gesture began.</param>
    /// <param name="blobs">Receives 5 blobs.</param>
    internal void Place(double time, Span<Blob> blobs)
    {
        double angle = phase + (2 * Math.PI * frequency * time);
        (double rx, double ry, double lx, double ly, double grow) = Hands(angle);
        double sway = 0.6 * Math.Sin((0.9 * angle) + 1);
        blobs[0] = At(rx, ry, person.HandRadius * grow, person.Contrast);
        blobs[1] = At(lx, ly, person.HandRadius * grow, person.Contrast);

        // A forearm hangs between its hand and the elbow next to the body, less bright.
        blobs[2] = At((rx * 0.6) + (-17 * 0.4), (ry * 0.6) + (13 * 0.4), person.HandRadius * 0.75, person.Contrast * 0.6);
        blobs[3] = At((lx * 0.6) + (17 * 0.4), (ly * 0.6) + (13 * 0.4), person.HandRadius * 0.75, person.Contrast * 0.6);
        blobs[4] = At(sway, -24, 8, person.Contrast * 0.7);
    }

    private Blob At(double x, double y, double radius, double contrast) =>
        new(person.X + moveX + (person.Scale * x), person.Y + moveY + (person.Scale * y), person.Scale * radius, contrast);

    /// <summary>Right hand (x, y), left hand (x, y), and the hands' size.</summary>
    private (double Rx, double Ry, double Lx, double Ly, double Grow) Hands(double angle)
    {
        const double RestX = 15, RestY = 27;  // a hand that hangs down
        double sin = Math.Sin(angle), cos = Math.Cos(angle);
        double a = 16 * size, b = a * squash;
        switch (gesture)
        {
            case 0:  // clapping: both hands in and out
                double gap = 5 + (9 * size * (1 + cos));
                return (-gap, 4, gap, 4, 1);
            case 1:  // right hand waves about the elbow
                (double wx, double wy) = Wave(sin);
                return (-wx, wy, RestX, RestY, 1);
            case 2:
                (wx, wy) = Wave(sin);
                return (-RestX, RestY, wx, wy, 1);
            case 3:  // right arm, clockwise in the picture (y is downwards)
                return (-26 + (a * cos), -2 + (b * sin), RestX, RestY, 1);
            case 4:
                return (-26 + (a * cos), -2 - (b * sin), RestX, RestY, 1);
            case 5:  // left arm, clockwise
                return (-RestX, RestY, 26 + (a * cos), -2 + (b * sin), 1);
            case 6:
                return (-RestX, RestY, 26 + (a * cos), -2 - (b * sin), 1);
            case 7:  // the forearms roll about each other
                double roll = 10 * size;
                return (roll * cos, 6 + (roll * sin), -roll * cos, 6 - (roll * sin), 1);
            case 8:  // drums: up and down in turn
                return (-15, 8 + (12 * size * sin), 15, 8 - (12 * size * sin), 1);
            case 9:  // guitar: the right hand strums fast, the left slides along the neck
                return (
                    -5, 15 + (8 * size * Math.Sin(1.6 * angle)), 26 + (4 * Math.Cos(0.5 * angle)), -8 - (2.5 * Math.Cos(0.5 * angle)), 1);
            default:
                return Other(sin, cos);
        }
    }

    private (double Wx, double Wy) Wave(double sin)
    {
        double swing = 0.75 * size * sin;
        return (22 + (21 * Math.Sin(swing)), 4 - (21 * Math.Cos(swing)));
    }

    /// <summary>None of the ten: both arms flap, both hands open towards the camera, or both circle like mirror images.</summary>
    private (double Rx, double Ry, double Lx, double Ly, double Grow) Other(double sin, double cos)
    {
        switch (variant)
        {
            case 0:
                double lift = 0.9 * size * sin;
                double x = 12 + (22 * Math.Cos(lift)), y = -2 - (22 * Math.Sin(lift));
                return (-x, y, x, y, 1);
            case 1:
                return (-20, -4, 20, -4, 1.1 + (0.45 * size * sin));
            default:
                double c = 13 * size;
                return (-26 + (c * cos), (c * sin) - 2, 26 - (c * cos), (c * sin) - 2, 1);
        }
    }
}
