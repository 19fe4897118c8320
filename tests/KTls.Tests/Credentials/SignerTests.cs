using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using KTls.Handshake;

namespace KTls.Tests.Credentials;

/// <summary>Handshakes that wait for a key elsewhere.</summary>
public sealed class SignerTests
{
    private static readonly ECDsa Key = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    [Theory]
    [InlineData(SslProtocols.Tls12)]
    [InlineData(SslProtocols.Tls13)]
    public async Task A_handshake_goes_on_when_the_signature_comes(SslProtocols protocol)
    {
        KTlsOptions kernelOptions = Options(async (scheme, content, token) =>
        {
            await Task.Delay(50, token);
            Assert.Equal(SignatureScheme.EcdsaSecp256r1Sha256, scheme);
            return Key.SignData(content.Span, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence);
        });
        using TcpPair tcp = TcpPair.Connect();
        using var peer = new SslStream(new NetworkStream(tcp.Client));
        Task handshake = peer.AuthenticateAsClientAsync(Sites.Client("signer.example", options => options.EnabledSslProtocols = protocol));
        await using KTlsStream ours = await KTlsStream.AuthenticateAsServerAsync(tcp.Server, new SslServerAuthenticationOptions(), kernelOptions);
        await handshake;
        Assert.Equal(protocol, peer.SslProtocol);
        await Transfer.BothWaysAsync(ours, peer, 10_000);
    }

    [Theory]
    [InlineData(SslProtocols.Tls12)]
    [InlineData(SslProtocols.Tls13)]
    public async Task The_client_is_told_when_the_signer_fails(SslProtocols protocol)
    {
        KTlsOptions kernelOptions = Options((_, _, _) => throw new InvalidOperationException("the HSM is locked"));
        using TcpPair tcp = TcpPair.Connect();
        Task<KTlsStream> client = KTlsStream.AuthenticateAsClientAsync(
            tcp.Client, Sites.Client("signer.example", options => options.EnabledSslProtocols = protocol), new KTlsOptions { DataPlane = DataPlanePolicy.UserSpace });
        Exception e = await Assert.ThrowsAnyAsync<Exception>(() => KTlsStream.AuthenticateAsServerAsync(tcp.Server, new SslServerAuthenticationOptions(), kernelOptions));
        Assert.Contains("the HSM is locked", e.ToString(), StringComparison.Ordinal);
        TlsAlertException alert = Assert.IsType<TlsAlertException>((await Assert.ThrowsAsync<AuthenticationException>(() => client)).InnerException);
        Assert.True(alert.ReceivedFromPeer);
        Assert.Equal(AlertDescription.InternalError, alert.Description);
    }

    [Fact]
    public async Task A_signer_that_never_answers_ends_with_the_handshakes_time()
    {
        var cancelled = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        KTlsOptions kernelOptions = Options(async (_, _, token) =>
        {
            try
            {
                await Task.Delay(Timeout.Infinite, token);
            }
            finally
            {
                cancelled.SetResult();
            }

            return [];
        });
        kernelOptions.HandshakeTimeout = TimeSpan.FromMilliseconds(500);
        using TcpPair tcp = TcpPair.Connect();
        Task<KTlsStream> client = KTlsStream.AuthenticateAsClientAsync(tcp.Client, Sites.Client("signer.example"), new KTlsOptions { DataPlane = DataPlanePolicy.UserSpace });
        await Assert.ThrowsAsync<TimeoutException>(() => KTlsStream.AuthenticateAsServerAsync(tcp.Server, new SslServerAuthenticationOptions(), kernelOptions));
        await cancelled.Task.WaitAsync(TimeSpan.FromSeconds(10));
        tcp.Server.Dispose();
        await Assert.ThrowsAnyAsync<Exception>(() => client);
    }

    private static KTlsOptions Options(Func<SignatureScheme, ReadOnlyMemory<byte>, CancellationToken, ValueTask<byte[]>> sign) =>
        Sites.Options(CertificateCredential.Create([TestPki.Issue(Key, "signer.example")], new DelegateSigner(sign)));
}
