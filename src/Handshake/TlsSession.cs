using System.Diagnostics.CodeAnalysis;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using KTls.Handshake.Crypto;
using KTls.Handshake.Resumption;

namespace KTls.Handshake;

/// <summary>
/// What a complete handshake leaves behind: what was agreed on, and the little that a connection still needs of its keys,
/// namely the keys of each direction now and after the next KeyUpdate, the exporter's secret and, on a client, what goes into a
/// session with a ticket. Zeroed on dispose.
/// </summary>
[Experimental(Maturity.Experimental)]
public abstract class TlsSession : IDisposable
{
    private bool _isDisposed;

    private protected TlsSession(CipherSuite suite) => Suite = suite;

    /// <summary>The protocol version.</summary>
    public SslProtocols Protocol => Suite.Protocol;

    /// <summary>The cipher suite.</summary>
    public TlsCipherSuite CipherSuite => Suite.Id;

    /// <summary>The group of the key agreement; 0 when a TLS 1.2 session was resumed, which agrees on nothing.</summary>
    public NamedGroup Group { get; internal init; }

    /// <summary>The application protocol (ALPN); the default value when none was agreed on.</summary>
    public SslApplicationProtocol ApplicationProtocol { get; internal init; }

    /// <summary>Whether this end is the server.</summary>
    public bool IsServer { get; internal init; }

    /// <summary>Whether an earlier session was resumed.</summary>
    public bool IsResumed { get; internal init; }

    /// <summary>The most bytes of content in a record that we send: 16384, or less when the peer says so (RFC 8449).</summary>
    public int MaxSendContent { get; internal init; } = RecordHeader.MaxPlaintext;

    /// <summary>Whether the keys can change while the connection lives: KeyUpdate (RFC 8446 §4.6.3), in TLS 1.3 only.</summary>
    public bool CanUpdateKeys => Suite.IsTls13;

    internal CipherSuite Suite { get; }

    /// <summary>What the next ticket is combined with; null on a server, or when the client keeps no sessions.</summary>
    internal SessionTemplate? Template { get; init; }

    /// <summary>The keys of the records that this end sends now. The caller disposes them.</summary>
    /// <returns>Keys with the number of the first record that is sent after the handshake, or after the last KeyUpdate.</returns>
    public abstract RecordKeys GetSendKeys();

    /// <summary>The keys of the records that the peer sends now. The caller disposes them.</summary>
    /// <returns>Keys with the number of the first record that is received after the handshake, or after the last KeyUpdate.</returns>
    public abstract RecordKeys GetReceiveKeys();

    /// <summary>Goes on to the next generation of keys for sending (RFC 8446 §7.2): after a KeyUpdate was sent.</summary>
    /// <exception cref="InvalidOperationException">TLS 1.2 has no KeyUpdate.</exception>
    public abstract void UpdateSendKeys();

    /// <summary>Goes on to the next generation of keys for receiving (RFC 8446 §7.2): after a KeyUpdate was received.</summary>
    /// <exception cref="InvalidOperationException">TLS 1.2 has no KeyUpdate.</exception>
    public abstract void UpdateReceiveKeys();

    /// <summary>Keying material for an application, the same on both ends (RFC 8446 §7.5, RFC 5705).</summary>
    /// <param name="label">Says for what, in ASCII: 1 to 249 bytes; TLS 1.2 allows an empty one.</param>
    /// <param name="context">What else it depends on, up to 65535 bytes; null: none, which TLS 1.2 tells from an empty one.</param>
    /// <param name="output">The result, up to 8160 bytes.</param>
    /// <exception cref="ArgumentOutOfRangeException">A length is out of bounds.</exception>
    /// <exception cref="ObjectDisposedException">This was disposed of, before or meanwhile.</exception>
    public void ExportKeyingMaterial(ReadOnlySpan<byte> label, byte[]? context, Span<byte> output)
    {
        // HkdfLabel's label is at most 255 bytes with its prefix, HKDF's output 255 hashes (RFC 8446 §7.1, RFC 5869 §2.3).
        if (Suite.IsTls13)
        {
            ArgumentOutOfRangeException.ThrowIfZero(label.Length, nameof(label));
        }

        ArgumentOutOfRangeException.ThrowIfGreaterThan(label.Length, 249, nameof(label));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(context?.Length ?? 0, ushort.MaxValue, nameof(context));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(output.Length, 255 * 32, nameof(output));
        if (!output.IsEmpty)
        {
            Export(label, context, output);

            // Whoever disposes of this meanwhile zeroes the secret, and what is derived from zeros is none.
            Interlocked.MemoryBarrier();
            if (_isDisposed)
            {
                CryptographicOperations.ZeroMemory(output);
                throw new ObjectDisposedException(GetType().FullName);
            }
        }
    }

    /// <summary>Hands over the session that a TLS 1.2 server gave with its ticket in the handshake, once.</summary>
    /// <returns>The session, which the caller disposes; null when there is none.</returns>
    public virtual ClientSession? TakeTicket() => null;

    /// <summary>Creates a reader for the handshake messages that come after the handshake.</summary>
    /// <returns>The reader; it must not outlive this object.</returns>
    public PostHandshakeReader CreatePostHandshakeReader() => new(this);

    /// <inheritdoc/>
    public void Dispose()
    {
        Interlocked.Exchange(ref _isDisposed, true);
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Zeroes what the version holds.</summary>
    /// <param name="disposing">Always true.</param>
    protected abstract void Dispose(bool disposing);

    private protected abstract void Export(ReadOnlySpan<byte> label, byte[]? context, Span<byte> output);

    /// <summary>Makes a session of a ticket that came after the handshake; null when the client keeps none.</summary>
    internal abstract ClientSession? CreateSession(in Wire.NewSessionTicket ticket);
}
