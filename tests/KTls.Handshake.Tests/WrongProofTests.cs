using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using KTls.Handshake.Wire;

namespace KTls.Handshake.Tests;

/// <summary>
/// Peers that do not have the key of their certificate, or do not share the transcript: the handshake ends, and the alert arrives
/// at the peer. TLS 1.3's Finished is in <see cref="ServerFlightMutationTests"/> and <see cref="ServerRecordTests"/>.
/// </summary>
public sealed class WrongProofTests
{
    public static TheoryData<SslProtocols, bool, string> Signatures =>
    [
        .. from protocol in new[] { SslProtocols.Tls12, SslProtocols.Tls13 }
           from isServers in new[] { true, false }
           from how in new[] { "of something else", "changed", "cut off", "by another key" }
           select new TheoryDataRow<SslProtocols, bool, string>(protocol, isServers, how),
    ];

    /// <summary>A server signs its key exchange (TLS 1.2) or the transcript (TLS 1.3), a client the transcript.</summary>
    [Theory]
    [MemberData(nameof(Signatures))]
    public void A_wrong_signature_is_a_decrypt_error(SslProtocols protocol, bool isServers, string how)
    {
        CertificateCredential signing = WithSigner(how);
        using var pair = new HandshakePair(
            new ServerHandshakeOptions { Credential = isServers ? signing : TestCertificates.Ecdsa, Protocols = protocol, RequestClientCertificate = !isServers },
            new ClientHandshakeOptions { ServerName = "localhost", Protocols = protocol, SelectCertificate = isServers ? null : _ => signing });
        AssertRefused(pair, byServer: !isServers, AlertDescription.DecryptError);
    }

    [Theory]
    [InlineData(SslProtocols.Tls12)]
    [InlineData(SslProtocols.Tls13)]
    public void The_same_ends_with_right_signatures(SslProtocols protocol)
    {
        using var pair = new HandshakePair(
            new ServerHandshakeOptions { Credential = WithSigner("right"), Protocols = protocol, RequestClientCertificate = true },
            new ClientHandshakeOptions { ServerName = "localhost", Protocols = protocol, SelectCertificate = _ => WithSigner("right") });
        pair.Run();
    }

    /// <summary>TLS 1.2: the ticket is the one message in the clear between the two Finished. Changed, it changes what the server's must be.</summary>
    [Fact]
    public void A_servers_Finished_of_another_transcript_is_a_decrypt_error()
    {
        using var pair = new HandshakePair(
            new ServerHandshakeOptions { Credential = TestCertificates.Ecdsa, Protocols = SslProtocols.Tls12, Tickets = new TicketKeyRing() },
            new ClientHandshakeOptions { ServerName = "localhost", Protocols = SslProtocols.Tls12, RequestTickets = true });
        bool changed = false;
        pair.Tamper = (fromClient, _, record) =>
        {
            if (!fromClient && record[0] == (byte)ContentType.Handshake && record[RecordHeader.Size] == (byte)HandshakeType.NewSessionTicket)
            {
                record[^1] ^= 1;
                changed = true;
            }

            return record;
        };
        AssertRefused(pair, byServer: false, AlertDescription.DecryptError);
        Assert.True(changed);
    }

    /// <summary>TLS 1.2 without the extended master secret: the keys do not depend on the ClientHello, the client's Finished does.</summary>
    [Fact]
    public void A_clients_Finished_of_another_transcript_is_a_decrypt_error()
    {
        using var pair = new HandshakePair(
            new ServerHandshakeOptions { Credential = TestCertificates.Ecdsa, Protocols = SslProtocols.Tls12, RequireExtendedMasterSecret = false },
            new ClientHandshakeOptions { ServerName = "localhost", Protocols = SslProtocols.Tls12, RequireExtendedMasterSecret = false });
        pair.Tamper = (fromClient, number, record) =>
        {
            if (fromClient && number == 0)
            {
                // extended_master_secret, empty, becomes an extension that nobody knows.
                int extension = record.AsSpan().LastIndexOf<byte>([0, 23, 0, 0]);
                Assert.NotEqual(-1, extension);
                record[extension] = 0xfe;
            }

            return record;
        };
        AssertRefused(pair, byServer: true, AlertDescription.DecryptError);
    }

    private static CertificateCredential WithSigner(string how)
    {
        ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        X509Certificate2 certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        ECDsa signing = how == "by another key" ? ECDsa.Create(ECCurve.NamedCurves.nistP256) : key;
        return CertificateCredential.Create([certificate], new Signer(content =>
        {
            byte[] signature = signing.SignData(
                how == "of something else" ? [.. content.Span, 0] : content.ToArray(), HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence);
            if (how == "changed")
            {
                signature[^1] ^= 1;
            }

            return how == "cut off" ? signature[..^1] : signature;
        }));
    }

    private static void AssertRefused(HandshakePair pair, bool byServer, AlertDescription alert)
    {
        TlsAlertException e = Assert.Throws<TlsAlertException>(pair.Run);
        Assert.Equal((alert, false), (e.Description, e.ReceivedFromPeer));
        (TlsHandshake refusing, TlsHandshake refused) = byServer ? ((TlsHandshake)pair.Server, (TlsHandshake)pair.Client) : (pair.Client, pair.Server);
        Assert.Equal(HandshakeStatus.Failed, refusing.Status);
        Assert.Equal(alert, HandshakePair.DeliverAlert(refusing, refused));
    }

    private sealed class Signer(Func<ReadOnlyMemory<byte>, byte[]> sign) : ICertificateSigner
    {
        public ValueTask<byte[]> SignAsync(SignatureScheme scheme, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) => ValueTask.FromResult(sign(content));
    }
}
