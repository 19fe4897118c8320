using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace KTls.Handshake;

/// <summary>
/// A peer's certificate from the bytes of its Certificate message. The last ones are kept as they were decoded: OpenSSL 3.0
/// decodes one in more time than a key agreement and a signature take, and a client meets the same servers again and again.
/// </summary>
internal static class PeerCertificateCache
{
    private const int Slots = 64;
    private const int MaxKeptLength = 8 * 1024;

    // A slot's entry is replaced whole and never disposed: another thread may be copying it. The garbage collector frees it.
    private static readonly Entry?[] Kept = new Entry?[Slots];

    /// <summary>Decodes a certificate. The caller owns it.</summary>
    /// <param name="encoded">The certificate; must not change any more.</param>
    /// <exception cref="TlsAlertException">It cannot be decoded.</exception>
    public static X509Certificate2 Load(byte[] encoded) => new(Keep(encoded));

    /// <summary>
    /// Decodes a certificate for several at once, who do not dispose it: what .NET has found out about it, such as its key and its
    /// extensions, is found out once.
    /// </summary>
    /// <param name="encoded">The certificate; must not change any more.</param>
    /// <exception cref="TlsAlertException">It cannot be decoded.</exception>
    public static X509Certificate2 Keep(byte[] encoded)
    {
        ref Entry? slot = ref Kept[SlotOf(encoded)];
        if (Volatile.Read(ref slot) is { } kept && kept.Encoded.AsSpan().SequenceEqual(encoded))
        {
            return kept.Certificate;
        }

        X509Certificate2 certificate = Decode(encoded);
        if (encoded.Length <= MaxKeptLength)
        {
            Volatile.Write(ref slot, new Entry(encoded, certificate));
        }

        return certificate;
    }

    /// <summary>The bytes as an array: the one that is kept, if it is the same.</summary>
    public static byte[] Encoded(ReadOnlySpan<byte> encoded) =>
        Volatile.Read(ref Kept[SlotOf(encoded)]) is { } kept && encoded.SequenceEqual(kept.Encoded) ? kept.Encoded : encoded.ToArray();

    private static X509Certificate2 Decode(byte[] encoded)
    {
        try
        {
            // The loader takes PEM as well, and bytes behind the end; the wire has DER alone (RFC 8446 §4.4.2).
            AsnDecoder.ReadSequence(encoded, AsnEncodingRules.DER, out _, out _, out int length);
            return length == encoded.Length
                ? X509CertificateLoader.LoadCertificate(encoded)
                : throw new TlsAlertException(AlertDescription.BadCertificate, "There are bytes behind the end of the peer's certificate.");
        }
        catch (Exception e) when (e is CryptographicException or AsnContentException)
        {
            throw new TlsAlertException(AlertDescription.BadCertificate, "The peer's certificate cannot be read.", e);
        }
    }

    // The end of a certificate is its signature, which looks random.
    private static int SlotOf(ReadOnlySpan<byte> encoded)
    {
        HashCode hash = default;
        hash.AddBytes(encoded[^Math.Min(encoded.Length, 32)..]);
        return (int)((uint)hash.ToHashCode() % Slots);
    }

    private sealed record Entry(byte[] Encoded, X509Certificate2 Certificate);
}
