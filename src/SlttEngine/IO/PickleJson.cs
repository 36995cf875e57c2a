using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Numerics;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace SlttEngine.IO;

/// <summary>Plain pickled values as JSON and back: how a checkpoint's settings travel in a safetensors file's metadata.</summary>
/// <remarks>
/// A float keeps a point or an exponent, so that it stays a float: 1.0, not 1. Floats that JSON has not are the texts "NaN", "Infinity" and
/// "-Infinity". A tuple becomes a list; a NumPy number, and a tensor or array of one element, become that number.
/// </remarks>
internal static class PickleJson
{
    private const int MaxDepth = 32;
    private const int MaxLength = 1 << 24;
    private const string NotANumber = "NaN", Infinity = "Infinity", MinusInfinity = "-Infinity";

    /// <summary>The JSON text, spaced as Python's json.dumps does it.</summary>
    /// <param name="value">null, bool, long, double, string, list, tuple or dict.</param>
    /// <param name="path">The file, for errors.</param>
    /// <param name="json">The text.</param>
    /// <param name="problem">What else is inside, such as an object of a program's class: then there is no text.</param>
    /// <exception cref="SlttException">It is nested too deep, or too large.</exception>
    internal static bool TryToJson(object? value, string path, out string json, [NotNullWhen(false)] out string? problem)
    {
        StringBuilder text = new StringBuilder();
        (json, problem) = (string.Empty, null);
        try
        {
            Write(text, value, path, 0);
            json = text.ToString();
            return true;
        }
        catch (PickleFormatException e)
        {
            problem = e.Message;
            return false;
        }
    }

    /// <summary>The value of a JSON text: numbers without point or exponent are long, lists are List, objects are PickleDict.</summary>
    /// <exception cref="SlttException">The text is not JSON.</exception>
    internal static object? FromJson(string json, string path, string what)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = MaxDepth + 1 });
            return Read(document.RootElement);
        }
        catch (Exception e) when (e is JsonException or FormatException or InvalidOperationException)
        {
            throw FileErrors.Bad(path, $"{what} is not valid JSON", cause: e);
        }
    }

    /// <summary>A float as Python's repr writes it.</summary>
    internal static string Float(double value)
    {
        string text = value.ToString("R", CultureInfo.InvariantCulture).Replace('E', 'e');
        return text.AsSpan().IndexOfAny('.', 'e') >= 0 || !double.IsFinite(value) ? text : text + ".0";
    }

    private static string Quoted(string text) => JsonValue.Create(text).ToJsonString();

    private static void Write(StringBuilder text, object? value, string path, int depth)
    {
        if (depth > MaxDepth || text.Length > MaxLength)
        {
            throw FileErrors.Bad(path, "the settings in the checkpoint are nested too deep or too large");
        }

        switch (value)
        {
            case null:
                text.Append("null");
                break;
            case bool flag:
                text.Append(flag ? "true" : "false");
                break;
            case long or BigInteger:
                text.Append(CultureInfo.InvariantCulture, $"{value}");
                break;
            case double number:
                text.Append(double.IsFinite(number) ? Float(number)
                    : $"\"{(double.IsNaN(number) ? NotANumber : number > 0 ? Infinity : MinusInfinity)}\"");
                break;
            case string plain:
                text.Append(Quoted(plain));
                break;
            case PickleDict dict:
                text.Append('{');
                string comma = "";
                foreach ((object key, object? item) in dict)
                {
                    string name = key is string or long ? Convert.ToString(key, CultureInfo.InvariantCulture)!
                        : throw new PickleFormatException("a key that is neither text nor an integer");
                    text.Append(comma).Append(Quoted(name)).Append(": ");
                    Write(text, item, path, depth + 1);
                    comma = ", ";
                }

                text.Append('}');
                break;
            case PickleOpaque unknown:
                throw new PickleFormatException($"an object of {unknown.Name}");
            case PickleGlobal named:
                throw new PickleFormatException($"the name {named.FullName}");
            case PthTensor or NumpyArray:
                Write(text, PickleNumber.TryRead(value, path, out object? single) ? single
                    : throw new PickleFormatException("a tensor or array of more than one number"), path, depth);
                break;
            default:
                IReadOnlyList<object?> items = PickleValues.Items(value)
                    ?? throw new PickleFormatException("something that is neither text, number, list nor dictionary");
                text.Append('[');
                for (int i = 0; i < items.Count; i++)
                {
                    text.Append(i > 0 ? ", " : "");
                    Write(text, items[i], path, depth + 1);
                }

                text.Append(']');
                break;
        }
    }

    private static object? Read(JsonElement element)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.True:
                return true;
            case JsonValueKind.False:
                return false;
            case JsonValueKind.String:
                return element.GetString() switch
                {
                    NotANumber => double.NaN,
                    Infinity => double.PositiveInfinity,
                    MinusInfinity => double.NegativeInfinity,
                    string plain => plain,
                    null => null,
                };
            case JsonValueKind.Number:
                string text = element.GetRawText();

                // As objects: the common type of both would be double.
                return text.AsSpan().IndexOfAny('.', 'e', 'E') < 0 && element.TryGetInt64(out long integer) ? (object)integer
                    : element.GetDouble();
            case JsonValueKind.Array:
                List<object?> list = new List<object?>();
                foreach (JsonElement item in element.EnumerateArray())
                {
                    list.Add(Read(item));
                }

                return list;
            case JsonValueKind.Object:
                PickleDict dict = new PickleDict();
                foreach (JsonProperty property in element.EnumerateObject())
                {
                    dict.Set(property.Name, Read(property.Value));
                }

                return dict;
            default:
                return null;
        }
    }
}
