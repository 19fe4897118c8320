using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using KTls.Handshake;

namespace KTls.Interop.Tests.WrongPeers;

/// <summary>Our server and clients whose certificates are wrong: OpenSSL's client says which alert came.</summary>
public sealed class WrongClientTests
{
    // A client's name is not looked at.
    public static TheoryData<Wrong, AlertDescription?, SslProtocols> Cases => [.. WrongServerTests.All.Where(row => row.Data.Item1 != Wrong.Name)];

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task A_client_is_refused_with_the_alert_that_says_why(Wrong how, AlertDescription? alert, SslProtocols version)
    {
        using var authority = new Authority();
        (string certificate, string key) = authority.Issue(how, isClients: true);
        using Socket listener = Scenario.Listen(out int port);
        using PeerProcess peer = PeerProcess.Start(
            "openssl", "s_client", "-quiet", "-connect", $"127.0.0.1:{port}", "-servername", "localhost", "-CAfile", Scenario.RootFile, "-verify_return_error",
            "-cert", certificate, "-key", key, version == SslProtocols.Tls12 ? "-tls1_2" : "-tls1_3");
        SslServerAuthenticationOptions server = TestPki.Server();
        server.ClientCertificateRequired = true;
        server.CertificateChainPolicy = authority.Policy(how);
        using Socket socket = await listener.AcceptAsync();
        Task<KTlsStream> accepting = KTlsStream.AuthenticateAsServerAsync(socket, server, Scenario.Kernel);
        if (alert is null)
        {
            await using KTlsStream ours = await accepting;
            Assert.Equal("CN=a client", ours.RemoteCertificate!.Subject);
            await ours.ShutdownAsync();
        }
        else
        {
            await Assert.ThrowsAsync<AuthenticationException>(() => accepting);
            socket.Dispose();
        }

        await peer.FinishAsync();
        Assert.Equal(alert, OpenSslAlert.In(await peer.ErrorsAsync()));
    }
}
