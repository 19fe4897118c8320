using System.Security.Cryptography.X509Certificates;
using KTls.Fuzz.Handshakes;
using KTls.Handshake;
using KTls.Handshake.Crypto;

namespace KTls.Fuzz.Parsers;

/// <summary>Keys, certificates and signatures of peers.</summary>
internal static class PeerKeyTargets
{
    /// <summary>What is signed.</summary>
    public static readonly byte[] Content = [.. "what a peer signs"u8];

    public static IEnumerable<Target> All { get; } =
    [
        new("PeerCertificate", ReadCertificate) { IsDer = true, Weight = 3, MaxAllocation = 2 << 20 },
        new("KeyShare", Agree) { MaxLength = 2048 },
        new("Signature", Verify) { MaxLength = 1024 },
    ];

    private static void ReadCertificate(ReadOnlySpan<byte> input)
    {
        using X509Certificate2 certificate = PeerCertificateCache.Load(input.ToArray());
        CertificateKey.TryRead(certificate, out _, out _);
        CertificateNames.Read(certificate);
        foreach (bool isTls13 in (bool[])[true, false])
        {
            foreach (SignatureScheme scheme in SignatureAlgorithm.ForHandshake12)
            {
                try
                {
                    SignatureAlgorithm.Verify(certificate, isTls13, scheme, Content, Content, "CertificateVerify");
                    throw new BrokenPromiseException("A signature that nobody has made is valid.");
                }
                catch (TlsAlertException e) when (e.Description != AlertDescription.InternalError)
                {
                    // It is refused.
                }
            }
        }

        using var chain = new X509Chain();
        var policy = new X509ChainPolicy { RevocationMode = X509RevocationMode.NoCheck, TrustMode = X509ChainTrustMode.CustomRootTrust, DisableCertificateDownloads = true };
        chain.ChainPolicy = PeerCertificateValidation.CreatePolicy(policy, X509RevocationMode.NoCheck, []);
        BrokenPromiseException.ThrowUnless(
            PeerCertificateValidation.Validate(chain, certificate, "localhost") != System.Net.Security.SslPolicyErrors.None, "a certificate of no authority is not trusted");
        PeerCertificateValidation.AlertFor(chain);
    }

    // The first byte chooses the group and the role; the others are the peer's share.
    private static void Agree(ReadOnlySpan<byte> input)
    {
        byte choice = Message.TakeChoice(ref input);
        NamedGroup group = KeyExchange.Groups[choice % KeyExchange.Groups.Length];
        Span<byte> secret = stackalloc byte[KeyExchange.MaxSharedSecretLength];
        int length;
        if (choice < 128)
        {
            length = KeyExchange.Respond(group, input, secret, out _);
        }
        else
        {
            using KeyExchange exchange = KeyExchange.Create(group);
            length = exchange.Agree(input, secret);
        }

        BrokenPromiseException.ThrowUnless(secret[..length].ContainsAnyExcept((byte)0), "a secret is not all zeros (RFC 8446 §7.4.2)");
    }

    // The first two bytes choose the certificate and the scheme; the others are the signature.
    private static void Verify(ReadOnlySpan<byte> input)
    {
        CertificateCredential credential = TestKeys.All[Message.TakeChoice(ref input) % TestKeys.All.Length];
        byte choice = Message.TakeChoice(ref input);
        SignatureScheme scheme = SignatureAlgorithm.ForHandshake12[choice % SignatureAlgorithm.ForHandshake12.Length];
        SignatureAlgorithm.Verify(credential.Certificate, isTls13: choice < 128, scheme, Content, input, "CertificateVerify");
        BrokenPromiseException.ThrowUnless((choice < 128 ? credential.Schemes : credential.Tls12Schemes).Contains(scheme), "a signature is of a scheme of its key");
    }
}
