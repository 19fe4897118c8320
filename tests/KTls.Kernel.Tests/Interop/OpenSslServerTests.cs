using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using KTls.Handshake;

namespace KTls.Tests.Interop;

/// <summary>Our client over the kernel, and openssl s_server.</summary>
public sealed class OpenSslServerTests
{
    private static readonly TlsCipherSuite Aes128 = TlsCipherSuite.TLS_AES_128_GCM_SHA256;

    // The client sends a share for X25519 only: a server without that group asks for another one.
    [Theory]
    [MemberData(nameof(InKernel.Matrix), MemberType = typeof(InKernel))]
    public async Task Exchanges_data_and_close_notify(TlsCipherSuite suite, string key, NamedGroup group)
    {
        using var folder = new PeerFolder(key);
        int port = PeerPort.Free();
        var counters = new KernelCounters();
        await using PeerProcess peer = OpenSsl.StartServer(
            folder, port, suite, OpenSsl.Name(group), "-cert_chain", folder.IntermediateFile, "-alpn", "http/1.1");
        using Socket socket = await PeerPort.ConnectAsync(port, peer);
        await using KTlsStream ours = await KTlsStream.AuthenticateAsClientAsync(socket, PeerPki.Client(suite), InKernel.Required).Soon();
        InKernel.Check(ours, suite, group);
        Assert.Equal(PeerPki.Leaf(key).RawData, ours.RemoteCertificate!.RawData);
        await PeerExchange.BothWaysAsync(ours, peer);
        await ours.ShutdownAsync().Soon();
        await InKernel.CheckEndAsync(ours);

        Assert.Equal(0, await peer.EndAsync());
        OpenSsl.CheckCloseNotify(folder);
        Assert.Equal(group == NamedGroup.X25519 ? 1 : 2, OpenSsl.CountMessages(folder, "<<<", "ClientHello"));
        Assert.Equal(2, OpenSsl.CountMessages(folder, ">>>", "NewSessionTicket"));
        counters.CheckConnections(1);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(20)]
    public async Task Any_number_of_tickets_goes_unnoticed(int tickets)
    {
        using var folder = new PeerFolder();
        int port = PeerPort.Free();
        await using PeerProcess peer = OpenSsl.StartServer(folder, port, Aes128, "X25519", "-cert_chain", folder.IntermediateFile, "-num_tickets", $"{tickets}");
        using Socket socket = await PeerPort.ConnectAsync(port, peer);
        await using KTlsStream ours = await KTlsStream.AuthenticateAsClientAsync(socket, PeerPki.Client(Aes128), InKernel.Required).Soon();
        await PeerExchange.BothWaysAsync(ours, peer);
        await ours.ShutdownAsync().Soon();
        await InKernel.CheckEndAsync(ours);
        await peer.EndAsync();
        Assert.Equal(tickets, OpenSsl.CountMessages(folder, ">>>", "NewSessionTicket"));
    }

    [Fact]
    public async Task A_chain_without_its_intermediate_is_refused()
    {
        using var folder = new PeerFolder();
        int port = PeerPort.Free();
        await using PeerProcess peer = OpenSsl.StartServer(folder, port, Aes128, "X25519");
        using Socket socket = await PeerPort.ConnectAsync(port, peer);
        await Assert.ThrowsAsync<AuthenticationException>(
            () => KTlsStream.AuthenticateAsClientAsync(socket, PeerPki.Client(Aes128), InKernel.Required).Soon());
        await peer.EndAsync();
        Assert.Equal(1, OpenSsl.CountMessages(folder, "<<<", "unknown_ca"));
    }

    [Theory]
    [InlineData("localhost", true)]
    [InlineData("127.0.0.1", false)]
    public async Task The_server_sees_a_name_but_no_address(string host, bool isName)
    {
        using var folder = new PeerFolder();
        string namedKey = folder.Write("named.key", TestPki.Ecdsa.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem());
        string named = folder.Write("named.pem", TestPki.Ecdsa.ExportCertificatePem());
        int port = PeerPort.Free();
        await using PeerProcess peer = OpenSsl.StartServer(
            folder, port, Aes128, "X25519", "-servername", "localhost", "-cert2", named, "-key2", namedKey);
        using Socket socket = await PeerPort.ConnectAsync(port, peer);
        var options = new SslClientAuthenticationOptions { TargetHost = host, RemoteCertificateValidationCallback = (_, _, _, _) => true };
        await using KTlsStream ours = await KTlsStream.AuthenticateAsClientAsync(socket, options, InKernel.Required).Soon();
        Assert.Equal((isName ? TestPki.Ecdsa : PeerPki.Ecdsa).RawData, ours.RemoteCertificate!.RawData);
    }
}
