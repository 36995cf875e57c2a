using FsCheck;
using FsCheck.Fluent;

namespace SlttEngine.Tests.IO;

/// <summary>Property tests of parsers: whatever happens to a file's bytes, a reader reads it or says what is wrong in one line.</summary>
internal static class Mutations
{
    /// <summary>
    /// Reads mutated copies of <paramref name="original"/>; the reader may succeed or throw <see cref="SlttException"/>, nothing else.
    /// The cases are the same at every run; SLTT_FUZZ=N tries N new ones instead.
    /// </summary>
    /// <param name="original">A sound file.</param>
    /// <param name="read">Reads a file's bytes by its path.</param>
    /// <param name="cases">How many copies.</param>
    /// <param name="headBytes">Half of the mutations fall on so many bytes at the start.</param>
    internal static void Check(byte[] original, Action<string> read, int cases = 200, int headBytes = 256)
    {
        Config config = Config.QuickThrowOnFailure.WithMaxTest(cases).WithReplay(2022, 1);
        if (int.TryParse(Environment.GetEnvironmentVariable("SLTT_FUZZ"), out int many))
        {
            config = Config.QuickThrowOnFailure.WithMaxTest(many);
        }

        using TemporaryFolder folder = new TemporaryFolder();
        string path = folder["mutated"];
        FsCheck.Check.One(config, Prop.ForAll(Steps(), steps =>
        {
            File.WriteAllBytes(path, Apply(original, steps, headBytes));
            try
            {
                read(path);
                return true;
            }
            catch (SlttException e)
            {
                return e.Message.Length > 0 && !e.Message.Contains('\n');
            }
        }));
    }

    private static Arbitrary<int[]> Steps() => Gen.Choose(0, int.MaxValue - 1).ArrayOf().Resize(24).ToArbitrary();

    /// <summary>Each three numbers are a kind of change, a place and a value.</summary>
    private static byte[] Apply(byte[] original, int[] steps, int headBytes)
    {
        List<byte> bytes = new List<byte>(original);
        for (int i = 0; i + 2 < steps.Length && bytes.Count > 0; i += 3)
        {
            int range = steps[i] % 2 == 0 ? Math.Min(headBytes, bytes.Count) : bytes.Count;
            int place = steps[i + 1] % range;
            int value = steps[i + 2];
            switch (steps[i] / 2 % 6)
            {
                case 0 or 1:
                    bytes[place] = (byte)value;
                    break;
                case 2:
                    bytes[place] ^= (byte)(1 << (value % 8));
                    break;
                case 3:
                    bytes.RemoveRange(place, bytes.Count - place);
                    break;
                case 4:
                    bytes.RemoveRange(place, Math.Min(1 + (value % 9), bytes.Count - place));
                    break;
                default:
                    bytes.InsertRange(place, bytes.GetRange(place, Math.Min(1 + (value % 9), bytes.Count - place)));
                    break;
            }
        }

        return [.. bytes];
    }
}
