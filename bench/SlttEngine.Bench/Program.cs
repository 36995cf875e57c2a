using SlttEngine;
using SlttEngine.Bench;

try
{
    if (args is ["figures", .. string[] rest])
    {
        Figures.Write(rest);
        return 0;
    }

    BenchOptions options = BenchOptions.Parse(args);
    if (options.Help)
    {
        Console.Out.WriteLine(BenchOptions.Usage);
        return 0;
    }

    return new BenchRun(options, Console.Out).Run() ? 0 : 1;
}
catch (SlttException e)
{
    Console.Error.WriteLine("error: " + e.Message + (e.Hint is null ? "" : " (" + e.Hint + ")"));
    return (int)e.Kind;
}
