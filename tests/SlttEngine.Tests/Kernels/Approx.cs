using SlttEngine.Device;
using SlttEngine.Tests.Dnn;

namespace SlttEngine.Tests.Kernels;

/// <summary>
/// A number in double, and how far float arithmetic that does the same steps may end up from it: each operation adds half a
/// unit in the last place to what its operands' errors become. So a reference that is written with it, naively, brings its
/// own tolerance. (Running error analysis: Higham, Accuracy and Stability of Numerical Algorithms, 2002, section 3.3.)
/// </summary>
internal readonly record struct Approx(double Value, double Error)
{
    /// <summary>
    /// Float roundings that a kernel's sum may make: chunks of 32 terms, then at most as many chunks or threads before it goes
    /// on in double.
    /// </summary>
    public const double SumRoundings = 64;

    /// <summary>Float results may also be subnormal.</summary>
    private const double Smallest = 1.5e-45;

    public static implicit operator Approx(double exact) => new(exact, 0);

    public static Approx operator +(Approx a, Approx b) => Rounded(a.Value + b.Value, a.Error + b.Error);

    public static Approx operator -(Approx a, Approx b) => Rounded(a.Value - b.Value, a.Error + b.Error);

    public static Approx operator *(Approx a, Approx b) =>
        Rounded(a.Value * b.Value, (Math.Abs(a.Value) * b.Error) + (Math.Abs(b.Value) * a.Error) + (a.Error * b.Error));

    public static Approx operator /(Approx a, Approx b)
    {
        double value = a.Value / b.Value;
        return Rounded(value, (a.Error + (Math.Abs(value) * b.Error)) / (Math.Abs(b.Value) - b.Error));
    }

    /// <summary>The same with a relative error of so many float roundings more: a function that is that exact.</summary>
    public Approx Roundings(double count) => new(Value, Error + (count * Numbers.FloatRounding * (Math.Abs(Value) + Error)) + Smallest);

    /// <summary>As memory of a type holds it.</summary>
    public Approx As(ComputeType type) => type == ComputeType.Float32
        ? this
        : new(Value, Error + (Numbers.Rounding(type) * (Math.Abs(Value) + Error)) + Numbers.Underflow(type));

    /// <summary>Sum in a kernel's order, whichever it is.</summary>
    public static Approx Sum(IEnumerable<Approx> terms)
    {
        double value = 0, error = 0, magnitude = 0;
        foreach (Approx term in terms)
        {
            value += term.Value;
            error += term.Error;
            magnitude += Math.Abs(term.Value);
        }

        return new(value, error + (SumRoundings * Numbers.FloatRounding * (magnitude + error)));
    }

    /// <summary>True if the number is within the bound; never for NaN.</summary>
    public bool Admits(double actual) => Math.Abs(actual - Value) <= Error * 1.001;

    private static Approx Rounded(double value, double error) => new Approx(value, error).Roundings(1);
}
