using System.Security.Cryptography;

namespace KTls.Handshake.Crypto;

/// <summary>A secret that the garbage collector never copies and that is zeroed on dispose.</summary>
internal sealed class SecretBytes : IDisposable
{
    private readonly byte[] _bytes;
    private bool _isDisposed;

    public SecretBytes(int length) => _bytes = GC.AllocateUninitializedArray<byte>(length, pinned: true);

    public SecretBytes(ReadOnlySpan<byte> value)
        : this(value.Length) => value.CopyTo(_bytes);

    /// <exception cref="ObjectDisposedException">The secret is gone: its zeros must not pass for one.</exception>
    public Span<byte> Span
    {
        get
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            return _bytes;
        }
    }

    public void Dispose()
    {
        _isDisposed = true;
        CryptographicOperations.ZeroMemory(_bytes);
    }

    /// <summary>Says nothing of the content.</summary>
    public override string ToString() => $"{_bytes.Length} secret bytes";
}
