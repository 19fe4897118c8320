using System.Diagnostics.CodeAnalysis;
using System.Security.Authentication;
using KTls.Handshake.Wire;

namespace KTls.Handshake;

/// <summary>The server's side of a TLS handshake: up to the ClientHello here, then in the version's state machine.</summary>
[Experimental(Maturity.Experimental)]
public sealed class ServerHandshake : TlsHandshake
{
    /// <summary>Creates the server's side.</summary>
    /// <param name="limits">What the client may make it hold; null: the default limits.</param>
    public ServerHandshake(HandshakeLimits? limits = null)
        : base(limits ?? HandshakeLimits.Default)
    {
    }

    /// <summary>The client's ClientHello, from <see cref="HandshakeStatus.NeedsServerOptions"/> on.</summary>
    public ClientHello? ClientHello { get; internal set; }

    /// <summary>
    /// Answers the ClientHello. <see cref="TlsHandshake.Status"/> must be <see cref="HandshakeStatus.NeedsServerOptions"/>.
    /// </summary>
    /// <param name="options">The options for this client.</param>
    /// <exception cref="TlsAlertException">The handshake has failed; <see cref="TlsHandshake.Output"/> has the alert.</exception>
    /// <exception cref="InvalidOperationException">The handshake does not wait for options.</exception>
    public void Accept(ServerHandshakeOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        Expect(HandshakeStatus.NeedsServerOptions);
        LocalCredential = options.Credential;
        Resume(handshake => Start((ServerHandshake)handshake, options));
    }

    private protected override void Receive(HandshakeType type, ReadOnlySpan<byte> message)
    {
        if (type != HandshakeType.ClientHello)
        {
            throw new TlsAlertException(AlertDescription.UnexpectedMessage, $"The message {type} where a ClientHello must come.");
        }

        ClientHello = ClientHello.Read(message);
        HasStarted = true;
        Status = HandshakeStatus.NeedsServerOptions;
    }

    private static void Start(ServerHandshake handshake, ServerHandshakeOptions options)
    {
        ClientHello hello = handshake.ClientHello!;
        if (ServerNegotiation.SelectProtocol(hello, SupportedParameters.WithSuites(options.Protocols, options.CipherSuites)) == SslProtocols.Tls13)
        {
            var flow = new Tls13Server(handshake, options);
            handshake.Flow = flow;
            flow.Start(hello);
        }
        else
        {
            var flow = new Tls12Server(handshake, options);
            handshake.Flow = flow;
            flow.Start(hello);
        }
    }
}
