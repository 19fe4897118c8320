using System.Net.Security;
using KTls.Handshake;
using KTls.Interop.Tests;

namespace KTls.Tests;

/// <summary>A server of TLS 1.2 that wants to renegotiate.</summary>
public sealed class RenegotiationTests
{
    private static readonly byte[] HelloRequest = [0, 0, 0, 0];

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    [Option(typeof(SslClientAuthenticationOptions), nameof(SslClientAuthenticationOptions.AllowRenegotiation))]
    public async Task A_client_refuses_and_goes_on(bool allow)
    {
        SslClientAuthenticationOptions options = TestPki.Client();
        options.AllowRenegotiation = allow;
        options.EnabledSslProtocols = System.Security.Authentication.SslProtocols.Tls12;
        CertificateCredential.TryCreate(SslStreamCertificateContext.Create(TestPki.Ecdsa, [], offline: true), out CertificateCredential? credential, out _);
        using TcpPair tcp = TcpPair.Connect();
        Task<KTlsStream> connecting = KTlsStream.AuthenticateAsClientAsync(tcp.Client, options, new KTlsOptions { DataPlane = DataPlanePolicy.UserSpace });
        using RawPeer peer = await RawPeer.AcceptAsync(tcp.Server, credential!);
        await using KTlsStream ours = await connecting;
        await peer.SendAsync(peer.Seal(ContentType.Handshake, HelloRequest), peer.Seal(ContentType.ApplicationData, [1]));
        byte[] received = new byte[1];
        await ours.ReadExactlyAsync(received).AsTask().WaitAsync(TimeSpan.FromSeconds(20));
        (ContentType type, byte[] content) = await peer.ReceiveAsync();
        Assert.Equal((ContentType.Alert, 1, AlertDescription.NoRenegotiation), (type, content[0], (AlertDescription)content[1]));
        await ours.WriteAsync(new byte[] { 2 });
        (type, content) = await peer.ReceiveAsync();
        Assert.Equal((ContentType.ApplicationData, (byte)2), (type, content.Single()));
    }
}
