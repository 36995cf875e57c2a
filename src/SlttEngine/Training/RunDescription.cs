using System.Globalization;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using SlttEngine.Data;
using SlttEngine.Export;
using SlttEngine.Graph;
using SlttEngine.IO;

namespace SlttEngine.Training;

/// <summary>
/// What a checkpoint says of the run that wrote it, besides tensors, optimiser and schedule: enough to build the network and feed it.
/// </summary>
public sealed partial record RunDescription
{
    /// <summary>The version of this description's form.</summary>
    public const int CurrentFormat = 1;

    private const string Key = "sltt_description";
    private const string SoftReset = "LIF, soft reset";

    /// <summary>What decides an evaluation's figures.</summary>
    private static readonly string[] OfEvaluation =
    [
        "T", "neuron", "tau", "threshold", "loss_lambda", "loss_one_hot", "loss_means", "model", "input", "data_set", "transform", "mean",
        "std", "scale", "shift",
    ];

    /// <summary>What decides how training goes on, besides.</summary>
    private static readonly string[] OfTraining =
    [
        "method", "K", "surrogate", "dtype", "eval_type", "fast_math", "split_tf32", "steps_at_once", "batch_size", "seed", "drop_last",
    ];

    /// <summary>The version of the form; readers refuse a newer one.</summary>
    public int Format { get; init => field = value == 0 ? CurrentFormat : value; } = CurrentFormat; // 0, null: the text has none

    /// <summary>The program that wrote the checkpoint, with its version.</summary>
    public required string Program { get; init; }

    /// <summary>The learning method: <see cref="Training.Method.Name"/>.</summary>
    public required string Method { get; init; }

    /// <summary>K of SLTT-K.</summary>
    [JsonPropertyName("K")]
    public int? K { get; init; }

    /// <summary>T, time steps.</summary>
    [JsonPropertyName("T")]
    public required int Steps { get; init; }

    /// <summary>The neuron's model.</summary>
    public string Neuron { get; init => field = value ?? SoftReset; } = SoftReset;

    /// <summary>τ of the neurons, in steps.</summary>
    public required double Tau { get; init; }

    /// <summary>v_th.</summary>
    public required float Threshold { get; init; }

    /// <summary>The surrogate derivative: a name of <see cref="Graph.Surrogate"/> in lower case.</summary>
    public required string Surrogate { get; init; }

    /// <summary>λ of the loss: see <see cref="LossOptions"/>.</summary>
    public required float LossLambda { get; init; }

    /// <summary>Whether the squared error is to the one-hot label.</summary>
    public required bool LossOneHot { get; init; }

    /// <summary>The squared error's target if it is not.</summary>
    public required float LossMeans { get; init; }

    /// <summary>The model's name.</summary>
    public required string Model { get; init; }

    /// <summary>What else the model was built with: <see cref="Network.Settings"/>.</summary>
    public required IReadOnlyDictionary<string, string> ModelSettings { get; init; }

    /// <summary>Channels, height, width of a frame.</summary>
    public required IReadOnlyList<int> Input { get; init; }

    /// <summary>The number of classes.</summary>
    public required int Classes { get; init; }

    /// <summary>The classes' names in order.</summary>
    public required IReadOnlyList<string> ClassNames { get; init; }

    /// <summary>The data set's name, if it has one.</summary>
    public string? DataSet { get; init; }

    /// <summary>What is done to samples before they are normalised, if the data set says it.</summary>
    public string? Transform { get; init; }

    /// <summary>Normalisation of images: input = (pixel / 255 − mean) / std.</summary>
    public IReadOnlyList<float>? Mean { get; init; }

    /// <summary>See <see cref="Mean"/>.</summary>
    public IReadOnlyList<float>? Std { get; init; }

    /// <summary>Normalisation of frames: input = element · scale + shift.</summary>
    public IReadOnlyList<float>? Scale { get; init; }

    /// <summary>See <see cref="Scale"/>.</summary>
    public IReadOnlyList<float>? Shift { get; init; }

    /// <summary>Training samples.</summary>
    public required int TrainSamples { get; init; }

    /// <summary>Number type of activations in training: float32, float16 or bfloat16.</summary>
    public required string Dtype { get; init; }

    /// <summary>What evaluations compute in: float32, tf32, float16 or bfloat16; null where an earlier version wrote it.</summary>
    public string? EvalType { get; init; }

    /// <summary>Whether float32 convolutions may round more.</summary>
    public required bool FastMath { get; init; }

    /// <summary>Whether float32 convolutions of spikes were split into TF32 parts.</summary>
    public bool SplitTf32 { get; init; }

    /// <summary>Time steps that went through the network side by side in training.</summary>
    public int StepsAtOnce { get; init => field = Math.Max(1, value); } = 1; // 0: the text has none

    /// <summary>Samples a batch.</summary>
    public required int BatchSize { get; init; }

    /// <summary>Whether a smaller last batch is left out.</summary>
    public required bool DropLast { get; init; }

    /// <summary>Seed of all random numbers.</summary>
    public required long Seed { get; init; }

    /// <summary>Epochs that the run was to have.</summary>
    public required int Epochs { get; init; }

    /// <summary>Describes a run.</summary>
    /// <param name="options">Its options.</param>
    /// <param name="network">Its network.</param>
    /// <param name="set">Its samples, of training or of testing.</param>
    public static RunDescription Of(TrainingOptions options, Network network, IDataSet set)
    {
        SampleFormat format = SampleFormat.Of(set);
        SampleFormat.Images? images = format as SampleFormat.Images;
        SampleFormat.Frames? frames = format as SampleFormat.Frames;
        return new RunDescription
        {
            Program = "SlttEngine " + Version,
            Method = options.Method.Name,
            K = (options.Method as SlttK)?.K,
            Steps = options.Steps,
            Tau = options.Neuron.Tau,
            Threshold = options.Neuron.Threshold,
            Surrogate = Lower(options.Neuron.Surrogate),
            LossLambda = options.Loss.Lambda,
            LossOneHot = options.Loss.MseOneHot,
            LossMeans = options.Loss.Means,
            Model = network.Model,
            ModelSettings = network.Settings,
            Input = [format.Shape.Channels, format.Shape.Height, format.Shape.Width],
            Classes = set.Classes,
            ClassNames = set.ClassNames,
            DataSet = set.Name,
            Transform = set.Transform,
            Mean = images?.Mean,
            Std = images?.Std,
            Scale = frames?.Scale,
            Shift = frames?.Shift,
            TrainSamples = set.Count,
            Dtype = Lower(options.Type),
            EvalType = Lower(options.UsedEvaluationType),
            FastMath = options.FastMath,
            SplitTf32 = options.SplitTf32,
            StepsAtOnce = options.StepsAtOnce,
            BatchSize = options.BatchSize,
            DropLast = options.DropLast,
            Seed = options.Seed,
            Epochs = options.Epochs,
        };
    }

    /// <summary>Reads a checkpoint's description.</summary>
    /// <param name="checkpoint">The checkpoint.</param>
    /// <returns>null if it has none: a foreign one, or one of before there were descriptions.</returns>
    /// <exception cref="SlttException">The description is malformed, or of a newer form.</exception>
    public static RunDescription? Read(CheckpointFile checkpoint)
    {
        if (!checkpoint.Metadata.TryGetValue(Key, out string? text))
        {
            return null;
        }

        try
        {
            int format = (int?)JsonNode.Parse(text)?["format"] ?? CurrentFormat;
            return format > CurrentFormat
                ? throw new SlttException(
                    ErrorKind.Data, $"{checkpoint.Path}: its description has form {format}, and this program reads {CurrentFormat}",
                    "use the version that wrote it, or a newer one")
                : JsonSerializer.Deserialize(text, DescriptionJson.Default.RunDescription);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException or NotSupportedException
            or ArgumentException)
        {
            string place = e is JsonException { Path: { } at } ? $" at {at}" : string.Empty;
            throw new SlttException(
                ErrorKind.Data, $"{checkpoint.Path}: its description is malformed{place}",
                "sltt convert to .pth and back without the key sltt_description leaves tensors and optimiser", e);
        }
    }

    /// <summary>How samples are normalised in front of the network; null: the description does not say.</summary>
    internal InputNormalisation? Normalisation => Mean is not null && Std is not null ? new(Mean, Std, OfImages: true)
        : Scale is not null && Shift is not null ? new(Scale, Shift, OfImages: false) : null;

    /// <summary>The same run with another network and its constants.</summary>
    /// <param name="options">T and the neurons' constants.</param>
    /// <param name="network">The network.</param>
    internal RunDescription OfNetwork(TrainingOptions options, Network network) => this with
    {
        Steps = options.Steps,
        Tau = options.Neuron.Tau,
        Threshold = options.Neuron.Threshold,
        Surrogate = Lower(options.Neuron.Surrogate),
        Model = network.Model,
        ModelSettings = network.Settings,
    };

    /// <summary>A checkpoint's description alone, as metadata.</summary>
    /// <param name="checkpoint">The checkpoint.</param>
    internal static Dictionary<string, string> Metadata(CheckpointFile checkpoint) =>
        checkpoint.Metadata.TryGetValue(Key, out string? text) ? new() { [Key] = text } : [];

    /// <summary>Names and values, in order, as text.</summary>
    public IEnumerable<(string Name, string Value)> Lines() =>
        Node().Select(item => (item.Key, item.Value is JsonValue value ? value.ToString() : Compact(item.Value)));

    /// <summary>Adds the description to a checkpoint's metadata.</summary>
    /// <param name="metadata">The metadata.</param>
    internal void AddTo(IDictionary<string, string> metadata) =>
        metadata[Key] = JsonSerializer.Serialize(this, DescriptionJson.Default.RunDescription);

    /// <summary>Refuses samples of other classes, by name, and says a line for each other difference: what is given holds.</summary>
    /// <param name="checkpoint">Its description is compared with this one.</param>
    /// <param name="evaluation">True: only what decides an evaluation's figures is compared.</param>
    /// <param name="warning">Receives the lines.</param>
    /// <exception cref="SlttException">The classes' names differ.</exception>
    internal void CompareWith(CheckpointFile checkpoint, bool evaluation, Action<string> warning)
    {
        if (Read(checkpoint) is not { } saved)
        {
            if (DataSet == "dvsgesture" && checkpoint.Metadata.ContainsKey("sltt_run"))
            {
                throw new SlttException(
                    ErrorKind.Data, $"{checkpoint.Path}: version 0.1.0 wrote it, whose DVS-Gesture classes had another order",
                    "go on with version 0.1.0, or train again");
            }

            return;
        }

        if (saved.OtherClass(this) is { } other)
        {
            throw new SlttException(
                ErrorKind.Data, $"{checkpoint.Path}: it was trained on other classes than the data have: {other}",
                "give the data that it was trained on; -pre_train with --reset-head trains its other layers on new classes");
        }

        JsonObject before = saved.Node(), now = Node();
        foreach (string key in evaluation ? OfEvaluation : [.. OfEvaluation, .. OfTraining])
        {
            Compare(key, before[key], now[key]);
        }

        foreach ((string name, string value) in saved.ModelSettings)
        {
            if (!evaluation || name != Models.ModelOptions.DropSetting)
            {
                Compare(name, value, ModelSettings.GetValueOrDefault(name));
            }
        }

        void Compare(string name, JsonNode? theirs, JsonNode? ours)
        {
            if (theirs is not null && ours is not null && !JsonNode.DeepEquals(theirs, ours))
            {
                warning($"{name} {Text(ours)} holds, not the checkpoint's {Text(theirs)} ({checkpoint.Path})");
            }
        }
    }

    /// <summary>The first class that differs, in words; null if none does, or if one of the two has numbers for names.</summary>
    /// <param name="data">A description of the data.</param>
    internal string? OtherClass(RunDescription data)
    {
        if (ClassNames.Count != data.ClassNames.Count)
        {
            return $"{ClassNames.Count} classes there and {data.ClassNames.Count} here";
        }

        if (AreNumbers(ClassNames) || AreNumbers(data.ClassNames))
        {
            return null;
        }

        int i = Enumerable.Range(0, ClassNames.Count).FirstOrDefault(c => ClassNames[c] != data.ClassNames[c], -1);
        return i < 0 ? null : $"class {i} is {ClassNames[i]} there and {data.ClassNames[i]} here";
    }

    private static bool AreNumbers(IReadOnlyList<string> names) =>
        names.Select((name, i) => name == string.Create(CultureInfo.InvariantCulture, $"class {i}")).All(same => same);

    internal static string Version => typeof(RunDescription).Assembly
        .GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "?";

    private static string Lower<T>(T value)
        where T : struct, Enum => value.ToString().ToLowerInvariant();

    private static string Text(JsonNode node) => node is JsonValue value ? value.ToString() : Compact(node);

    private static string Compact(JsonNode? node) => node?.ToJsonString(new JsonSerializerOptions
    {
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    }) ?? "-";

    private JsonObject Node() => JsonSerializer.SerializeToNode(this, DescriptionJson.Default.RunDescription)!.AsObject();

    /// <summary>Source-generated: programs may have switched reflection off.</summary>
    [JsonSourceGenerationOptions(
        GenerationMode = JsonSourceGenerationMode.Metadata,
        PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        RespectRequiredConstructorParameters = true,
        RespectNullableAnnotations = true)]
    [JsonSerializable(typeof(RunDescription))]
    private sealed partial class DescriptionJson : JsonSerializerContext;
}
