using SlttEngine.Device;

namespace SlttEngine.Training;

/// <summary>What an evaluation computes in.</summary>
public enum EvaluationType
{
    /// <summary>float32, each convolution a sum of products.</summary>
    Float32,

    /// <summary>float32 in memory; a GPU's convolutions round their inputs to TF32. The CPU device computes in float32.</summary>
    Tf32,

    /// <summary>Activations and working weights in float16.</summary>
    Float16,

    /// <summary>Activations and working weights in bfloat16.</summary>
    BFloat16,
}

/// <summary>What follows from an <see cref="EvaluationType"/>.</summary>
internal static class EvaluationTypes
{
    /// <summary>The number type of activations and working weights.</summary>
    /// <param name="type">What the evaluation computes in.</param>
    public static ComputeType Storage(this EvaluationType type) => type switch
    {
        EvaluationType.Float16 => ComputeType.Float16,
        EvaluationType.BFloat16 => ComputeType.BFloat16,
        _ => ComputeType.Float32,
    };

    /// <summary>The number type of the working weights that training and evaluation share.</summary>
    /// <param name="training">Training's type.</param>
    /// <param name="evaluation">What evaluations compute in.</param>
    /// <exception cref="SlttException">They need two kinds of working weights.</exception>
    public static ComputeType WorkingType(ComputeType training, EvaluationType evaluation)
    {
        ComputeType storage = evaluation.Storage();
        return training == ComputeType.Float32 ? storage
            : storage == ComputeType.Float32 || storage == training ? training
            : throw new SlttException(
                ErrorKind.Usage,
                $"evaluation in {storage.ToString().ToLowerInvariant()} beside training in {training.ToString().ToLowerInvariant()}: "
                    + "a run has one 16-bit copy of its weights",
                "evaluate in f32, tf32 or training's own type; sltt eval takes any");
    }
}
