using SlttEngine.Graph;

namespace SlttEngine.Tests.Engine;

/// <summary>Runs one layer forward and backward on the shared device, with a given gradient of its output.</summary>
internal sealed class LayerHarness(Network network) : IDisposable
{
    private readonly Dictionary<Parameter, float[]> weights = [];
    private LayerRun? run;

    /// <summary>An activation that a layer under test reads: unlike the network's input it gets a gradient.</summary>
    public static Edge Input(string name, int height, int width, int channels) =>
        new(name, height, width, channels, dependsOnInputOnly: false);

    public void Set(Parameter parameter, double[] values) => weights[parameter] = [.. values.Select(v => (float)v)];

    public float[] Gradient(Parameter parameter) => run!.Store.GetGradient(parameter);

    public float[] Gradient(Edge edge) => run!.Gradient(edge);

    /// <summary>Forward and backward of the layers.</summary>
    /// <param name="batch">N.</param>
    /// <param name="inputs">Activations (N, H, W, C) by value.</param>
    /// <param name="upstream">∂L/∂y (N, H, W, C) of the last layer's output y.</param>
    /// <returns>y.</returns>
    public float[] Run(int batch, Dictionary<Edge, double[]> inputs, double[] upstream)
    {
        run = new LayerRun(SharedDevice.Device, network, inputs.Keys, batch);
        foreach ((Parameter parameter, float[] values) in weights)
        {
            run.Store.SetWeight(parameter, values);
        }

        foreach ((Edge edge, double[] values) in inputs)
        {
            run.SetInput(edge, [.. values.Select(v => (float)v)]);
        }

        return run.ForwardAndBackward([.. upstream.Select(v => (float)v)]);
    }

    public void Dispose() => run?.Dispose();
}
