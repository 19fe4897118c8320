using System.Security.Cryptography;

namespace KTls.Handshake.Crypto;

/// <summary>A secret that the garbage collector never copies and that is zeroed on dispose.</summary>
internal sealed class SecretBytes : IDisposable
{
    // Pinned memory has a heap of its own with a lock and a free list, and a handshake needs a dozen secrets: so they are cut from
    // larger pieces, each byte used once. A piece is collected when the last of its secrets is.
    private const int PieceLength = 4096;
    private const int Alignment = 16;

    [ThreadStatic]
    private static byte[]? t_piece;

    [ThreadStatic]
    private static int t_used;

    private readonly byte[] _piece;
    private readonly int _start;
    private readonly int _length;
    private bool _isDisposed;

    public SecretBytes(int length)
    {
        _length = length;
        if (length > PieceLength / 4)
        {
            _piece = GC.AllocateUninitializedArray<byte>(length, pinned: true);
            return;
        }

        if (t_piece is null || PieceLength - t_used < length)
        {
            t_piece = GC.AllocateUninitializedArray<byte>(PieceLength, pinned: true);
            t_used = 0;
        }

        _piece = t_piece;
        _start = t_used;
        t_used += (length + Alignment - 1) / Alignment * Alignment;
    }

    public SecretBytes(ReadOnlySpan<byte> value)
        : this(value.Length) => value.CopyTo(Span);

    private SecretBytes(byte[] own)
    {
        _piece = own;
        _length = own.Length;
    }

    /// <exception cref="ObjectDisposedException">The secret is gone: its zeros must not pass for one.</exception>
    public Span<byte> Span
    {
        get
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            return _piece.AsSpan(_start, _length);
        }
    }

    /// <summary>
    /// A secret that outlives the handshake. It has memory of its own: in a shared piece it would keep what the whole handshake has
    /// used for as long as it lives.
    /// </summary>
    public static SecretBytes Lasting(int length) => new(GC.AllocateUninitializedArray<byte>(length, pinned: true));

    /// <inheritdoc cref="Lasting(int)"/>
    public static SecretBytes Lasting(ReadOnlySpan<byte> value)
    {
        SecretBytes secret = Lasting(value.Length);
        value.CopyTo(secret.Span);
        return secret;
    }

    public void Dispose()
    {
        _isDisposed = true;
        CryptographicOperations.ZeroMemory(_piece.AsSpan(_start, _length));
    }

    /// <summary>Says nothing of the content.</summary>
    public override string ToString() => $"{_length} secret bytes";
}
