namespace KTls.Handshake;

/// <summary>The kinds of certificate keys that a TLS 1.2 cipher suite tells apart.</summary>
public enum CertificateKeyKind
{
    /// <summary>Elliptic curves: ECDSA, and EdDSA which shares its suites (RFC 8422 §5.1.1).</summary>
    Ecdsa,

    /// <summary>RSA, with either padding.</summary>
    Rsa,
}
