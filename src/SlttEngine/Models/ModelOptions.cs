using System.Globalization;
using SlttEngine.Layers;

namespace SlttEngine.Models;

/// <summary>What a model is built for.</summary>
/// <param name="Classes">Number of logits.</param>
/// <param name="InputChannels">Channels of a frame.</param>
/// <param name="Height">Height of a frame.</param>
/// <param name="Width">Width of a frame.</param>
/// <param name="DropRate">Dropout rate; the normaliser-free networks have no dropout whatever it says.</param>
/// <param name="WidthDivisor">Every inner channel count is divided by it.</param>
/// <param name="BatchNorm">Whose batch norm.</param>
public sealed record ModelOptions(
    int Classes,
    int InputChannels,
    int Height,
    int Width,
    float DropRate = 0,
    int WidthDivisor = 1,
    BatchNormKind BatchNorm = BatchNormKind.Sltt)
{
    /// <summary>What a network keeps of these options besides input and classes: its <see cref="Graph.Network.Settings"/>.</summary>
    internal IReadOnlyDictionary<string, string> Settings => new Dictionary<string, string>
    {
        [WidthSetting] = WidthDivisor.ToString(CultureInfo.InvariantCulture),
        [DropSetting] = DropRate.ToString("R", CultureInfo.InvariantCulture),
        [BatchNormSetting] = BatchNorm.ToString(),
    };

    internal const string WidthSetting = "width_divisor";
    internal const string DropSetting = "drop_rate";
    internal const string BatchNormSetting = "batch_norm";

    /// <summary>An inner channel count after the division.</summary>
    /// <param name="officialChannels">Channels of the official model.</param>
    /// <exception cref="SlttException">The divisor doesn't divide it.</exception>
    public int Channels(int officialChannels) => officialChannels % WidthDivisor == 0
        ? officialChannels / WidthDivisor
        : throw new SlttException(
            ErrorKind.Usage,
            $"-width_divisor {WidthDivisor} does not divide the model's {officialChannels} channels",
            "use 1, 2, 4, 8, 16, 32 or 64");
}
