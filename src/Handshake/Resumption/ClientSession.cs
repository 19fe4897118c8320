using System.Net.Security;
using System.Security.Authentication;
using KTls.Handshake.Crypto;
using KTls.Handshake.Resumption;
using KTls.Handshake.Wire;

namespace KTls.Handshake;

/// <summary>
/// A session that a client can resume: the server's ticket and the secret that goes with it. Whoever has it can pass for the
/// client, so it is to be kept like a password. Zeroed on dispose.
/// </summary>
public sealed class ClientSession : IDisposable
{
    private const byte FormatVersion = 1;

    /// <summary>The most bytes of a ticket that is kept and offered: the rest of a ClientHello needs room, and servers want it small.</summary>
    internal const int MaxTicketLength = 16 * 1024;

    // RFC 5077 §3.3: a server of TLS 1.2 that gives no lifetime leaves it to us.
    private static readonly TimeSpan DefaultLifetime = TimeSpan.FromHours(2);

    private readonly SessionState _state;
    private readonly byte[] _ticket;
    private readonly uint _lifetime;
    private readonly uint _ageAdd;

    internal ClientSession(SessionState state, ReadOnlySpan<byte> ticket, uint lifetime, uint ageAdd)
    {
        _state = state;
        _ticket = ticket.ToArray();
        _lifetime = Math.Min(lifetime, NewSessionTicket.MaxLifetime);
        _ageAdd = ageAdd;
    }

    /// <summary>The protocol version, which alone can resume the session.</summary>
    public SslProtocols Protocol => _state.Suite.Protocol;

    /// <summary>The session's cipher suite.</summary>
    public TlsCipherSuite CipherSuite => _state.Suite.Id;

    /// <summary>The server name (SNI) that the session belongs to.</summary>
    public string ServerName => _state.ServerName;

    /// <summary>Until when the session may be resumed: as long as the server says, and no longer than seven days after its first handshake (RFC 8446 §4.6.1).</summary>
    public DateTimeOffset ExpiresAt
    {
        get
        {
            DateTimeOffset end = _state.AuthenticatedAt + SessionState.MaxAge;
            DateTimeOffset byServer = _state.IssuedAt + (_lifetime == 0 ? DefaultLifetime : TimeSpan.FromSeconds(_lifetime));
            return byServer < end ? byServer : end;
        }
    }

    /// <summary>Whether the session may be used once only, as in TLS 1.3, so that nobody can tell which connections belong together (RFC 8446 §C.4).</summary>
    public bool IsForOneUse => _state.Suite.IsTls13;

    /// <summary>
    /// What its owner remembers about the session in this process; null at first. It goes along with the session through a
    /// <see cref="ClientSessionCache"/>, and is lost in <see cref="Export"/>. KTlsStream keeps its verdict on the certificate there.
    /// </summary>
    public object? UserToken { get; set; }

    internal SessionState State => _state;

    internal ReadOnlySpan<byte> Ticket => _ticket;

    /// <summary>All of it, the secret too, for a store outside of this process; <see cref="TryImport"/> reads it.</summary>
    /// <returns>Bytes that the caller keeps secret and zeroes.</returns>
    public byte[] Export()
    {
        using var writer = new WireWriter(512);
        writer.WriteUInt8(FormatVersion);
        writer.WriteUInt32(_lifetime);
        writer.WriteUInt32(_ageAdd);
        writer.WriteVector16(_ticket);
        _state.Write(writer);
        return writer.WrittenSpan.ToArray();
    }

    /// <summary>Reads what <see cref="Export"/> gave.</summary>
    /// <param name="bytes">The bytes.</param>
    /// <returns>The session; null when the bytes are not one, or one of another version of this library.</returns>
    public static ClientSession? TryImport(ReadOnlySpan<byte> bytes)
    {
        try
        {
            var reader = new WireReader(bytes);
            if (reader.ReadUInt8() != FormatVersion)
            {
                return null;
            }

            uint lifetime = reader.ReadUInt32();
            uint ageAdd = reader.ReadUInt32();
            ReadOnlySpan<byte> ticket = reader.ReadVector16(minimum: 1);
            if (SessionState.Read(ref reader) is not { } state)
            {
                return null;
            }

            // Who was the server would be unknown: every session has its certificate.
            if (reader.IsEmpty && state.PeerChain.Length != 0)
            {
                return new ClientSession(state, ticket, lifetime, ageAdd);
            }

            state.Dispose();
            return null;
        }
        catch (TlsAlertException)
        {
            return null;
        }
    }

    /// <summary>The same session once more, to be disposed on its own.</summary>
    internal ClientSession Copy() => new(_state.Copy(), _ticket, _lifetime, _ageAdd) { UserToken = UserToken };

    /// <inheritdoc/>
    public void Dispose() => _state.Dispose();

    /// <summary>Says nothing of the secret.</summary>
    /// <returns>The server's name and the version.</returns>
    public override string ToString() => $"{Protocol} session with '{ServerName}'";

    /// <summary>The ticket's age as it stands on the wire (RFC 8446 §4.2.11.1).</summary>
    internal uint ObfuscatedAge(DateTimeOffset now) => unchecked((uint)Math.Max(0, (now - _state.IssuedAt).TotalMilliseconds) + _ageAdd);
}
