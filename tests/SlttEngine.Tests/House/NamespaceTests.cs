using System.Reflection;
using System.Text.RegularExpressions;

namespace SlttEngine.Tests.House;

/// <summary>The library's folders are its namespaces, and each uses only what lies below it.</summary>
public sealed partial class NamespaceTests
{
    /// <summary>Namespace by namespace: what it may use, beside the root and itself. docs/internals/layout.md has the same table.</summary>
    private static readonly Dictionary<string, string[]> Permitted = new()
    {
        [""] = [],
        ["IO"] = [],
        ["Data"] = ["IO"],
        ["Data.Sets"] = ["Data", "IO"],
        ["Device"] = ["IO"],
        ["Graph"] = ["Device"],
        ["Layers"] = ["Device", "Graph"],
        ["Models"] = ["Graph", "Layers"],
        ["Reports"] = ["IO"],
        ["Export"] = ["Graph", "IO"],
        ["Training"] = ["Data", "Device", "Export", "Graph", "IO", "Layers", "Models", "Reports"],
    };

    private static readonly Assembly Library = typeof(SlttException).Assembly;

    [Test]
    public void Compiled_code_uses_only_what_lies_below()
    {
        List<string> forbidden = [];
        foreach (Type type in Library.GetTypes().Where(IsOurs))
        {
            string from = NamespaceOf(type);
            foreach (Type used in TypeReferences.Of(type).Where(t => t.Assembly == Library && IsOurs(t)))
            {
                AddIfForbidden(forbidden, from, NamespaceOf(used), $"{type} uses {used}");
            }
        }

        Assert.That(forbidden.Distinct(), Is.Empty);
    }

    /// <summary>Names that leave no trace in compiled code, as constants and nameof do, are in the source.</summary>
    [Test]
    public void Source_names_only_what_lies_below()
    {
        List<string> forbidden = [];
        foreach (string file in Sources())
        {
            string from = FolderOf(file);
            string code = Comment().Replace(Text(file), string.Empty);
            foreach (Match match in Mention().Matches(code))
            {
                string used = match.Groups[1].Value;
                used = Permitted.ContainsKey(used) ? used : used.Split('.')[0];
                AddIfForbidden(forbidden, from, used, $"{file}: {match.Value}");
            }
        }

        Assert.That(forbidden.Distinct(), Is.Empty);
    }

    /// <summary>A use that only a method's code shows is seen, and so is one in a lambda.</summary>
    [Test]
    public void Uses_in_code_are_seen()
    {
        Type[] closure = typeof(Probe).GetNestedTypes(BindingFlags.NonPublic);
        Assert.That(TypeReferences.Of(typeof(Probe)), Does.Contain(typeof(SlttEngine.Data.Sets.DataSets)));
        Assert.That(closure.SelectMany(TypeReferences.Of), Does.Contain(typeof(SlttEngine.Models.ModelCatalog)));
        List<string> forbidden = [];
        AddIfForbidden(forbidden, "Device", "Graph", "a layer in the device");
        AddIfForbidden(forbidden, "Graph", "Device", "an allowed arrow");
        Assert.That(forbidden, Has.Count.EqualTo(1));
    }

    [Test]
    public void A_folder_is_a_namespace()
    {
        foreach (string file in Sources())
        {
            string declared = Declaration().Match(Text(file)).Groups[1].Value;
            string folder = FolderOf(file);
            Assert.That(declared, Is.EqualTo(folder.Length == 0 ? "SlttEngine" : "SlttEngine." + folder).Or.Empty, file);
            Assert.That(Permitted, Does.ContainKey(folder), file);
        }
    }

    [Test]
    public void There_is_no_circle()
    {
        HashSet<string> placed = [];
        while (Permitted.FirstOrDefault(p => !placed.Contains(p.Key) && p.Value.All(placed.Contains)) is { Key: not null } next)
        {
            placed.Add(next.Key);
        }

        Assert.That(Permitted.Keys.Except(placed), Is.Empty);
    }

    [Test]
    public void The_page_about_the_layout_has_the_same_table()
    {
        string[] rows = [
            .. File.ReadAllLines(Path.Combine(SourceTree.Root, "docs", "internals", "layout.md")).Where(l => Row().IsMatch(l))];
        string[] expected = [
            .. Permitted.Where(p => p.Key.Length > 0).Select(
            p => $"{p.Key} < {(p.Value.Length == 0 ? "nothing" : string.Join(", ", p.Value))}")];
        string[] written = [
            .. rows.Select(r => Row().Match(r)).Select(
            m => $"{m.Groups[1].Value} < {m.Groups[2].Value.Replace("`", string.Empty, StringComparison.Ordinal)}")];
        Assert.That(written, Is.EquivalentTo(expected));
    }

    private static void AddIfForbidden(List<string> forbidden, string from, string used, string what)
    {
        if (used.Length > 0 && used != from && !Permitted[from].Contains(used))
        {
            forbidden.Add($"{from} must not use {used}: {what}");
        }
    }

    private static bool IsOurs(Type type) => type.Namespace?.StartsWith("SlttEngine", StringComparison.Ordinal) == true;

    private static string NamespaceOf(Type type) => type.Namespace == "SlttEngine" ? string.Empty : type.Namespace!["SlttEngine.".Length..];

    private static IEnumerable<string> Sources() =>
        SourceTree.Files(".cs").Where(f => f.StartsWith("src/SlttEngine/", StringComparison.Ordinal));

    private static string Text(string file) => File.ReadAllText(Path.Combine(SourceTree.Root, file));

    private static string FolderOf(string file) =>
        Path.GetDirectoryName(file)!["src/SlttEngine".Length..].Trim('/', '\\').Replace('/', '.').Replace('\\', '.');

    private static class Probe
    {
        public static int Count() => SlttEngine.Data.Sets.DataSets.All.Count;

        public static Func<int> Lambda() => () => SlttEngine.Models.ModelCatalog.All.Count;
    }

    [GeneratedRegex(@"\bSlttEngine\.((?:Device|Graph|Layers|Models|Reports|Training|Data|IO|Cli)(?:\.[A-Z]\w+)?)")]
    private static partial Regex Mention();

    [GeneratedRegex(@"//.*$", RegexOptions.Multiline)]
    private static partial Regex Comment();

    [GeneratedRegex(@"^namespace ([\w.]+)", RegexOptions.Multiline)]
    private static partial Regex Declaration();

    [GeneratedRegex(@"^\| `([\w.]+)` \| ((?:`[\w.]+`(?:, )?)+|nothing) \|")]
    private static partial Regex Row();
}
