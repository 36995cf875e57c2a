using System.Globalization;

namespace SlttEngine.Fuzz;

/// <summary>The command's options; Program.cs says what they mean.</summary>
internal sealed class FuzzOptions
{
    internal FuzzOptions(string[] arguments)
    {
        for (int i = 0; i < arguments.Length; i++)
        {
            string Value() => i + 1 < arguments.Length ? arguments[++i] : throw new ArgumentException($"{arguments[i]} needs a value");
            switch (arguments[i])
            {
                case "--corpus":
                    Corpus = Value();
                    break;
                case "--work":
                    Work = Path.GetFullPath(Value());
                    break;
                case "--seconds":
                    Seconds = double.Parse(Value(), CultureInfo.InvariantCulture);
                    break;
                case "--runs":
                    Runs = long.Parse(Value(), CultureInfo.InvariantCulture);
                    break;
                case "--reader":
                    Reader = Value();
                    break;
                case "--seed":
                    Seed = int.Parse(Value(), CultureInfo.InvariantCulture);
                    break;
                case "--log":
                    Log = Value();
                    break;
                case "--save":
                    Save = true;
                    break;
                case "--child":
                    break;
                default:
                    throw new ArgumentException($"unknown option {arguments[i]}");
            }
        }
    }

    internal string Corpus { get; } = "corpus";

    internal string Work { get; } = Path.Combine(Path.GetTempPath(), "sltt-fuzz");

    internal double Seconds { get; } = 60;

    /// <summary>Inputs a reader; 0: as many as <see cref="Seconds"/> allow.</summary>
    internal long Runs { get; }

    internal string? Reader { get; }

    internal int Seed { get; } = Environment.TickCount & int.MaxValue;

    internal bool Save { get; }

    internal string? Log { get; }
}
