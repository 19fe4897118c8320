using System.Security.Cryptography;
using KTls.Handshake.Crypto;

namespace KTls.Handshake;

/// <summary>A key that seals session tickets, with the name by which a server finds it again.</summary>
public sealed class TicketKey : IDisposable
{
    /// <summary>Bytes of a key with its name, as <see cref="Export"/> gives them.</summary>
    public const int Size = NameLength + SecretLength;

    internal const int NameLength = 16;
    private const int SecretLength = 32;

    private readonly SecretBytes _bytes;

    /// <summary>Makes a key of bytes that several servers share.</summary>
    /// <param name="bytes"><see cref="Size"/> bytes from a good random source: a public name of 16 bytes and a secret of 32.</param>
    /// <exception cref="ArgumentException">Not of <see cref="Size"/> bytes.</exception>
    public TicketKey(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length != Size)
        {
            throw new ArgumentException($"A ticket key has {Size} bytes, not {bytes.Length}.", nameof(bytes));
        }

        _bytes = new SecretBytes(bytes);
    }

    internal ReadOnlySpan<byte> Name => _bytes.Span[..NameLength];

    internal ReadOnlySpan<byte> Secret => _bytes.Span[NameLength..];

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

    /// <inheritdoc/>
    public void Dispose() => _bytes.Dispose();

    /// <summary>Says nothing of the secret.</summary>
    /// <returns>The name in hexadecimal digits.</returns>
    public override string ToString() => $"Ticket key {Convert.ToHexString(Name)}";
}
