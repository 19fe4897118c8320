using System.Net.Security;
using System.Security.Authentication;

namespace KTls.Kestrel.Tls;

#pragma warning disable SYSLIB0058 // Obsolete in .NET, and still what ITlsHandshakeFeature speaks of.
/// <summary>A cipher suite in .NET's older words, as SslStream puts them: read from its name, which has all of it.</summary>
internal readonly struct SuiteDescription(TlsCipherSuite suite)
{
    private readonly string _name = suite.ToString();

    public CipherAlgorithmType Cipher =>
        Has("AES_128") ? CipherAlgorithmType.Aes128
        : Has("AES_256") ? CipherAlgorithmType.Aes256
        : Has("3DES") ? CipherAlgorithmType.TripleDes
        : CipherAlgorithmType.None;

    /// <summary>In bits.</summary>
    public int CipherStrength => Has("_128_") ? 128 : Has("3DES") ? 168 : 256;

    // An AEAD has no MAC; the hash in its name is that of the key schedule.
    public HashAlgorithmType Hash =>
        !Has("_CBC_") ? HashAlgorithmType.None
        : Has("_SHA256") ? HashAlgorithmType.Sha256
        : Has("_SHA384") ? HashAlgorithmType.Sha384
        : HashAlgorithmType.Sha1;

    /// <summary>In bits.</summary>
    public int HashStrength => Hash switch
    {
        HashAlgorithmType.None => 0,
        HashAlgorithmType.Sha1 => 160,
        HashAlgorithmType.Sha256 => 256,
        _ => 384,
    };

    // The suites of TLS 1.3 name no key exchange.
    public ExchangeAlgorithmType KeyExchange =>
        Has("TLS_RSA_WITH") ? ExchangeAlgorithmType.RsaKeyX
        : Has("DHE_") ? ExchangeAlgorithmType.DiffieHellman
        : ExchangeAlgorithmType.None;

    private bool Has(string part) => _name.Contains(part, StringComparison.Ordinal);
}
