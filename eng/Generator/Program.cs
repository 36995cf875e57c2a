// Writes the C# side of the kernels' signatures: Generator LIBRARY KERNELS DEVICE
//   LIBRARY  libsltt_cpu.so, whose list is the source
//   KERNELS  the folder of the .cu files, whose header lines become documentation
//   DEVICE   src/SlttEngine/Device, where Kernels.g.cs and RunState.g.cs are written
using SlttEngine.Generator;

if (args.Length != 3)
{
    Console.Error.WriteLine("usage: Generator LIBRARY KERNELS DEVICE");
    return 2;
}

try
{
    foreach ((string name, string text) in GeneratedFiles.Of(KernelList.Load(args[0]), args[1]))
    {
        string path = Path.Combine(args[2], name);
        bool same = File.Exists(path) && File.ReadAllText(path) == text;
        if (!same)
        {
            File.WriteAllText(path, text);
        }

        Console.WriteLine($"{path}: {(same ? "as it was" : "written")}");
    }

    return 0;
}
catch (Exception e) when (e is IOException or InvalidDataException or DllNotFoundException or EntryPointNotFoundException)
{
    Console.Error.WriteLine($"generate: {e.Message}");
    return 1;
}
