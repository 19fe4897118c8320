using System.Diagnostics.CodeAnalysis;
using KTls.Handshake.Crypto;
using KTls.Handshake.Wire;

namespace KTls.Handshake;

/// <summary>The client's side of a TLS handshake: up to the ServerHello here, then in the version's state machine.</summary>
[Experimental(Maturity.Experimental)]
public sealed class ClientHandshake : TlsHandshake
{
    private readonly ClientOffer _offer;
    private readonly byte[] _clientHello;

    /// <summary>Starts a handshake: the ClientHello stands in <see cref="TlsHandshake.Output"/>.</summary>
    /// <param name="options">What to offer.</param>
    /// <exception cref="ArgumentException">No cipher suite or no group of the options is known.</exception>
    public ClientHandshake(ClientHandshakeOptions options)
        : base((options ?? throw new ArgumentNullException(nameof(options))).Limits)
    {
        _offer = new ClientOffer(options);
        try
        {
            _clientHello = WriteClientHello();
        }
        catch
        {
            _offer.Dispose();
            throw;
        }

        Records.PlaintextVersion = ProtocolVersion.Tls10;
        Records.Send(ContentType.Handshake, _clientHello);
        Records.PlaintextVersion = ProtocolVersion.Tls12;

        // A server of TLS 1.3 may send its change_cipher_spec first (RFC 8446 §5), one of TLS 1.2 never does.
        HasStarted = _offer.OffersTls13;
    }

    /// <summary>Whether the server has taken the offer up: its ServerHello, or a HelloRetryRequest, has come.</summary>
    public bool IsOfferAnswered => Flow is not null;

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        _offer.Dispose();
    }

    private protected override void Receive(HandshakeType type, ReadOnlySpan<byte> message)
    {
        // TLS 1.2: a server may wish at any time that we start; we have (RFC 5246 §7.4.1.1).
        if (type == HandshakeType.HelloRequest && _offer.OffersTls12 && message.Length == 4)
        {
            CountWarning();
            return;
        }

        if (type != HandshakeType.ServerHello)
        {
            throw new TlsAlertException(AlertDescription.UnexpectedMessage, $"The message {type} where a ServerHello must come.");
        }

        ServerHello hello = ServerHello.Read(message);
        CheckVersion(hello);
        if (hello.Extensions.SelectedVersion != 0)
        {
            var flow = new Tls13Client(this, _offer, _clientHello);
            Flow = flow;
            flow.ReceiveServerHello(hello, message);
        }
        else
        {
            var flow = new Tls12Client(this, _offer, _clientHello);
            Flow = flow;
            flow.ReceiveServerHello(hello, message);
        }
    }

    // RFC 8446 §4.1.3, §4.2.1. SSL 3.0 is refused under any disguise (§D.5).
    private void CheckVersion(in ServerHello hello)
    {
        bool has13 = hello.Extensions.SelectedVersion != 0;
        if (has13 && _offer.OffersTls13 && hello.Extensions.SelectedVersion != ProtocolVersion.Tls13)
        {
            throw new TlsAlertException(AlertDescription.IllegalParameter, $"The server chooses the version {hello.Extensions.SelectedVersion:x4}, which supported_versions cannot choose here.");
        }

        if (has13 ? !_offer.OffersTls13 || hello.LegacyVersion <= ProtocolVersion.Ssl30 : !_offer.OffersTls12 || hello.LegacyVersion != ProtocolVersion.Tls12)
        {
            throw new TlsAlertException(AlertDescription.ProtocolVersion, "The server chooses a protocol version that was not offered.");
        }
    }

    private byte[] WriteClientHello()
    {
        using var writer = new WireWriter(2048);
        int binders = ClientHelloWriter.Write(writer, _offer, cookie: default);
        if (binders >= 0)
        {
            WriteBinder(writer, binders);
        }

        return writer.WrittenSpan.ToArray();
    }

    private void WriteBinder(WireWriter writer, int binders)
    {
        CipherSuite suite = _offer.Session13!.State.Suite;
        Span<byte> hash = stackalloc byte[suite.HashLength];
        System.Security.Cryptography.CryptographicOperations.HashData(suite.Hash, writer.WrittenSpan[..binders], hash);
        Tls13Client.FillBinder(_offer.Session13, hash, writer.WrittenFrom(binders));
    }
}
