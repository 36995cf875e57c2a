using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using SlttEngine.IO;

namespace SlttEngine.Training;

/// <summary>
/// Keeps a run folder for one run. A file that the process has locked, and one that says which process on which host has the folder and
/// when it last wrote.
/// </summary>
/// <remarks>
/// The operating system's lock (flock) ends with the process, however that ends; its file stays, empty. It may not reach other hosts of a
/// shared file system, so what the second file says counts there: another host's run is only replaced when the user says so.
/// </remarks>
internal sealed partial class RunLock : IDisposable
{
    /// <summary>The file in the run folder that says who has it; it is there while the run runs, and after a run that was killed.</summary>
    public const string OwnerFile = "running.json";

    private const string LockFile = ".running.lock";
    private const string AnotherFolder = "another -name or -out_dir gives this run a folder of its own";

    private static readonly TimeSpan HeartbeatInterval = TimeSpan.FromSeconds(30);

    /// <summary>A run on another host that gave no sign for so long no longer runs.</summary>
    private static readonly TimeSpan LostAfter = 6 * HeartbeatInterval;

    private readonly string folder;
    private readonly FileStream held;
    private readonly Owner owner;
    private readonly Timer heartbeat;
    private volatile bool lost;

    private RunLock(string folder, FileStream held, Owner owner)
    {
        (this.folder, this.held, this.owner) = (folder, held, owner);
        Write();
        heartbeat = new Timer(_ => Beat(), null, HeartbeatInterval, HeartbeatInterval);
    }

    /// <summary>Takes a folder that exists.</summary>
    /// <param name="folder">The run folder.</param>
    /// <param name="takeover">True: take it although another host's run has it.</param>
    /// <exception cref="SlttException">Another run has it, or the files can't be written.</exception>
    public static RunLock Acquire(string folder, bool takeover)
    {
        string path = Path.Combine(folder, LockFile);
        Owner owner = Owner.Current();
        Owner? other = Read(folder);
        bool elsewhere = other is not null && other.Host != owner.Host;
        if (elsewhere && !takeover)
        {
            throw Refused(folder, other, $"if it no longer runs, --take-over takes its place; {AnotherFolder}");
        }

        try
        {
            if (elsewhere)
            {
                File.Delete(path); // Its lock may still hold there; a new file leaves it with the old one.
            }

            if (Open(path) is not { } held)
            {
                throw Refused(
                    folder, other, $"-resume {Path.Combine(folder, TrainingRun.LatestCheckpoint)} goes on when it has ended; "
                        + AnotherFolder);
            }

            // A file system without locks lets everyone in.
            if (!elsewhere && other is not null && other.Runs())
            {
                held.Dispose();
                throw Refused(folder, other, AnotherFolder);
            }

            return new RunLock(folder, held, owner);
        }
        catch (Exception e) when (FileErrors.IsFileError(e))
        {
            throw FileErrors.Wrap("lock", folder, e);
        }
    }

    /// <summary>Which process runs in a folder, and whether one died there; nothing is locked, so no run is disturbed.</summary>
    /// <param name="folder">The run folder.</param>
    /// <returns>True: one runs; false: one was killed; null: neither.</returns>
    public static bool? IsHeld(string folder) => Read(folder) is not { } owner ? null
        : owner.Host == Environment.MachineName ? owner.Pid == Environment.ProcessId || owner.Runs()
        : DateTimeOffset.UtcNow - owner.LastSign < LostAfter;

    /// <summary>Checks that the folder is still this run's; to be called before something in it is written over.</summary>
    /// <exception cref="SlttException">Another run took it over.</exception>
    public void Check()
    {
        Owner? found = Read(folder);
        lost |= found is not null && found.Id != owner.Id;
        if (lost)
        {
            throw new SlttException(
                ErrorKind.Data,
                $"{folder}: {found?.ToString() ?? "another run"} took this run's folder over; this run writes nothing more");
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        using (ManualResetEvent done = new(false))
        {
            if (heartbeat.Dispose(done))
            {
                done.WaitOne();
            }
        }

        try
        {
            if (!lost && Read(folder)?.Id == owner.Id)
            {
                File.Delete(Path.Combine(folder, OwnerFile));
            }
        }
        catch (Exception e) when (FileErrors.IsFileError(e))
        {
            // The process ends, and its lock with it: what stays says a run that no longer runs.
        }

        held.Dispose();
    }

    private static SlttException Refused(string folder, Owner? other, string hint) =>
        new(ErrorKind.Data, $"{folder}: {other?.ToString() ?? "another process"} runs in this folder", hint);

    /// <summary>The lock file, locked; null if another process has it.</summary>
    private static FileStream? Open(string path)
    {
        try
        {
            return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 1);
        }
        catch (IOException e) when (e.GetType() == typeof(IOException) && File.Exists(path))
        {
            return null;
        }
    }

    /// <summary>Who has the folder; null if nobody does.</summary>
    private static Owner? Read(string folder)
    {
        try
        {
            using FileStream stream = File.OpenRead(Path.Combine(folder, OwnerFile));
            return JsonSerializer.Deserialize(stream, OwnerJson.Default.Owner);
        }
        catch (Exception e) when (FileErrors.IsFileError(e) || e is JsonException)
        {
            return null;
        }
    }

    private void Write() => AtomicFile.Write(
        Path.Combine(folder, OwnerFile),
        stream => JsonSerializer.Serialize(stream, owner with { LastSign = DateTimeOffset.UtcNow }, OwnerJson.Default.Owner),
        durable: false);

    private void Beat()
    {
        try
        {
            if (Read(folder) is { } found && found.Id != owner.Id)
            {
                lost = true;
            }
            else
            {
                Write();
            }
        }
        catch (SlttException)
        {
            // A full disk stops no training here; the next checkpoint's error says it.
        }
    }

    /// <summary>The run that has a folder.</summary>
    /// <param name="Id">Its own, unlike any other's.</param>
    /// <param name="Host">The host's name.</param>
    /// <param name="Pid">Its process there.</param>
    /// <param name="Started">When the process started.</param>
    /// <param name="LastSign">When it last wrote this.</param>
    internal sealed record Owner(string Id, string Host, int Pid, DateTimeOffset Started, DateTimeOffset LastSign)
    {
        public static Owner Current()
        {
            using Process process = Process.GetCurrentProcess();
            return new(
                Guid.NewGuid().ToString("N"), Environment.MachineName, Environment.ProcessId, process.StartTime, DateTimeOffset.UtcNow);
        }

        /// <summary>True if that process still runs on this host, and is not another one of its number.</summary>
        public bool Runs()
        {
            try
            {
                using Process process = Process.GetProcessById(Pid);
                return Pid != Environment.ProcessId && Math.Abs((process.StartTime - Started).TotalSeconds) < 2;
            }
            catch (Exception e) when (e is ArgumentException or InvalidOperationException or System.ComponentModel.Win32Exception)
            {
                return false;
            }
        }

        public override string ToString() => string.Create(
            CultureInfo.InvariantCulture,
            $"process {Pid} on {Host} (started {Started.ToLocalTime():yyyy-MM-dd HH:mm:ss}, last sign of life "
                + $"{LastSign.ToLocalTime():yyyy-MM-dd HH:mm:ss})");
    }

    /// <summary>Source-generated: programs may have switched reflection off.</summary>
    [JsonSourceGenerationOptions(GenerationMode = JsonSourceGenerationMode.Metadata)]
    [JsonSerializable(typeof(Owner))]
    private sealed partial class OwnerJson : JsonSerializerContext;
}
