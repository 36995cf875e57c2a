using System.Text.Json.Serialization;

namespace SlttEngine.Device;

/// <summary>How files of choices are written. Source-generated: programs may have switched reflection off.</summary>
[JsonSourceGenerationOptions(GenerationMode = JsonSourceGenerationMode.Metadata, WriteIndented = true)]
[JsonSerializable(typeof(Dictionary<string, ConvolutionChoice>), TypeInfoPropertyName = "Convolutions")]
[JsonSerializable(typeof(SortedDictionary<string, ConvolutionChoice>), TypeInfoPropertyName = "SortedConvolutions")]
[JsonSerializable(typeof(Dictionary<string, Dictionary<string, RememberedAlgorithm>>))]
internal sealed partial class ChoicesJson : JsonSerializerContext;
