using System.Security.Authentication;
using System.Security.Cryptography;
using KTls.Handshake.Crypto;
using KTls.Handshake.Resumption;
using KTls.Handshake.Wire;

namespace KTls.Handshake;

/// <summary>What a client's ClientHello says, and the secrets behind it.</summary>
internal sealed class ClientOffer : IDisposable
{
    private readonly SslProtocols _protocols;
    private bool _isShareReplaced;

    public ClientOffer(ClientHandshakeOptions options)
    {
        Options = options;
        _protocols = SupportedParameters.WithSuites(options.Protocols, options.CipherSuites);
        if (_protocols == SslProtocols.None)
        {
            throw new ArgumentException("No cipher suite of the options is one that this library has for their protocol versions.", nameof(options));
        }

        NamedGroup first = options.Groups.FirstOrDefault(group => Offers(group));
        if (first == default)
        {
            throw new ArgumentException("No group of the options is one that this library has for their protocol versions.", nameof(options));
        }

        if (options.Session is { } session)
        {
            Time = options.Clock.GetUtcNow();
            Session = IsUsable(session) ? session.Copy() : null;
        }

        SessionId = OffersTls13 || Session is not null ? PublicRandom.GetBytes(32) : [];
        if (OffersTls13)
        {
            Share = KeyExchange.Create(first);
        }
    }

    public ClientHandshakeOptions Options { get; }

    public byte[] Random { get; } = PublicRandom.GetBytes(32);

    /// <summary>
    /// Asks for middlebox compatibility with TLS 1.3 (RFC 8446 §D.4), and shows whether a TLS 1.2 ticket was taken (RFC 5077 §3.4).
    /// Empty where neither is of use: a client of TLS 1.2 has no session to name then (RFC 5246 §7.4.1.2).
    /// </summary>
    public byte[] SessionId { get; }

    /// <summary>The key agreement of the ClientHello; null when TLS 1.3 is not offered.</summary>
    public KeyExchange? Share { get; private set; }

    /// <summary>When the ClientHello is made, if it offers a session.</summary>
    public DateTimeOffset Time { get; private set; }

    /// <summary>The session to resume. The offer owns it.</summary>
    public ClientSession? Session { get; private set; }

    public bool OffersTls13 => Speaks(SslProtocols.Tls13);

    public bool OffersTls12 => Speaks(SslProtocols.Tls12);

    /// <summary>The session that a server of TLS 1.3 may resume.</summary>
    public ClientSession? Session13 => Session is { State.Suite.IsTls13: true } ? Session : null;

    /// <summary>The session that a server of TLS 1.2 may resume.</summary>
    public ClientSession? Session12 => Session is { State.Suite.IsTls13: false } ? Session : null;

    /// <summary>What the server is told of record_size_limit; null: nothing.</summary>
    public ushort? RecordSizeLimit => Options.RecordSizeLimit is { } limit ? Wire.RecordSizeLimit.ToWire(limit, OffersTls13) : null;

    public bool Offers(CipherSuite suite) => Speaks(suite.Protocol) && Options.CipherSuites.Contains(suite.Id);

    public bool Offers(NamedGroup group) =>
        KeyExchange.IsSupported(group) && Options.Groups.Contains(group) && (OffersTls13 || group != NamedGroup.X25519MLKem768);

    /// <summary>The classic half of a hybrid share, when it is offered on its own, too.</summary>
    public KeyExchange? ClassicShare => !_isShareReplaced && Share?.Classic is { } classic && Offers(classic.Group) ? classic : null;

    /// <summary>The key agreement for the group that a server chose among the shares; null when there is none for it.</summary>
    public KeyExchange? FindShare(NamedGroup group) =>
        Share?.Group == group ? Share : ClassicShare?.Group == group ? ClassicShare : null;

    /// <summary>Makes a share for the group of a HelloRetryRequest, which goes out alone (RFC 8446 §4.1.2).</summary>
    public void ReplaceShare(NamedGroup group)
    {
        Share!.Dispose();
        Share = KeyExchange.Create(group);
        _isShareReplaced = true;
    }

    /// <summary>A second ClientHello tells the age of a session anew (RFC 8446 §4.1.2).</summary>
    public void UpdateTime()
    {
        if (Session is not null)
        {
            Time = Options.Clock.GetUtcNow();
        }
    }

    /// <summary>The session cannot be resumed with the suite that the server has chosen (RFC 8446 §4.1.4).</summary>
    public void DropSession()
    {
        Session?.Dispose();
        Session = null;
    }

    public void Dispose()
    {
        Share?.Dispose();
        Session?.Dispose();
    }

    private bool Speaks(SslProtocols protocol) => (_protocols & protocol) != 0;

    private bool IsUsable(ClientSession session)
    {
        SessionState state = session.State;
        return Offers(state.Suite)
            && session.Ticket.Length <= ClientSession.MaxTicketLength
            && string.Equals(state.ServerName, Options.ServerName, StringComparison.OrdinalIgnoreCase)
            && Time < session.ExpiresAt
            && (state.Suite.IsTls13 || state.IsExtendedMasterSecret || !Options.RequireExtendedMasterSecret)
            && IsInTime(state.PeerChain);
    }

    // To resume is to trust the certificate of then, which the server may have replaced in time.
    private bool IsInTime(byte[][] chain)
    {
        try
        {
            return chain.Length == 0 || Time.UtcDateTime < PeerCertificateCache.Keep(chain[0]).NotAfter.ToUniversalTime();
        }
        catch (Exception e) when (e is TlsAlertException or CryptographicException)
        {
            return false;
        }
    }
}
