using System.Security.Cryptography;
using KTls.Handshake.Crypto;

namespace KTls.Handshake;

/// <summary>A key that seals session tickets, with the name by which a server finds it again.</summary>
public sealed class TicketKey : IDisposable
{
    /// <summary>Bytes of a key with its name, as <see cref="Export"/> gives them.</summary>
    public const int Size = NameLength + SecretLength;

    internal const int NameLength = 16;
    internal const int SaltLength = 32;
    private const int SecretLength = 32;

    private readonly SecretBytes _bytes;
    private readonly byte[] _name;

    /// <summary>Makes a key of bytes that several servers share.</summary>
    /// <param name="bytes"><see cref="Size"/> bytes from a good random source: a public name of 16 bytes and a secret of 32.</param>
    /// <exception cref="ArgumentException">Not of <see cref="Size"/> bytes.</exception>
    public TicketKey(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length != Size)
        {
            throw new ArgumentException($"A ticket key has {Size} bytes, not {bytes.Length}.", nameof(bytes));
        }

        _bytes = SecretBytes.Lasting(bytes);
        _name = bytes[..NameLength].ToArray();
    }

    /// <summary>No secret, and there for as long as the object.</summary>
    internal ReadOnlySpan<byte> Name => _name;

    /// <summary>Makes a new random key.</summary>
    /// <returns>The key.</returns>
    public static TicketKey Create()
    {
        Span<byte> bytes = stackalloc byte[Size];
        RandomNumberGenerator.Fill(bytes);
        var key = new TicketKey(bytes);
        CryptographicOperations.ZeroMemory(bytes);
        return key;
    }

    /// <summary>The name and the secret, to be shared with other servers in secret.</summary>
    /// <returns><see cref="Size"/> bytes, which the caller zeroes.</returns>
    public byte[] Export() => _bytes.Span.ToArray();

    internal TicketKey Copy() => new(_bytes.Span);

    /// <summary>A key for one ticket: HKDF-Expand without an Extract before it, because the secret is random (RFC 5869 §3.3).</summary>
    /// <param name="salt">What sets the ticket apart: <see cref="SaltLength"/> bytes.</param>
    /// <param name="key">32 bytes, which the caller zeroes.</param>
    /// <exception cref="ObjectDisposedException">The key is gone.</exception>
    internal void Derive(ReadOnlySpan<byte> salt, Span<byte> key)
    {
        ReadOnlySpan<byte> purpose = "KTls session ticket"u8;
        Span<byte> info = stackalloc byte[purpose.Length + SaltLength + 1];
        purpose.CopyTo(info);
        salt.CopyTo(info[purpose.Length..^1]);
        info[^1] = 1;

        // Zeros must not pass for the key.
        lock (_bytes)
        {
            KeyedHmac.Compute(HashAlgorithmName.SHA256, _bytes.Span[NameLength..], info, key);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_bytes)
        {
            _bytes.Dispose();
        }
    }

    /// <summary>Says nothing of the secret.</summary>
    /// <returns>The name in hexadecimal digits.</returns>
    public override string ToString() => $"Ticket key {Convert.ToHexString(Name)}";
}
