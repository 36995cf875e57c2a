namespace SlttEngine.Graph;

/// <summary>Errors of a network that was put together wrongly.</summary>
internal static class GraphError
{
    /// <summary>An error that says what is wrong and what to do about it.</summary>
    /// <param name="message">Layer, and what is wrong with it.</param>
    /// <param name="hint">What to do.</param>
    public static SlttException Of(string message, string hint) => new(ErrorKind.Usage, message, hint);

    /// <summary>Checks that two activations can be added up.</summary>
    /// <param name="layer">The layer that adds them.</param>
    /// <param name="a">One.</param>
    /// <param name="b">The other.</param>
    /// <exception cref="SlttException">Their shapes differ.</exception>
    public static void CheckSameShape(string layer, Edge a, Edge b)
    {
        if (!a.HasShapeOf(b))
        {
            throw Of(
                $"{layer}: adds {b.Name} ({b.Shape}) to {a.Name} ({a.Shape})",
                "a residual must have the height, width and channels of what it is added to; a 1×1 convolution changes them");
        }
    }

    /// <summary>Checks that a layer's parameters are for as many channels as it reads.</summary>
    /// <param name="layer">The layer.</param>
    /// <param name="input">What it reads.</param>
    /// <param name="channels">Channels that its parameters are for.</param>
    /// <exception cref="SlttException">The numbers differ.</exception>
    public static void CheckChannels(string layer, Edge input, int channels)
    {
        if (input.Channels != channels)
        {
            throw Of(
                $"{layer}: made for {channels} channels, but {input.Name} has {input.Channels}",
                "declare it for the channels of its input");
        }
    }

    /// <summary>Checks that a window lies within a padded map at least once.</summary>
    /// <param name="layer">The layer.</param>
    /// <param name="input">What it reads.</param>
    /// <param name="window">Height and width of the window.</param>
    /// <param name="stride">Pixels from one window to the next.</param>
    /// <param name="padding">Pixels of padding on each side.</param>
    /// <exception cref="SlttException">It does not.</exception>
    public static void CheckWindow(string layer, Edge input, int window, int stride, int padding)
    {
        if (window < 1 || stride < 1 || padding < 0)
        {
            throw Of(
                $"{layer}: a window of {window}, stride {stride}, padding {padding}",
                "window and stride must be at least 1, the padding at least 0");
        }

        if (window > Math.Min(input.Height, input.Width) + (2 * padding))
        {
            throw Of(
                $"{layer}: a window of {window}×{window} is larger than {input.Name}, {input.Height}×{input.Width} with padding {padding}",
                "take a smaller window or more padding, or fewer strides in front of it");
        }
    }
}
