using System.Net.Security;
using KTls.Handshake.Crypto;
using KTls.Handshake.Wire;

namespace KTls.Handshake.Resumption;

/// <summary>
/// What both ends have to remember of a session to resume it: the server puts it into the ticket, the client keeps it beside
/// the ticket.
/// </summary>
internal sealed class SessionState : IDisposable
{
    /// <summary>So long after its certificates were proved a session ends, however often it was resumed (RFC 8446 §4.6.1).</summary>
    public static readonly TimeSpan MaxAge = TimeSpan.FromSeconds(NewSessionTicket.MaxLifetime);

    private const byte FormatVersion = 1;

    public required CipherSuite Suite { get; init; }

    /// <summary>TLS 1.3: the ticket's pre-shared key. TLS 1.2: the master secret.</summary>
    public required SecretBytes Secret { get; init; }

    /// <summary>TLS 1.2: whether the master secret is an extended one (RFC 7627 §5.3).</summary>
    public bool IsExtendedMasterSecret { get; init; }

    /// <summary>The name that the client asked for.</summary>
    public string ServerName { get; init; } = string.Empty;

    /// <summary>When the certificates were proved: the age of a session counts from there, however often it is resumed.</summary>
    public required DateTimeOffset AuthenticatedAt { get; init; }

    /// <summary>When the ticket was made, or received.</summary>
    public required DateTimeOffset IssuedAt { get; init; }

    /// <summary>On a server: whether it asked for a client certificate.</summary>
    public bool IsCertificateRequested { get; init; }

    /// <summary>On a server: the SHA-256 of its own certificate.</summary>
    public byte[] OwnCertificateHash { get; init; } = [];

    /// <summary>The peer's certificates, DER each, its own first; none when it showed none.</summary>
    public byte[][] PeerChain { get; init; } = [];

    public void Write(WireWriter writer)
    {
        writer.WriteUInt8(FormatVersion);
        writer.WriteUInt16((ushort)Suite.Id);
        writer.WriteUInt8((byte)((IsExtendedMasterSecret ? 1 : 0) | (IsCertificateRequested ? 2 : 0)));
        writer.WriteUInt64((ulong)AuthenticatedAt.ToUnixTimeMilliseconds());
        writer.WriteUInt64((ulong)IssuedAt.ToUnixTimeMilliseconds());
        writer.WriteVector8(Secret.Span);
        writer.WriteVector8(OwnCertificateHash);
        writer.WriteVector16(System.Text.Encoding.ASCII.GetBytes(ServerName));
        WireWriter.Vector chain = writer.Begin(3);
        foreach (byte[] certificate in PeerChain)
        {
            writer.WriteUInt24(certificate.Length);
            writer.WriteBytes(certificate);
        }

        writer.End(chain);
    }

    /// <summary>Reads what <see cref="Write"/> has written; null when it is of another format or a suite that is not known any more.</summary>
    /// <exception cref="TlsAlertException">It is malformed.</exception>
    public static SessionState? Read(ref WireReader reader)
    {
        if (reader.ReadUInt8() != FormatVersion || CipherSuite.Find((TlsCipherSuite)reader.ReadUInt16()) is not { } suite)
        {
            return null;
        }

        byte flags = reader.ReadUInt8();
        DateTimeOffset authenticatedAt = ReadTime(ref reader);
        DateTimeOffset issuedAt = ReadTime(ref reader);
        ReadOnlySpan<byte> secret = reader.ReadVector8(minimum: 1);
        byte[] hash = reader.ReadVector8().ToArray();
        string name = System.Text.Encoding.ASCII.GetString(reader.ReadVector16());
        var certificates = new WireReader(reader.ReadVector24());
        var chain = new List<byte[]>();
        while (!certificates.IsEmpty)
        {
            chain.Add(certificates.ReadVector24(minimum: 1).ToArray());
        }

        return secret.Length != (suite.IsTls13 ? suite.HashLength : Prf.MasterSecretLength)
            ? null
            : new SessionState
            {
                Suite = suite,
                Secret = new SecretBytes(secret),
                IsExtendedMasterSecret = (flags & 1) != 0,
                IsCertificateRequested = (flags & 2) != 0,
                AuthenticatedAt = authenticatedAt,
                IssuedAt = issuedAt,
                OwnCertificateHash = hash,
                ServerName = name,
                PeerChain = [.. chain],
            };
    }

    public SessionState Copy() => new()
    {
        Suite = Suite,
        Secret = new SecretBytes(Secret.Span),
        IsExtendedMasterSecret = IsExtendedMasterSecret,
        IsCertificateRequested = IsCertificateRequested,
        AuthenticatedAt = AuthenticatedAt,
        IssuedAt = IssuedAt,
        OwnCertificateHash = OwnCertificateHash,
        ServerName = ServerName,
        PeerChain = PeerChain,
    };

    public void Dispose() => Secret.Dispose();

    private static DateTimeOffset ReadTime(ref WireReader reader)
    {
        ulong milliseconds = reader.ReadUInt64();
        return milliseconds <= (ulong)(DateTimeOffset.MaxValue - MaxAge).ToUnixTimeMilliseconds()
            ? DateTimeOffset.FromUnixTimeMilliseconds((long)milliseconds)
            : throw new TlsAlertException(AlertDescription.DecodeError, "A time beyond all times.");
    }
}
