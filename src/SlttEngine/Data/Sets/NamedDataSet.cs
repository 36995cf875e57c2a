namespace SlttEngine.Data.Sets;

/// <summary>A data set that the engine reads from its authors' files, found by name. One class is all that there is to one.</summary>
public abstract class NamedDataSet
{
    /// <summary>As -dataset takes it.</summary>
    public abstract string Name { get; }

    /// <summary>The name that people use.</summary>
    public abstract string Title { get; }

    /// <summary>What the data folder must hold.</summary>
    public abstract string Needs { get; }

    /// <summary>Where to get it.</summary>
    public abstract string Source { get; }

    /// <summary>True if the official program leaves out a smaller last batch of a training epoch.</summary>
    public virtual bool DropsLast => false;

    /// <summary>Images of both parts, as distributed, that stay in the device's memory; 0 if none do.</summary>
    public virtual int ResidentImages => 0;

    /// <summary>Shape, classes and elements of the samples as distributed; no file is read.</summary>
    /// <param name="options">T and transform of event data.</param>
    public abstract SampleFormat Format(DataSetOptions options);

    /// <summary>Opens one part.</summary>
    /// <param name="folder">The data folder.</param>
    /// <param name="train">The training part, else the test part.</param>
    /// <param name="options">T, transform and cache of event data.</param>
    /// <returns>The samples; dispose of them if they are <see cref="IDisposable"/>.</returns>
    /// <exception cref="SlttException">The data are missing, damaged or, unless the options allow it, incomplete.</exception>
    public abstract IDataSet Open(string folder, bool train, DataSetOptions options);

    /// <summary>Opens both parts.</summary>
    /// <param name="folder">The data folder.</param>
    /// <param name="options">T, transform and cache of event data.</param>
    /// <exception cref="SlttException">The data are missing, damaged or, unless the options allow it, incomplete.</exception>
    public (IDataSet Train, IDataSet Test) Open(string folder, DataSetOptions options)
    {
        // Both are looked at before the first is decoded, which may take an hour.
        RequireComplete(folder, train: true, options);
        RequireComplete(folder, train: false, options);
        IDataSet train = Open(folder, train: true, options);
        try
        {
            return (train, Open(folder, train: false, options));
        }
        catch
        {
            (train as IDisposable)?.Dispose();
            throw;
        }
    }

    /// <summary>Counts what a folder holds: samples, classes, the first bad file.</summary>
    /// <param name="folder">The data folder.</param>
    /// <param name="thorough">Decode every file, which takes long for large sets; else only lists, labels and the files' first
    /// bytes.</param>
    /// <returns>train and test.</returns>
    public IReadOnlyList<DataSetPart> Inspect(string folder, bool thorough) =>
        [Inspect(folder, train: true, thorough), Inspect(folder, train: false, thorough)];

    /// <summary>Elements of the largest array that the host makes: a batch, or the counts of a recording while it is decoded.</summary>
    /// <param name="options">T and transform of event data.</param>
    /// <param name="batch">Samples a batch.</param>
    public virtual double LargestArray(DataSetOptions options, int batch) => (double)Format(options).SampleBytes * batch;

    /// <summary>Reads files that belong to no data folder as the set's samples.</summary>
    /// <param name="options">T and transform of event data.</param>
    internal abstract SampleFiles Files(DataSetOptions options);

    /// <summary>Counts one part; an <see cref="SlttException"/> becomes its first problem.</summary>
    /// <param name="folder">The data folder.</param>
    /// <param name="train">The training part, else the test part.</param>
    /// <param name="thorough">Decode every file.</param>
    /// <param name="tally">Receives the counts.</param>
    internal abstract void Count(string folder, bool train, bool thorough, DataSetTally tally);

    /// <summary>
    /// Refuses a part as <see cref="Open(string, bool, DataSetOptions)"/> does, where that can be known long before it is open.
    /// </summary>
    /// <param name="folder">The data folder.</param>
    /// <param name="train">The training part, else the test part.</param>
    /// <param name="options">Whether an incomplete part is allowed.</param>
    private protected virtual void RequireComplete(string folder, bool train, DataSetOptions options)
    {
    }

    private DataSetPart Inspect(string folder, bool train, bool thorough)
    {
        DataSetTally tally = new(train ? "train" : "test");
        tally.Try(() => Count(folder, train, thorough, tally));
        return tally.Result();
    }
}
