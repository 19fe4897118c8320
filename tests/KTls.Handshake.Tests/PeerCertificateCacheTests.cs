using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Request = System.Security.Cryptography.X509Certificates.CertificateRequest;

namespace KTls.Handshake.Tests;

/// <summary>What is kept of a peer's certificate is never mistaken for another one, nor disposed with it.</summary>
public sealed class PeerCertificateCacheTests
{
    [Fact]
    public void A_certificate_that_comes_again_is_its_own_object()
    {
        byte[] encoded = Encode("CN=again");
        X509Certificate2 first = PeerCertificateCache.Load(encoded);
        using X509Certificate2 second = PeerCertificateCache.Load([.. encoded]);
        Assert.NotSame(first, second);
        first.Dispose();
        using X509Certificate2 third = PeerCertificateCache.Load([.. encoded]);
        Assert.Equal(encoded, second.RawData);
        Assert.Equal(encoded, third.RawData);
        Assert.Equal("CN=again", third.Subject);
        using ECDsa? key = third.GetECDsaPublicKey();
        Assert.NotNull(key);
    }

    /// <summary>Same end, so same place: all other bytes count.</summary>
    [Fact]
    public void Certificates_that_end_alike_are_told_apart()
    {
        byte[] encoded = Encode("CN=alike");
        byte[] other = [.. encoded];

        // The issuer's name comes first, then the subject's.
        other[other.AsSpan().LastIndexOf("alike"u8)] = (byte)'A';
        for (int i = 0; i < 3; i++)
        {
            using X509Certificate2 one = PeerCertificateCache.Load(encoded);
            using X509Certificate2 two = PeerCertificateCache.Load(other);
            Assert.Equal("CN=alike", one.Subject);
            Assert.Equal("CN=Alike", two.Subject);
        }
    }

    [Fact]
    public void More_certificates_than_are_kept_and_large_ones_are_all_right()
    {
        byte[][] encoded = [.. Enumerable.Range(0, 200).Select(i => Encode($"CN=number {i}")), Encode("CN=large", new byte[20_000])];
        for (int round = 0; round < 2; round++)
        {
            foreach (byte[] one in encoded)
            {
                using X509Certificate2 certificate = PeerCertificateCache.Load(one);
                Assert.Equal(one, certificate.RawData);
            }
        }
    }

    [Fact]
    public void What_is_no_certificate_is_a_bad_one_each_time()
    {
        byte[] encoded = Encode("CN=bad");
        byte[][] bad = [[], [0x30], [0x30, 0x00], encoded[..^1], [.. encoded, 0], new byte[100], [.. "-----BEGIN CERTIFICATE-----"u8]];
        for (int round = 0; round < 2; round++)
        {
            Assert.All(bad, one => Assert.Equal(AlertDescription.BadCertificate, Assert.Throws<TlsAlertException>(() => PeerCertificateCache.Load(one)).Description));
        }
    }

    [Fact]
    public void Many_threads_load_at_once()
    {
        byte[][] encoded = [.. Enumerable.Range(0, 8).Select(i => Encode($"CN=thread {i}"))];
        Parallel.For(0, 2000, i =>
        {
            using X509Certificate2 certificate = PeerCertificateCache.Load(encoded[i % 8]);
            using ECDsa? key = certificate.GetECDsaPublicKey();
            Assert.Equal($"CN=thread {i % 8}", certificate.Subject);
            Assert.NotNull(key);
        });
    }

    private static byte[] Encode(string subject, byte[]? filler = null)
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new Request(subject, key, HashAlgorithmName.SHA256);
        if (filler is not null)
        {
            request.CertificateExtensions.Add(new X509Extension("2.5.29.99", filler, critical: false));
        }

        using X509Certificate2 certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        return certificate.RawData;
    }
}
