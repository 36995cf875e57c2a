using System.Globalization;
using FsCheck;
using FsCheck.Fluent;
using SlttEngine.Cli.Options;
using SlttEngine.Training;

namespace SlttEngine.Tests.Cli;

public sealed class PythonTextTests
{
    // What Python 3.11 prints for repr() of these.
    [TestCase(0.1, "0.1")]
    [TestCase(1.1, "1.1")]
    [TestCase(5e-5, "5e-05")]
    [TestCase(0.0001, "0.0001")]
    [TestCase(0.00012345, "0.00012345")]
    [TestCase(0.00009999, "9.999e-05")]
    [TestCase(1e-5, "1e-05")]
    [TestCase(1.5e-7, "1.5e-07")]
    [TestCase(0.0, "0.0")]
    [TestCase(-0.0, "-0.0")]
    [TestCase(1.0, "1.0")]
    [TestCase(-2.5, "-2.5")]
    [TestCase(100.0, "100.0")]
    [TestCase(123456.789, "123456.789")]
    [TestCase(1e15, "1000000000000000.0")]
    [TestCase(1e16, "1e+16")]
    [TestCase(1.2345e16, "1.2345e+16")]
    [TestCase(9007199254740993.0, "9007199254740992.0")]
    [TestCase(1e22, "1e+22")]
    [TestCase(1e100, "1e+100")]
    [TestCase(5e-324, "5e-324")]
    [TestCase(1.7976931348623157e308, "1.7976931348623157e+308")]
    [TestCase(0.30000000000000004, "0.30000000000000004")]
    [TestCase(double.PositiveInfinity, "inf")]
    [TestCase(double.NegativeInfinity, "-inf")]
    [TestCase(double.NaN, "nan")]
    public void FloatsReadAsInPython(double value, string expected) => Assert.That(PythonText.Repr(value), Is.EqualTo(expected));

    [Test]
    public void EveryFloatComesBackFromItsText() => Prop.ForAll<double>(value =>
        !double.IsFinite(value)
        || BitConverter.DoubleToInt64Bits(
            double.Parse(PythonText.Repr(value), CultureInfo.InvariantCulture)) == BitConverter.DoubleToInt64Bits(value))
        .QuickCheckThrowOnFailure();

    [TestCase("", "''")]
    [TestCase("./data", "'./data'")]
    [TestCase("it's", "\"it's\"")]
    [TestCase("it's \"it\"", "'it\\'s \"it\"'")]
    [TestCase("a\\b\n", "'a\\\\b\\n'")]
    [TestCase("\u0001", "'\\x01'")]
    public void StringsReadAsInPython(string value, string expected) => Assert.That(PythonText.Repr(value), Is.EqualTo(expected));

    [Test]
    public void EveryStringComesBackFromItsText() => Prop.ForAll<NonNull<string>>(value =>
    {
        string text = value.Get.Replace("\u007f", string.Empty, StringComparison.Ordinal);
        (string Name, string? Value) read = PythonText.ReadNamespace($"Namespace(x={PythonText.Repr(text)}, y=1)")[0];
        return read == ("x", text);
    }).QuickCheckThrowOnFailure();

    [Test]
    public void NamespaceIsReadInOrder()
    {
        IReadOnlyList<(string Name, string? Value)> values = PythonText.ReadNamespace(
            "Namespace(a=1, b='x, y=(2)', c=None, d=True, e=\"it's\", f=5e-05)\n");
        Assert.That(
            values, Is.EqualTo(
            new (string, string?)[] { ("a", "1"), ("b", "x, y=(2)"), ("c", null), ("d", "True"), ("e", "it's"), ("f", "5e-05") }));
    }

    [TestCase("")]
    [TestCase("seed=1")]
    [TestCase("Namespace(seed=1")]
    [TestCase("Namespace(seed)")]
    [TestCase("Namespace(name='abc)")]
    [TestCase("Namespace(name='abc\\')")]
    public void BrokenNamespaceIsRefused(string text) =>
        Assert.That(() => PythonText.ReadNamespace(text), Throws.TypeOf<FormatException>());
}
