using System.Net.Security;
using System.Security.Authentication;
using KTls.Handshake.Crypto;
using KTls.Handshake.Wire;

namespace KTls.Handshake;

/// <summary>What a server chooses for a ClientHello, as far as both versions choose alike.</summary>
internal static class ServerNegotiation
{
    // RFC 7507
    private const ushort FallbackScsv = 0x5600;

    /// <summary>The best version of both (RFC 8446 §4.2.1).</summary>
    /// <exception cref="TlsAlertException">There is none.</exception>
    public static SslProtocols SelectProtocol(ClientHello hello, SslProtocols enabled)
    {
        // SSL 3.0 is refused under any disguise (RFC 8446 §D.5).
        if (hello.LegacyVersion <= ProtocolVersion.Ssl30)
        {
            throw new TlsAlertException(AlertDescription.ProtocolVersion, "The client speaks SSL 3.0.");
        }

        if (hello.OffersTls13 && (enabled & SslProtocols.Tls13) != 0)
        {
            return SslProtocols.Tls13;
        }

        // RFC 7507 §3: the client falls back although we could do better, to TLS 1.2 or further.
        bool canDoBetter = (enabled & SslProtocols.Tls13) != 0 || (enabled != SslProtocols.None && !hello.OffersTls12 && !hello.OffersTls13);
        if (hello.Signals(FallbackScsv) && canDoBetter)
        {
            throw new TlsAlertException(AlertDescription.InappropriateFallback, "The client fell back without need (RFC 7507).");
        }

        if (!hello.OffersTls12 || (enabled & SslProtocols.Tls12) == 0)
        {
            throw new TlsAlertException(AlertDescription.ProtocolVersion, "The client offers no protocol version that this server has.");
        }

        return SslProtocols.Tls12;
    }

    /// <summary>Why a server cannot serve a client with a credential; null when it can, as far as its ClientHello tells.</summary>
    public static HandshakeObstacle? FindObstacle(ClientHello hello, ServerHandshakeOptions options)
    {
        SslProtocols enabled = SupportedParameters.WithSuites(options.Protocols, options.CipherSuites);
        if (hello.OffersTls13 && (enabled & SslProtocols.Tls13) != 0)
        {
            return FindObstacle(hello, options, isTls13: true);
        }

        if (!hello.OffersTls12 || (enabled & SslProtocols.Tls12) == 0)
        {
            return HandshakeObstacle.ProtocolVersion;
        }

        return !hello.OffersExtendedMasterSecret && options.RequireExtendedMasterSecret
            ? HandshakeObstacle.ExtendedMasterSecret
            : FindObstacle(hello, options, isTls13: false);
    }

    private static HandshakeObstacle? FindObstacle(ClientHello hello, ServerHandshakeOptions options, bool isTls13)
    {
        if (SelectSuite(hello, options, isTls13) is null)
        {
            return HandshakeObstacle.CipherSuite;
        }

        if (SelectGroup(hello, options.Groups, isTls13) is null)
        {
            return HandshakeObstacle.Group;
        }

        if (!isTls13 && !HasCurveOf(hello, options.Credential))
        {
            return HandshakeObstacle.CertificateCurve;
        }

        return SelectScheme(hello, options.Credential, isTls13) is null
            ? HandshakeObstacle.SignatureScheme
            : null;
    }

    /// <summary>In TLS 1.2 supported_groups is about the curve of the certificate's key, too (RFC 8422 §5.1).</summary>
    public static bool HasCurveOf(ClientHello hello, CertificateCredential credential) =>
        credential.Curve is not { } curve || !hello.HasSupportedGroups || hello.Offers(curve);

    /// <summary>The first of the server's suites that the client and, in TLS 1.2, the certificate's key have.</summary>
    public static CipherSuite? SelectSuite(ClientHello hello, ServerHandshakeOptions options, bool isTls13)
    {
        foreach (TlsCipherSuite id in options.CipherSuites)
        {
            if (hello.Offers(id) && CipherSuite.Find(id) is { } suite && suite.IsTls13 == isTls13
                && (suite.Signer is null || suite.Signer == options.Credential.KeyKind))
            {
                return suite;
            }
        }

        return null;
    }

    /// <summary>The first of the server's groups that the client has, for a key agreement in TLS 1.2 or a HelloRetryRequest.</summary>
    public static NamedGroup? SelectGroup(ClientHello hello, IReadOnlyList<NamedGroup> groups, bool isTls13)
    {
        foreach (NamedGroup group in groups)
        {
            if (KeyExchange.IsSupported(group) && (isTls13 || group != NamedGroup.X25519MLKem768) && Offers(hello, group, isTls13))
            {
                return group;
            }
        }

        return null;
    }

    /// <summary>RFC 7301 §3.2: the server's preference decides.</summary>
    public static SslApplicationProtocol SelectApplicationProtocol(ClientHello hello, IReadOnlyList<SslApplicationProtocol> protocols)
    {
        if (protocols.Count == 0 || !hello.HasProtocols)
        {
            return default;
        }

        foreach (SslApplicationProtocol protocol in protocols)
        {
            if (ProtocolNameList.Contains(hello.Protocols, protocol.Protocol.Span))
            {
                return protocol;
            }
        }

        throw new TlsAlertException(AlertDescription.NoApplicationProtocol, "The client offers no application protocol that this server has.");
    }

    /// <summary>The first scheme of our key that the client accepts.</summary>
    public static SignatureScheme? SelectScheme(ClientHello hello, CertificateCredential credential, bool isTls13)
    {
        foreach (SignatureScheme scheme in isTls13 ? credential.Schemes : credential.Tls12Schemes)
        {
            if (hello.Offers(scheme))
            {
                return scheme;
            }
        }

        return null;
    }

    // Without supported_groups a client of TLS 1.2 takes any curve (RFC 8422 §4): the one that all have.
    private static bool Offers(ClientHello hello, NamedGroup group, bool isTls13) =>
        isTls13 || hello.HasSupportedGroups ? hello.Offers(group) : group == NamedGroup.Secp256r1;
}
