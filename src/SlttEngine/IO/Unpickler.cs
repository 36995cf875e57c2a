using System.Buffers.Binary;
using System.Globalization;
using System.Numerics;
using System.Text;

namespace SlttEngine.IO;

/// <summary>
/// Reads Python pickles, protocols 0 to 5, without running anything: it builds None, bool, int, float, text, bytes, list, tuple and dict,
/// and calls only what the caller lists by name. Every other name is refused, or becomes a <see cref="PickleOpaque"/>: a name alone.
/// </summary>
/// <remarks>
/// Values: null, bool, long or BigInteger, double, string, byte[] (bytes and Python 2 strings), List&lt;object?&gt;,
/// object?[] (tuple), <see cref="PickleDict"/>. Format: the comments of Python's pickletools.
/// </remarks>
internal sealed class Unpickler
{
    private static readonly object Mark = new();

    private readonly string path;
    private readonly Stream stream;
    private readonly IReadOnlyDictionary<string, PickleCallable> globals;
    private readonly Func<object?, object?>? persistent;
    private readonly bool opaque;
    private readonly List<object?> stack = [];
    private readonly Dictionary<long, object?> memo = [];

    private Unpickler(
        string path, Stream stream, IReadOnlyDictionary<string, PickleCallable> globals, Func<object?, object?>? persistent, bool opaque)
    {
        this.path = path;
        this.opaque = opaque;
        this.stream = stream;
        this.globals = globals;
        this.persistent = persistent;
    }

    /// <summary>Reads one pickle from the stream's position on; the stream is left behind its end.</summary>
    /// <param name="path">Named in errors.</param>
    /// <param name="stream">Must know its length, so that no claimed size is believed beyond it.</param>
    /// <param name="globals">What <c>module.name</c> may be, and what it does.</param>
    /// <param name="persistent">Gives the object of a persistent id; null: refused.</param>
    /// <param name="opaque">An object of an unknown name becomes a <see cref="PickleOpaque"/>; else the name is refused.</param>
    /// <exception cref="SlttException">The pickle is malformed, cut off, or wants something that is not allowed.</exception>
    internal static object? Load(
        string path,
        Stream stream,
        IReadOnlyDictionary<string, PickleCallable> globals,
        Func<object?, object?>? persistent = null,
        bool opaque = false)
    {
        try
        {
            return new Unpickler(path, stream, globals, persistent, opaque).Run();
        }
        catch (PickleFormatException e)
        {
            throw FileErrors.Bad(path, $"not a readable pickle: {e.Message}", cause: e);
        }
        catch (EndOfStreamException e)
        {
            throw FileErrors.Bad(path, "the pickle ends too early: truncated?", cause: e);
        }
    }

    private object? Run()
    {
        while (true)
        {
            int opcode = Byte();
            switch ((char)opcode)
            {
                case '\x80':  // PROTO
                    if (Byte() > 5)
                    {
                        throw new PickleFormatException("an unknown protocol");
                    }

                    break;
                case '\x95':  // FRAME: a hint for buffering
                    UInt64();
                    break;
                case '.':  // STOP
                    object? result = Pop();
                    return stack.Count == 0 ? result : throw new PickleFormatException("values are left over");
                default:
                    if (!Scalar((char)opcode) && !Container((char)opcode) && !Memo((char)opcode) && !Object((char)opcode))
                    {
                        throw new PickleFormatException($"opcode 0x{opcode:x2} is not allowed");
                    }

                    break;
            }
        }
    }

    private bool Scalar(char opcode)
    {
        switch (opcode)
        {
            case 'N':  // NONE
                Push(null);
                return true;
            case '\x88':  // NEWTRUE
                Push(true);
                return true;
            case '\x89':  // NEWFALSE
                Push(false);
                return true;
            case 'I':  // INT: decimal, or 00 and 01 for the booleans
                string text = Line();
                Push(text switch { "00" => false, "01" => true, _ => Decimal(text) });
                return true;
            case 'L':  // LONG: decimal with an L
                Push(Decimal(Line().TrimEnd('L')));
                return true;
            case 'J':  // BININT
                Push((long)BinaryPrimitives.ReadInt32LittleEndian(Bytes(4)));
                return true;
            case 'K':  // BININT1
                Push((long)Byte());
                return true;
            case 'M':  // BININT2
                Push((long)BinaryPrimitives.ReadUInt16LittleEndian(Bytes(2)));
                return true;
            case '\x8a':  // LONG1
                Push(TwosComplement(Bytes(Byte())));
                return true;
            case '\x8b':  // LONG4
                Push(TwosComplement(Bytes(Int32())));
                return true;
            case 'F':  // FLOAT
                Push(double.TryParse(Line(), NumberStyles.Float, CultureInfo.InvariantCulture, out double number)
                    ? number : throw new PickleFormatException("a malformed float"));
                return true;
            case 'G':  // BINFLOAT
                Push(BinaryPrimitives.ReadDoubleBigEndian(Bytes(8)));
                return true;
            case 'S':  // STRING: a quoted Python 2 string
                Push(Quoted(Line()));
                return true;
            case 'T':  // BINSTRING
                Push(Bytes(Int32()));
                return true;
            case 'U' or 'C':  // SHORT_BINSTRING, SHORT_BINBYTES
                Push(Bytes(Byte()));
                return true;
            case 'B':  // BINBYTES
                Push(Bytes(UInt32()));
                return true;
            case '\x8e' or '\x96':  // BINBYTES8, BYTEARRAY8
                Push(Bytes(UInt64()));
                return true;
            case 'V':  // UNICODE: only plain characters; escapes never occur in keys and names
                string plain = Line();
                Push(plain.Contains('\\') ? throw new PickleFormatException("an escaped text of protocol 0") : plain);
                return true;
            case '\x8c':  // SHORT_BINUNICODE
                Push(Utf8(Bytes(Byte())));
                return true;
            case 'X':  // BINUNICODE
                Push(Utf8(Bytes(UInt32())));
                return true;
            case '\x8d':  // BINUNICODE8
                Push(Utf8(Bytes(UInt64())));
                return true;
            default:
                return false;
        }
    }

    private bool Container(char opcode)
    {
        switch (opcode)
        {
            case '(':  // MARK
                stack.Add(Mark);
                return true;
            case '0':  // POP
                if (stack.Count == 0)
                {
                    throw new PickleFormatException("the stack is empty");
                }

                stack.RemoveAt(stack.Count - 1);
                return true;
            case '1':  // POP_MARK
                PopMark();
                return true;
            case '2':  // DUP
                Push(Peek());
                return true;
            case ')':  // EMPTY_TUPLE
                Push(Array.Empty<object?>());
                return true;
            case 't':  // TUPLE
                Push(PopMark());
                return true;
            case '\x85' or '\x86' or '\x87':  // TUPLE1, TUPLE2, TUPLE3
                object?[] tuple = new object?[opcode - '\x84'];
                for (int i = tuple.Length - 1; i >= 0; i--)
                {
                    tuple[i] = Pop();
                }

                Push(tuple);
                return true;
            case ']':  // EMPTY_LIST
                Push(new List<object?>());
                return true;
            case 'l':  // LIST
                Push(new List<object?>(PopMark()));
                return true;
            case 'a':  // APPEND
                object? item = Pop();
                AddItems([item]);
                return true;
            case 'e':  // APPENDS
                AddItems(PopMark());
                return true;
            case '\x8f' when opaque:  // EMPTY_SET
                Push(new PickleOpaque("set"));
                return true;
            case '\x90' when opaque:  // ADDITEMS
                PopMark();
                Target<PickleOpaque>();
                return true;
            case '\x91' when opaque:  // FROZENSET
                PopMark();
                Push(new PickleOpaque("frozenset"));
                return true;
            case '}':  // EMPTY_DICT
                Push(new PickleDict());
                return true;
            case 'd':  // DICT
                object?[] pairs = PopMark();
                Push(new PickleDict());
                SetItems(pairs);
                return true;
            case 's':  // SETITEM
                object? value = Pop();
                object? key = Pop();
                SetItems([key, value]);
                return true;
            case 'u':  // SETITEMS
                SetItems(PopMark());
                return true;
            default:
                return false;
        }
    }

    private bool Memo(char opcode)
    {
        switch (opcode)
        {
            case 'p':  // PUT
                memo[Index(Line())] = Peek();
                return true;
            case 'q':  // BINPUT
                memo[Byte()] = Peek();
                return true;
            case 'r':  // LONG_BINPUT
                memo[UInt32()] = Peek();
                return true;
            case '\x94':  // MEMOIZE
                memo[memo.Count] = Peek();
                return true;
            case 'g':  // GET
                Push(Recall(Index(Line())));
                return true;
            case 'h':  // BINGET
                Push(Recall(Byte()));
                return true;
            case 'j':  // LONG_BINGET
                Push(Recall(UInt32()));
                return true;
            default:
                return false;
        }
    }

    private bool Object(char opcode)
    {
        switch (opcode)
        {
            case 'c':  // GLOBAL
                string module = Line();
                Push(Global(module, Line()));
                return true;
            case '\x93':  // STACK_GLOBAL
                string? name = Pop() as string;
                string? from = Pop() as string;
                Push(from is not null && name is not null ? Global(from, name)
                    : throw new PickleFormatException("a name that is not text"));
                return true;
            case '\x92' when !opaque:
                return false;
            case 'R' or '\x81' or '\x92':  // REDUCE, NEWOBJ, NEWOBJ_EX: call with a tuple, and a dictionary of named arguments
                if (opcode == '\x92')
                {
                    Pop();
                }

                object?[] arguments = Pop() as object?[] ?? throw new PickleFormatException("arguments that are not a tuple");
                Push(Call(Pop(), arguments));
                return true;
            case 'b':  // BUILD
                object? state = Pop();
                Build(Target<IPickleBuildable>(), state);
                return true;
            case 'Q':  // BINPERSID
                object? id = Pop();
                Push(persistent is null ? throw new PickleFormatException("a persistent id is not allowed here") : persistent(id));
                return true;
            default:
                return false;
        }
    }

    private PickleGlobal Global(string module, string name)
    {
        string full = $"{Printable(module)}.{Printable(name)}";
        return globals.TryGetValue($"{module}.{name}", out PickleCallable? call) ? new PickleGlobal(module, name, call)
            : opaque ? new PickleGlobal(Printable(module), Printable(name), _ => new PickleOpaque(full))
            : throw FileErrors.Bad(path, $"refused: the file asks for {full}; only tensors and plain containers are read");
    }

    private static object? Call(object? callable, object?[] arguments)
    {
        if (callable is PickleOpaque)
        {
            return callable;
        }

        PickleGlobal name = callable as PickleGlobal ?? throw new PickleFormatException("a call of something that is not a name");
        try
        {
            return name.Call(arguments);
        }
        catch (PickleFormatException e)
        {
            throw new PickleFormatException($"{name.FullName}: {e.Message}");
        }
    }

    /// <summary>Sets an object's state. Where unknown objects are allowed, one whose state can't be is unknown too.</summary>
    private void Build(IPickleBuildable target, object? state)
    {
        try
        {
            target.Build(state);
        }
        catch (PickleFormatException) when (opaque)
        {
            PickleOpaque unknown = new PickleOpaque(target.GetType().Name);
            stack[^1] = unknown;
            foreach (long index in memo.Where(m => ReferenceEquals(m.Value, target)).Select(m => m.Key).ToList())
            {
                memo[index] = unknown;
            }
        }
    }

    private void AddItems(object?[] items)
    {
        if (Peek() is not PickleOpaque)
        {
            Target<List<object?>>().AddRange(items);
        }
    }

    private void SetItems(object?[] pairs)
    {
        if (pairs.Length % 2 != 0)
        {
            throw new PickleFormatException("a key without a value");
        }

        if (Peek() is PickleOpaque)
        {
            return;
        }

        PickleDict dict = Target<PickleDict>();
        for (int i = 0; i < pairs.Length; i += 2)
        {
            dict.Set(pairs[i], pairs[i + 1]);
        }
    }

    // ---- Stack ------------------------------------------------------------------------------------------------------

    private void Push(object? value) => stack.Add(value);

    private object? Peek() => stack.Count > 0 && !ReferenceEquals(stack[^1], Mark) ? stack[^1]
        : throw new PickleFormatException("the stack is empty");

    private object? Pop()
    {
        object? value = Peek();
        stack.RemoveAt(stack.Count - 1);
        return value;
    }

    private object?[] PopMark()
    {
        int mark = stack.LastIndexOf(Mark);
        if (mark < 0)
        {
            throw new PickleFormatException("a mark is missing");
        }

        object?[] items = [.. stack[(mark + 1)..]];
        stack.RemoveRange(mark, stack.Count - mark);
        return items;
    }

    private T Target<T>()
        where T : class => Peek() as T ?? throw new PickleFormatException("items or state for an object that takes none");

    private object? Recall(long index) => memo.TryGetValue(index, out object? value) ? value
        : throw new PickleFormatException("a memo entry is missing");

    // ---- Bytes ------------------------------------------------------------------------------------------------------

    private int Byte()
    {
        int value = stream.ReadByte();
        return value >= 0 ? value : throw new EndOfStreamException();
    }

    private byte[] Bytes(long count)
    {
        if (count < 0)
        {
            throw new PickleFormatException("a negative length");
        }

        if (count > stream.Length - stream.Position || count > Array.MaxLength)
        {
            throw new EndOfStreamException();
        }

        byte[] bytes = GC.AllocateUninitializedArray<byte>((int)count);
        stream.ReadExactly(bytes);
        return bytes;
    }

    private int Int32() => BinaryPrimitives.ReadInt32LittleEndian(Bytes(4));

    private long UInt32() => BinaryPrimitives.ReadUInt32LittleEndian(Bytes(4));

    private long UInt64()
    {
        ulong value = BinaryPrimitives.ReadUInt64LittleEndian(Bytes(8));
        return value <= long.MaxValue ? (long)value : throw new EndOfStreamException();
    }

    private string Line()
    {
        StringBuilder text = new StringBuilder();
        for (int c = Byte(); c != '\n'; c = Byte())
        {
            if (text.Length == 4096)
            {
                throw new PickleFormatException("a line of more than 4096 characters");
            }

            text.Append((char)c);
        }

        return text.ToString().TrimEnd('\r');
    }

    private static long Index(string text) => long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long index) ? index
        : throw new PickleFormatException("a malformed memo index");

    private static object Decimal(string text) =>
        long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long small) ? (object)small
        : BigInteger.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out BigInteger big) ? big
        : throw new PickleFormatException("a malformed integer");

    private static object? TwosComplement(byte[] bytes)
    {
        BigInteger value = new BigInteger(bytes);
        return Small(value) is { } small ? small : value;
    }

    private static long? Small(BigInteger value) => value >= long.MinValue && value <= long.MaxValue ? (long)value : null;

    private static string Utf8(byte[] bytes)
    {
        try
        {
            return StrictUtf8.GetString(bytes);
        }
        catch (DecoderFallbackException)
        {
            throw new PickleFormatException("text that is not UTF-8");
        }
    }

    private static readonly UTF8Encoding StrictUtf8 = new(false, throwOnInvalidBytes: true);

    private static byte[] Quoted(string line)
    {
        if (line.Length < 2 || line[0] is not ('\'' or '"') || line[^1] != line[0] || line.Contains('\\'))
        {
            throw new PickleFormatException("a malformed string");
        }

        return Encoding.Latin1.GetBytes(line[1..^1]);
    }

    private static string Printable(string text) => new([.. text.Take(80).Select(c => c is > ' ' and < '\x7f' ? c : '?')]);
}
