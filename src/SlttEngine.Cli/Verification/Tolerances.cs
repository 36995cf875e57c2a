using SlttEngine.Graph;
using SlttEngine.Training;

namespace SlttEngine.Cli.Verification;

/// <summary>What float32 should reach against the official implementation, as ‖a−b‖/‖b‖ of a tensor.</summary>
internal static class Tolerances
{
    /// <summary>Logits, their sum, the loss, evaluation.</summary>
    public const double Outputs = 1e-5;

    /// <summary>Gradients of a network with batch norm.</summary>
    public const double Gradients = 1e-4;

    /// <summary>Parameters and statistics after the last iteration, with batch norm.</summary>
    public const double Final = 1e-5;

    /// <summary>Gradients and final parameters of a normaliser-free network: errors grow through its depth.</summary>
    public const double NormaliserFree = 1e-3;

    /// <summary>A gradient also passes within this part of the iteration's largest gradient: a true zero has no relative error.</summary>
    public const double GradientFloor = 1e-5;
}

/// <summary>From the names in a recording's metadata to the engine's options.</summary>
internal static class RecordedNames
{
    public static Surrogate Surrogate(RecordedFile file) => file.Text("surrogate") switch
    {
        "triangle" => Graph.Surrogate.Triangle,
        "rectangle" => Graph.Surrogate.Rectangle,
        "sigmoid" => Graph.Surrogate.Sigmoid,
        var other => throw Unknown(file, "surrogate", other),
    };

    public static Method Method(RecordedFile file) => file.Text("method") switch
    {
        "sltt" => new Sltt(),
        "slttk" => new RecordedSlttK(),
        "bptt" => new Bptt(),
        var other => throw Unknown(file, "method", other),
    };

    public static Optimizer Optimizer(RecordedFile file) => file.Text("optimizer") switch
    {
        "SGD" => new Sgd((float)file.Number("momentum"), (float)file.Number("weight_decay")),
        "AdamW" => new AdamW((float)file.Number("weight_decay")),
        var other => throw Unknown(file, "optimizer", other),
    };

    public static LossOptions Loss(RecordedFile file) =>
        new((float)file.Number("loss_lambda"), file.Flag("mse_n_reg"), (float)file.Number("loss_means"));

    private static SlttException Unknown(RecordedFile file, string key, string value) =>
        new(ErrorKind.Data, $"{file.Path}: unknown {key} '{value}' in the metadata");
}
