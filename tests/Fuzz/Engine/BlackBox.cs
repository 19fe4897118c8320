using System.IO.MemoryMappedFiles;

namespace KTls.Fuzz;

/// <summary>
/// The input under way, in memory that outlives the process: a stack overflow, a fault in native code or a hang leaves no
/// chance to print it.
/// </summary>
internal sealed unsafe class BlackBox : IDisposable
{
    private const int MaxInput = 1 << 20;
    private const int NameLength = 64;
    private const int HeaderLength = sizeof(long) + sizeof(int) + NameLength;

    private readonly MemoryMappedFile _file;
    private readonly MemoryMappedViewAccessor _view;
    private readonly byte* _start;

    public BlackBox(string path)
    {
        _file = MemoryMappedFile.CreateFromFile(path, FileMode.OpenOrCreate, null, HeaderLength + MaxInput);
        _view = _file.CreateViewAccessor();
        _view.SafeMemoryMappedViewHandle.AcquirePointer(ref _start);
    }

    /// <summary>Executions so far.</summary>
    public long Executions => Volatile.Read(ref *(long*)_start);

    public void Record(string target, ReadOnlySpan<byte> input)
    {
        *(int*)(_start + sizeof(long)) = Math.Min(input.Length, MaxInput);
        Span<byte> name = new(_start + sizeof(long) + sizeof(int), NameLength);
        name.Clear();
        System.Text.Encoding.ASCII.GetBytes(target, name);
        input[..Math.Min(input.Length, MaxInput)].CopyTo(new Span<byte>(_start + HeaderLength, MaxInput));
        Volatile.Write(ref *(long*)_start, Executions + 1);
    }

    /// <summary>The last input and its target.</summary>
    public (string Target, byte[] Input) Read()
    {
        ReadOnlySpan<byte> name = new(_start + sizeof(long) + sizeof(int), NameLength);
        int length = *(int*)(_start + sizeof(long));
        return (System.Text.Encoding.ASCII.GetString(name.TrimEnd((byte)0)), new ReadOnlySpan<byte>(_start + HeaderLength, length).ToArray());
    }

    public void Dispose()
    {
        _view.SafeMemoryMappedViewHandle.ReleasePointer();
        _view.Dispose();
        _file.Dispose();
    }
}
