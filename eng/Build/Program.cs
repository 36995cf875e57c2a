// The build, behind build.sh and build.ps1: the native part by cmake, the host by dotnet, and what is made of them.
//
//   build           everything; leaves the command at out/sltt
//   demo [options]  builds what the command needs and runs `sltt demo`
//   test [options]  builds everything and runs the whole suite; options, such as --filter, go to the test runner
//   test-all        test, then examples, guide, packages, docs and fuzz, with a table of times
//   examples        runs each program of examples/ and checks its last line
//   guide           runs each command of docs/guide and of the README on a small data set
//   pack            NuGet packages of the library and the command: out/packages
//   test-packages   tests of what pack made, in projects and tools of their own
//   docs            the documentation's site: out/docs
//   fuzz [options]  mutates files and reads them, --seconds 60 in all; options are those of tests/SlttEngine.Fuzz/Program.cs
//   figures         draws the documents' pictures anew: docs/figures
//   generate        writes the files that are made from the kernels' signatures: *.g.cs, and the table of calls in docs
//   bundle          one archive that runs without .NET: out/sltt-<version>-linux-x64.tar.xz
//   clean           removes what the build made
using SlttEngine.Build;

// A child on the same terminal gets Ctrl-C itself; wait for it to end in its own way.
Console.CancelKeyPress += (_, e) => e.Cancel = true;

string command = args.Length > 0 ? args[0] : "build";
string[] rest = args.Skip(1).ToArray();
try
{
    switch (command)
    {
        case "build":
            BuildAll();
            return 0;
        case "demo":
            Native.Build();
            Host.Build(Tree.CliProject);
            string demo = Path.Combine(Tree.Out, "demo");
            return Shell.Start(
                Tree.Dotnet,
                [Path.Combine(Tree.CliOutput, "sltt.dll"), "demo",
                 "-data_dir", Path.Combine(demo, "data"), "-out_dir", Path.Combine(demo, "logs"), .. rest]);
        case "test":
            BuildAll();
            return rest.Length > 0 ? Suite.Run(rest) : Suite.RunAll();
        case "test-all":
            return Gate.Run();
        case "examples":
            BuildAll();
            return Examples.Run();
        case "guide":
            BuildAll();
            return Guide.Run();
        case "pack":
            Packages.Make();
            return 0;
        case "test-packages":
            BuildAll();
            return Suite.RunPackages();
        case "docs":
            BuildAll();
            return Docs.Make();
        case "fuzz":
            return Suite.Fuzz(rest);
        case "figures":
            Figures.Make();
            return 0;
        case "generate":
            Native.Build();
            Host.Generate();
            return 0;
        case "bundle":
            Bundle.Make();
            return 0;
        case "clean":
            Host.Clean();
            return 0;
        default:
            const string Words = "build (the default), demo, test, test-all, examples, guide, pack, test-packages, docs, fuzz, "
                + "figures, generate, bundle, clean";
            throw new BuildException($"'{command}' is unknown: {Words}", 2);
    }
}
catch (BuildException e)
{
    Console.Error.WriteLine($"build: {e.Message}");
    return e.ExitCode;
}

static void BuildAll()
{
    Native.Build();
    Host.Build(Path.Combine(Tree.Root, "SlttEngine.sln"));
}
