using System.Net.Security;
using System.Security.Cryptography;
using KTls.Handshake;
using KTls.Handshake.Crypto;
using KTls.Tests;

namespace KTls.Bench.Handshakes;

/// <summary>
/// The cryptography that a server cannot do without in a full handshake: one key generation, one agreement, one signature
/// and the derivations of RFC 8446 §7.1, by the same providers that the handshake uses, and nothing else.
/// </summary>
internal sealed class ServerPrimitives : IDisposable
{
    private readonly CipherSuite _suite = CipherSuite.All[0];
    private readonly KeyExchange _client = KeyExchange.Create(NamedGroup.X25519);
    private readonly CertificateCredential _credential;
    private readonly byte[] _content = RandomNumberGenerator.GetBytes(130);
    private readonly byte[] _hash = RandomNumberGenerator.GetBytes(32);

    public ServerPrimitives()
    {
        SslStreamCertificateContext context = SslStreamCertificateContext.Create(TestPki.Ecdsa, [], offline: true);
        _credential = CertificateCredential.TryCreate(context, out CertificateCredential? credential, out string? reason)
            ? credential
            : throw new InvalidOperationException(reason);
    }

    public Usage Run(int count)
    {
        Usage before = Usage.Now();
        for (int i = 0; i < count; i++)
        {
            RunOnce();
        }

        return Usage.Now() - before;
    }

    public void Dispose() => _client.Dispose();

    private void RunOnce()
    {
        Span<byte> shared = stackalloc byte[KeyExchange.MaxSharedSecretLength];
        using KeyExchange exchange = KeyExchange.Create(NamedGroup.X25519);
        int sharedLength = exchange.Agree(_client.PublicShare, shared);
        _credential.Sign(SignatureScheme.EcdsaSecp256r1Sha256, _content);
        Derive(shared[..sharedLength]);
    }

    private void Derive(ReadOnlySpan<byte> shared)
    {
        Span<byte> verifyData = stackalloc byte[_suite.HashLength];
        using var schedule = new KeySchedule(_suite);
        schedule.EnterHandshake(shared);
        using SecretBytes server = schedule.Derive("s hs traffic"u8, _hash);
        using SecretBytes client = schedule.Derive("c hs traffic"u8, _hash);
        new RecordKeys(_suite, server.Span).Dispose();
        new RecordKeys(_suite, client.Span).Dispose();
        KeySchedule.FinishedVerifyData(_suite, server.Span, _hash, verifyData);
        schedule.EnterMaster();
        using SecretBytes serverApplication = schedule.Derive("s ap traffic"u8, _hash);
        using SecretBytes clientApplication = schedule.Derive("c ap traffic"u8, _hash);
        KeySchedule.FinishedVerifyData(_suite, client.Span, _hash, verifyData);
        new RecordKeys(_suite, serverApplication.Span).Dispose();
        new RecordKeys(_suite, clientApplication.Span).Dispose();
    }
}
