using System.Net.Security;
using System.Security.Authentication;
using KTls.Handshake;

namespace KTls.Interop.Tests.WrongPeers;

/// <summary>Our client and servers whose certificates are wrong: OpenSSL's server says which alert came.</summary>
public sealed class WrongServerTests
{
    internal static TheoryData<Wrong, AlertDescription?, SslProtocols> All =>
    [
        .. new (Wrong, AlertDescription?)[]
        {
            (Wrong.Nothing, null),
            (Wrong.Expired, AlertDescription.CertificateExpired),
            (Wrong.NotYetValid, AlertDescription.CertificateExpired),
            (Wrong.Name, AlertDescription.BadCertificate),
            (Wrong.Root, AlertDescription.UnknownCa),
            (Wrong.KeyUsage, AlertDescription.IllegalParameter),
            (Wrong.ExtendedKeyUsage, AlertDescription.UnsupportedCertificate),
            (Wrong.NothingInCrl, null),
            (Wrong.RevokedInCrl, AlertDescription.CertificateRevoked),
            (Wrong.NothingByOcsp, null),
            (Wrong.RevokedByOcsp, AlertDescription.CertificateRevoked),
            (Wrong.RevocationUnknown, AlertDescription.CertificateUnknown),
        }.SelectMany(row => new[] { SslProtocols.Tls12, SslProtocols.Tls13 }.Select(version => new TheoryDataRow<Wrong, AlertDescription?, SslProtocols>(row.Item1, row.Item2, version)))
    ];

    // OpenSSL's server does not use a key in TLS 1.2 that must not sign.
    public static TheoryData<Wrong, AlertDescription?, SslProtocols> Cases => [.. All.Where(row => row.Data is not { Item1: Wrong.KeyUsage, Item3: SslProtocols.Tls12 })];

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task A_server_is_refused_with_the_alert_that_says_why(Wrong how, AlertDescription? alert, SslProtocols version)
    {
        using var authority = new Authority();
        (string certificate, string key) = authority.Issue(how, isClients: false);
        int port = Scenario.FreePort();
        using PeerProcess peer = PeerProcess.Start(
            "openssl", "s_server", "-naccept", "1", "-accept", $"127.0.0.1:{port}", "-cert", certificate, "-key", key, version == SslProtocols.Tls12 ? "-tls1_2" : "-tls1_3");
        await peer.WaitForPortAsync(port);
        var client = new SslClientAuthenticationOptions { TargetHost = Authority.ServerName, CertificateChainPolicy = authority.Policy(how) };
        using System.Net.Sockets.Socket socket = await Scenario.ConnectAsync(port);
        Task<KTlsStream> connecting = KTlsStream.AuthenticateAsClientAsync(socket, client, Scenario.Kernel);
        if (alert is null)
        {
            await using KTlsStream ours = await connecting;
            await ours.ShutdownAsync();
        }
        else
        {
            await Assert.ThrowsAsync<AuthenticationException>(() => connecting);
            socket.Dispose();
        }

        await peer.FinishAsync();
        Assert.Equal(alert, OpenSslAlert.In(await peer.ErrorsAsync()));
    }
}
