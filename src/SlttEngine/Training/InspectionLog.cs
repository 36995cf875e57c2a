using System.Numerics;
using SlttEngine.IO;
using SlttEngine.Reports;

namespace SlttEngine.Training;

/// <summary>Writes what was seen of a network into TensorBoard's log, so that the log stays small: some megabytes after any run.</summary>
internal static class InspectionLog
{
    /// <summary>Epochs of a run that get histograms, at most.</summary>
    private const int MaxHistograms = 50;

    private const int MistakesInRow = 4;

    /// <summary>Writes firing rates; of some epochs histograms of membrane potentials; of epochs 0, 1, 2, 4, 8 … and the last
    /// pictures.</summary>
    /// <param name="log">TensorBoard's.</param>
    /// <param name="inspection">What was seen.</param>
    /// <param name="firing">How often the layers fired.</param>
    /// <param name="epochs">Epochs of the run.</param>
    /// <exception cref="SlttException">The log can't be written.</exception>
    internal static void Write(EventFileWriter log, RunInspection inspection, IReadOnlyList<LayerFiring> firing, int epochs)
    {
        int epoch = inspection.Epoch;
        foreach (LayerFiring layer in firing)
        {
            log.Scalar("firing_rate/" + layer.Name, layer.Rate, epoch);
        }

        bool isLast = epoch == epochs - 1;
        if (isLast || epoch % ((epochs + MaxHistograms - 1) / MaxHistograms) == 0)
        {
            foreach (LayerInspection layer in inspection.Layers.Where(l => l.Neurons > 0))
            {
                log.Histogram("membrane_potential/" + layer.Name, layer.From, layer.To, layer.Counts, epoch);
            }
        }

        if (isLast || epoch == 0 || BitOperations.IsPow2(epoch))
        {
            Write(log, "sample", inspection.Sample?.Frames ?? [], int.MaxValue, epoch);
            Write(log, "mistakes", [.. inspection.Mistakes.Select(m => m.Picture).OfType<Picture>()], MistakesInRow, epoch);
        }
    }

    private static void Write(EventFileWriter log, string tag, IReadOnlyList<Picture> pictures, int columns, int epoch)
    {
        if (pictures.Count > 0)
        {
            Picture sheet = PictureFile.Sheet(pictures, columns);
            log.Image(tag, sheet.Width, sheet.Height, PictureFile.Png(sheet), epoch);
        }
    }
}
