using SlttEngine.IO;

namespace SlttEngine.Data;

/// <summary>A data set that the engine reads: what it needs and where it comes from.</summary>
/// <param name="Name">As -dataset takes it.</param>
/// <param name="Title">What people call it.</param>
/// <param name="Needs">What the data_dir must hold.</param>
/// <param name="Source">Where to get it.</param>
public sealed record DataSetInfo(string Name, string Title, string Needs, string Source);

/// <summary>One part of a data set as found in a folder.</summary>
/// <param name="Part">train or test.</param>
/// <param name="Samples">Samples found; 0 if there is a problem that prevents counting.</param>
/// <param name="SamplesByClass">Samples of each class.</param>
/// <param name="Files">Files looked at.</param>
/// <param name="BadFiles">Files that cannot be used.</param>
/// <param name="FirstProblem">One line about the first of them, or about what is missing; null if all is well.</param>
public sealed record DataSetPart(string Part, int Samples, IReadOnlyList<int> SamplesByClass, int Files, int BadFiles, string? FirstProblem);

/// <summary>The data sets by name: what they need, what a folder holds of them, and how to open them.</summary>
public static class DataSetCatalog
{
    /// <summary>All data sets, in the order of the official programs' -dataset.</summary>
    public static IReadOnlyList<DataSetInfo> All { get; } =
    [
        new("cifar10", "CIFAR-10", "cifar-10-batches-bin/ or cifar-10-batches-py/ (five training batches and test_batch), unpacked from cifar-10-binary.tar.gz or cifar-10-python.tar.gz",
            "https://www.cs.toronto.edu/~kriz/cifar.html"),
        new("cifar100", "CIFAR-100", "cifar-100-binary/ (train.bin, test.bin) or cifar-100-python/ (train, test), unpacked from cifar-100-binary.tar.gz or cifar-100-python.tar.gz",
            "https://www.cs.toronto.edu/~kriz/cifar.html"),
        new("DVSCIFAR10", "DVS-CIFAR10", "events/airplane/ … events/truck/ with 1,000 .aedat files each, unpacked from airplane.zip … truck.zip",
            "https://figshare.com/articles/dataset/CIFAR10-DVS_New/4724671"),
        new("dvsgesture", "DVS-Gesture", "DvsGesture/ or extract/DvsGesture/ (.aedat and _labels.csv files, trials_to_train.txt, trials_to_test.txt), unpacked from DvsGesture.tar.gz",
            "https://research.ibm.com/interactive/dvsgesture/"),
        new("imagenet", "ImageNet (ILSVRC2012)", "train/ and val/, each with 1,000 class folders of JPEG files",
            "https://www.image-net.org/challenges/LSVRC/2012/"),
    ];

    /// <summary>Opens a part of a data set.</summary>
    /// <param name="name">As in <see cref="All"/>.</param>
    /// <param name="folder">The data_dir.</param>
    /// <param name="train">The training part, else the one for testing.</param>
    /// <param name="events">T, transform and cache of event data sets; the other ones ignore it.</param>
    /// <param name="report">Told one line about each damaged image that is left out; by any thread.</param>
    /// <returns>An <see cref="IImageSet"/> or an <see cref="IFrameSet"/>; dispose of it if it is <see cref="IDisposable"/>.</returns>
    /// <exception cref="SlttException">The data are missing or damaged, or there is no such data set.</exception>
    public static IDataSet Open(string name, string folder, bool train, EventSetOptions events, Action<string>? report = null) => name switch
    {
        "cifar10" => Cifar.Load(folder, 10, train),
        "cifar100" => Cifar.Load(folder, 100, train),
        "DVSCIFAR10" => Cifar10Dvs.Open(folder, train, events),
        "dvsgesture" => DvsGesture.Open(folder, train, events),
        "imagenet" => ImageFolder.Open(folder, train, report),
        _ => throw NearestName.Unknown("data set", name, [.. All.Select(d => d.Name)]),
    };

    /// <summary>Looks at what a folder holds of a data set: counts, classes, the first bad file.</summary>
    /// <param name="name">As in <see cref="All"/>.</param>
    /// <param name="folder">The data_dir.</param>
    /// <param name="thorough">Decode every file, which takes long for large sets; else only lists, labels and the files' first bytes.</param>
    /// <returns>train and test.</returns>
    /// <exception cref="SlttException">There is no such data set.</exception>
    public static IReadOnlyList<DataSetPart> Inspect(string name, string folder, bool thorough)
    {
        if (All.All(d => d.Name != name))
        {
            throw NearestName.Unknown("data set", name, [.. All.Select(d => d.Name)]);
        }

        return [Inspect(name, folder, true, thorough), Inspect(name, folder, false, thorough)];
    }

    private static DataSetPart Inspect(string name, string folder, bool train, bool thorough)
    {
        Tally tally = new Tally(train ? "train" : "test");
        tally.Try(() =>
        {
            switch (name)
            {
                case "cifar10" or "cifar100":
                    Cifar cifar = Cifar.Load(folder, name == "cifar10" ? 10 : 100, train);
                    tally.Files += name == "cifar10" && train ? 5 : 1;
                    tally.AddAll(cifar);
                    break;
                case "DVSCIFAR10":
                    tally.Classes = new int[Cifar10Dvs.ClassNames.Count];
                    foreach ((string path, int label) in Cifar10Dvs.Split(Cifar10Dvs.Find(folder), train))
                    {
                        tally.File(() => CheckRecording(path, "#!AER-DAT2.0"u8, thorough, Aedat2.Read), () => tally.Classes[label]++);
                    }

                    break;
                case "dvsgesture":
                    tally.Classes = new int[DvsGesture.ClassNames.Count];
                    foreach (string path in DvsGesture.Trials(DvsGesture.Find(folder), train))
                    {
                        GestureLabel[] labels = [];
                        tally.File(
                            () =>
                            {
                                labels = DvsGesture.ReadLabels(path);
                                CheckRecording(path, "#!AER-DAT3.1"u8, thorough, Aedat31.Read);
                            },
                            () => Array.ForEach(labels, l => tally.Classes[l.Label]++));
                    }

                    break;
                default:
                    ImageFolder images = ImageFolder.Open(folder, train);
                    tally.Files += images.Count;
                    tally.AddAll(images);
                    if (thorough)
                    {
                        tally.Decode(images);
                    }

                    break;
            }
        });
        return tally.Result();
    }

    private static void CheckRecording(string path, ReadOnlySpan<byte> magic, bool thorough, Func<string, EventList> read)
    {
        if (thorough)
        {
            // As the engine will use it: decoded, and on the sensor.
            EventFrames.Integrate(read(path), 1, path);
            return;
        }

        try
        {
            using FileStream file = File.OpenRead(path);
            Span<byte> start = stackalloc byte[16];
            int length = file.ReadAtLeast(start, magic.Length, throwOnEndOfStream: false);
            if (!start[..length].StartsWith(magic))
            {
                throw FileErrors.Bad(path, $"does not begin with {System.Text.Encoding.ASCII.GetString(magic)}");
            }
        }
        catch (Exception e) when (FileErrors.IsFileError(e))
        {
            throw FileErrors.Wrap("read", path, e);
        }
    }

    /// <summary>Counts what is found and keeps the first problem.</summary>
    private sealed class Tally(string part)
    {
        private string? firstProblem;
        private int bad;

        internal int[] Classes { get; set; } = [];

        internal int Files { get; set; }

        internal void Try(Action look)
        {
            try
            {
                look();
            }
            catch (SlttException e)
            {
                firstProblem ??= e.Message;
            }
        }

        internal void File(Action check, Action count)
        {
            Files++;
            try
            {
                check();
                count();
            }
            catch (SlttException e)
            {
                bad++;
                firstProblem ??= e.Message;
            }
        }

        internal void AddAll(IDataSet set)
        {
            Classes = new int[set.ClassNames.Count];
            for (int i = 0; i < set.Count; i++)
            {
                Classes[set.Label(i)]++;
            }
        }

        internal void Decode(ImageFolder images)
        {
            Parallel.For(0, images.Count, () => new byte[images.Shape.Length], (i, _, frames) =>
            {
                if (!images.TryRead(i, 0, frames))
                {
                    lock (this)
                    {
                        Classes[images.Label(i)]--;
                    }
                }

                return frames;
            }, _ => { });
            bad += images.Damaged.Count;
            firstProblem ??= images.Damaged.Order(StringComparer.Ordinal).FirstOrDefault();
        }

        internal DataSetPart Result() => new(part, Classes.Sum(), Classes, Files, bad, firstProblem);
    }
}
