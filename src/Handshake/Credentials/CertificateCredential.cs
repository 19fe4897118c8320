using System.Diagnostics.CodeAnalysis;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using KTls.Handshake.Crypto;

namespace KTls.Handshake;

/// <summary>A certificate with its chain and its private key, ready to sign handshakes; for many handshakes at once.</summary>
public sealed partial class CertificateCredential
{
    // A signature travels with a length of two bytes (RFC 8446 §4.4.3).
    private const int MaxSignatureLength = ushort.MaxValue;

    private readonly CertificateKey _key;
    private readonly SigningKey? _privateKey;
    private readonly ICertificateSigner? _signer;
    private OcspResponse? _ocspResponse;

    internal CertificateCredential(X509Certificate2[] chain, CertificateKey key, SigningKey privateKey)
        : this(chain, key) => _privateKey = privateKey;

    private CertificateCredential(X509Certificate2[] chain, CertificateKey key, ICertificateSigner signer)
        : this(chain, key) => _signer = signer;

    private CertificateCredential(X509Certificate2[] chain, CertificateKey key)
    {
        _key = key;
        Certificates = chain;
        Chain = [.. chain.Select(certificate => certificate.RawData)];
        CertificateHash = SHA256.HashData(Chain[0]);
        ServerNames = CertificateNames.Read(chain[0]);
    }

    /// <summary>The end-entity certificate.</summary>
    public X509Certificate2 Certificate => Certificates[0];

    /// <summary>The certificates to send, the end-entity's first.</summary>
    public IReadOnlyList<X509Certificate2> Certificates { get; }

    /// <summary>The kind of the certificate's key, to which TLS 1.2 binds its cipher suites.</summary>
    public CertificateKeyKind KeyKind => _key.Kind;

    /// <summary>
    /// The curve of an ECDSA key, null for other keys. A TLS 1.2 client names the curves that it can verify with in
    /// supported_groups, too (RFC 8422 §5.1).
    /// </summary>
    public NamedGroup? Curve => _key.Curve;

    /// <summary>Whether the key is in this process, so that <see cref="SignAsync"/> completes at once.</summary>
    public bool SignsAtOnce => _privateKey is not null;

    /// <summary>
    /// The host names that <see cref="ServerCredentials"/> chooses the credential for; one may begin with "*.".
    /// From the certificate's subjectAltName, unless set. Read when the credential is put into <see cref="ServerCredentials"/>.
    /// </summary>
    public IReadOnlyList<string> ServerNames { get; set; }

    /// <summary>
    /// The OCSP response (RFC 6960, DER) about the certificate, for clients that ask for it (RFC 6066 §8, RFC 8446 §4.4.2.1);
    /// empty for none, and from the response's nextUpdate on, when clients would refuse it. May be set at any time, for
    /// the handshakes from then on.
    /// </summary>
    /// <exception cref="CredentialException">What is set is no response about this certificate, or not a successful one.</exception>
    public ReadOnlyMemory<byte> OcspResponse
    {
        get => OcspResponseAt(DateTimeOffset.UtcNow);
        set => Volatile.Write(ref _ocspResponse, value.IsEmpty ? null : new OcspResponse(value.ToArray(), Certificate));
    }

    /// <summary>The certificates to send, DER each, the end-entity's first.</summary>
    internal byte[][] Chain { get; }

    /// <summary>The SHA-256 of the end-entity certificate.</summary>
    internal byte[] CertificateHash { get; }

    /// <summary>What the key can sign with in TLS 1.3, in the order of preference.</summary>
    internal SignatureScheme[] Schemes => _key.Schemes;

    /// <summary>What the key can sign with in TLS 1.2, in the order of preference.</summary>
    internal SignatureScheme[] Tls12Schemes => _key.Tls12Schemes;

    /// <summary>What the key can sign with, in the order of preference.</summary>
    /// <param name="tls13">For TLS 1.3, or else for TLS 1.2.</param>
    /// <param name="allowPss">Whether RSASSA-PSS may be used.</param>
    /// <param name="allowPkcs1">Whether RSASSA-PKCS1-v1_5 may be used; TLS 1.3 never does.</param>
    /// <returns>The schemes, none when nothing is left.</returns>
    public IReadOnlyList<SignatureScheme> SchemesFor(bool tls13, bool allowPss = true, bool allowPkcs1 = true)
    {
        SignatureScheme[] all = tls13 ? Schemes : Tls12Schemes;
        return KeyKind == CertificateKeyKind.Ecdsa || (allowPss && allowPkcs1)
            ? all
            : [.. all.Where(scheme => SignatureAlgorithm.IsPkcs1(scheme) ? allowPkcs1 : allowPss)];
    }

    /// <summary>Signs a handshake.</summary>
    /// <param name="scheme">One of <see cref="SchemesFor"/>.</param>
    /// <param name="content">What to sign, before hashing.</param>
    /// <param name="cancellationToken">Ends the wait for a key that is elsewhere.</param>
    /// <returns>The signature as TLS carries it.</returns>
    /// <exception cref="ArgumentException">The scheme is none of the key's.</exception>
    /// <exception cref="CryptographicException">The key failed, or the signer returned no signature.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled, and the signer heeds it.</exception>
    public ValueTask<byte[]> SignAsync(SignatureScheme scheme, ReadOnlyMemory<byte> content, CancellationToken cancellationToken = default) =>
        SignsAtOnce ? ValueTask.FromResult(Sign(scheme, content.Span)) : SignElsewhereAsync(scheme, content, cancellationToken);

    /// <summary>The OCSP response that is good at a time; empty when there is none.</summary>
    internal ReadOnlyMemory<byte> OcspResponseAt(DateTimeOffset now) => Volatile.Read(ref _ocspResponse)?.At(now) ?? default;

    /// <summary>Staples what is no response at all: for tests.</summary>
    internal void StapleUnchecked(byte[] anything) => Volatile.Write(ref _ocspResponse, new OcspResponse(anything));

    /// <summary>Signs the content of a handshake. <see cref="SignsAtOnce"/> must be true.</summary>
    internal byte[] Sign(SignatureScheme scheme, ReadOnlySpan<byte> content)
    {
        ThrowIfNotOurs(scheme);
        return _privateKey?.Sign(scheme, content) ?? throw new InvalidOperationException("The key is elsewhere: SignAsync signs.");
    }

    private void ThrowIfNotOurs(SignatureScheme scheme)
    {
        // TLS 1.2 has all that TLS 1.3 has.
        if (Array.IndexOf(Tls12Schemes, scheme) < 0)
        {
            throw new ArgumentException($"The certificate's key does not sign with {scheme}.", nameof(scheme));
        }
    }

    private async ValueTask<byte[]> SignElsewhereAsync(SignatureScheme scheme, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        ThrowIfNotOurs(scheme);
        byte[] signature = await _signer!.SignAsync(scheme, content, cancellationToken).ConfigureAwait(false);
        return signature is { Length: > 0 and <= MaxSignatureLength }
            ? signature
            : throw new CryptographicException($"The certificate's signer returned a signature of {signature?.Length ?? 0} bytes.");
    }
}
