namespace KTls.Fuzz.Handshakes;

/// <summary>
/// An input that says what is to happen in a handshake. After its end there are zeros, which stand for what is usual and right:
/// the empty script is a handshake that nobody disturbs.
/// </summary>
internal sealed class Script(ReadOnlySpan<byte> bytes)
{
    private readonly byte[] _bytes = bytes.ToArray();
    private int _next;

    public bool IsAtEnd => _next >= _bytes.Length;

    public byte Next() => _next < _bytes.Length ? _bytes[_next++] : (byte)0;

    public int Next16() => (Next() << 8) | Next();

    public ReadOnlySpan<byte> Take(int count)
    {
        int start = Math.Min(_next, _bytes.Length);
        _next = Math.Min(start + count, _bytes.Length);
        return _bytes.AsSpan(start, _next - start);
    }
}
