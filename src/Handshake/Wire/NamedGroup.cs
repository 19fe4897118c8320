namespace KTls.Handshake;

/// <summary>A group for the key agreement (RFC 8446 §4.2.7).</summary>
public enum NamedGroup : ushort
{
    /// <summary>NIST P-256.</summary>
    Secp256r1 = 0x0017,

    /// <summary>NIST P-384.</summary>
    Secp384r1 = 0x0018,

    /// <summary>NIST P-521.</summary>
    Secp521r1 = 0x0019,

    /// <summary>Curve25519 (RFC 7748).</summary>
    X25519 = 0x001d,

    /// <summary>Curve448 (RFC 7748).</summary>
    X448 = 0x001e,

    /// <summary>ML-KEM-768 with X25519 (draft-ietf-tls-ecdhe-mlkem).</summary>
    X25519MLKem768 = 0x11ec,
}
