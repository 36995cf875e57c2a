using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;

namespace SlttEngine.IO;

/// <summary>
/// Writes the zip format of torch.save: a pickle (protocol 2) of plain containers whose tensors point into stored entries.
/// <c>torch.load</c> of PyTorch 1.6 and later reads it.
/// </summary>
internal static class PthWriter
{
    private const string Root = "archive/";

    /// <summary>Writes <paramref name="value"/> in one piece (see <see cref="AtomicFile"/>).</summary>
    /// <param name="path">The file to make or replace.</param>
    /// <param name="value">
    /// null, bool, long, double, string, List (list), object?[] (tuple), <see cref="PickleDict"/> and <see cref="NamedTensor"/>, nested.
    /// </param>
    /// <exception cref="SlttException">A tensor's type is unknown to torch, or the file cannot be written.</exception>
    internal static void Write(string path, object? value)
    {
        using Pickler pickler = new Pickler();
        pickler.Save(value);
        byte[] pickle = pickler.Finish();
        AtomicFile.Write(path, stream =>
        {
            using ZipArchive zip = new ZipArchive(stream, ZipArchiveMode.Create, leaveOpen: true);
            Add(zip, "data.pkl", pickle);
            for (int i = 0; i < pickler.Tensors.Count; i++)
            {
                Add(zip, $"data/{i}", pickler.Tensors[i].Bytes);
            }

            Add(zip, "version", "3\n"u8);
        });
    }

    private static void Add(ZipArchive zip, string name, ReadOnlySpan<byte> content)
    {
        ZipArchiveEntry entry = zip.CreateEntry(Root + name, CompressionLevel.NoCompression);
        entry.LastWriteTime = new DateTimeOffset(1980, 1, 1, 0, 0, 0, TimeSpan.Zero);  // same content, same bytes
        using Stream stream = entry.Open();
        stream.Write(content);
    }

    private sealed class Pickler : IDisposable
    {
        private readonly MemoryStream output = new();

        internal Pickler() => output.Write([0x80, 2]);

        /// <summary>The tensors in the order of their keys.</summary>
        internal List<NamedTensor> Tensors { get; } = [];

        public void Dispose() => output.Dispose();

        internal byte[] Finish()
        {
            Op('.');
            return output.ToArray();
        }

        internal void Save(object? value)
        {
            switch (value)
            {
                case null:
                    Op('N');
                    break;
                case bool flag:
                    Op(flag ? '\x88' : '\x89');
                    break;
                case long number:
                    SaveInteger(number);
                    break;
                case double number:
                    Op('G');
                    Span<byte> bits = stackalloc byte[8];
                    BinaryPrimitives.WriteDoubleBigEndian(bits, number);
                    output.Write(bits);
                    break;
                case string text:
                    SaveText(text);
                    break;
                case object?[] tuple:
                    Op('(');
                    foreach (object? item in tuple)
                    {
                        Save(item);
                    }

                    Op('t');
                    break;
                case List<object?> list:
                    Op(']');
                    Op('(');
                    foreach (object? item in list)
                    {
                        Save(item);
                    }

                    Op('e');
                    break;
                case PickleDict dict:
                    SaveDict(dict);
                    break;
                case NamedTensor tensor:
                    SaveTensor(tensor);
                    break;
                default:
                    throw new ArgumentException($"{value.GetType()} cannot be written to a .pth file");
            }
        }

        private void SaveInteger(long number)
        {
            if (number is >= int.MinValue and <= int.MaxValue)
            {
                Op('J');
                Span<byte> narrow = stackalloc byte[4];
                BinaryPrimitives.WriteInt32LittleEndian(narrow, (int)number);
                output.Write(narrow);
                return;
            }

            Op('\x8a');
            output.WriteByte(8);
            Span<byte> wide = stackalloc byte[8];
            BinaryPrimitives.WriteInt64LittleEndian(wide, number);
            output.Write(wide);
        }

        private void SaveText(string text)
        {
            byte[] bytes = Encoding.UTF8.GetBytes(text);
            Op('X');
            Span<byte> length = stackalloc byte[4];
            BinaryPrimitives.WriteInt32LittleEndian(length, bytes.Length);
            output.Write(length);
            output.Write(bytes);
        }

        private void SaveDict(PickleDict dict)
        {
            if (dict.Ordered)
            {
                SaveGlobal("collections", "OrderedDict");
                Op(')');
                Op('R');
            }
            else
            {
                Op('}');
            }

            Op('(');
            foreach ((object key, object? item) in dict)
            {
                Save(key);
                Save(item);
            }

            Op('u');
        }

        /// <summary>_rebuild_tensor_v2(storage, offset, size, stride, requires_grad, backward_hooks).</summary>
        private void SaveTensor(NamedTensor tensor)
        {
            string storage = PthReader.StorageName(tensor.Type)
                ?? throw new SlttException(
                    ErrorKind.Data, $"tensor {tensor.Name}: PyTorch has no {TensorTypes.Name(tensor.Type)}", "write safetensors instead");
            object?[] strides = new object?[tensor.Shape.Length];
            long step = 1;
            for (int d = strides.Length - 1; d >= 0; d--)
            {
                strides[d] = step;
                step *= Math.Max(tensor.Shape[d], 1);
            }

            SaveGlobal("torch._utils", "_rebuild_tensor_v2");
            Op('(');
            Op('(');
            SaveText("storage");
            SaveGlobal("torch", storage);
            SaveText(Tensors.Count.ToString(System.Globalization.CultureInfo.InvariantCulture));
            SaveText("cpu");
            SaveInteger(tensor.Count);
            Op('t');
            Op('Q');
            SaveInteger(0);
            Save(Array.ConvertAll(tensor.Shape, size => (object?)size));
            Save(strides);
            Save(false);
            SaveGlobal("collections", "OrderedDict");
            Op(')');
            Op('R');
            Op('t');
            Op('R');
            Tensors.Add(tensor);
        }

        private void SaveGlobal(string module, string name)
        {
            Op('c');
            output.Write(Encoding.ASCII.GetBytes($"{module}\n{name}\n"));
        }

        private void Op(char opcode) => output.WriteByte((byte)opcode);
    }
}
