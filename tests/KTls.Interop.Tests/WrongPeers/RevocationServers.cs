using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace KTls.Interop.Tests.WrongPeers;

/// <summary>Where an authority says what it has revoked: a list over HTTP, and an OCSP responder of OpenSSL's.</summary>
internal sealed class RevocationServers(Authority authority) : IDisposable
{
    private readonly CertificateRevocationListBuilder _list = new();
    private Socket? _listener;
    private PeerProcess? _responder;

    /// <summary>Whether a test is about revocation.</summary>
    public static bool Concerns(Wrong how) => how >= Wrong.NothingInCrl;

    /// <summary>Starts the server that the certificate names, and lets it know about the certificate.</summary>
    /// <returns>The extensions with the server's address.</returns>
    public IEnumerable<X509Extension> Extensions(Wrong how, byte[] serial)
    {
        switch (how)
        {
            case Wrong.NothingInCrl or Wrong.RevokedInCrl:
                if (how == Wrong.RevokedInCrl)
                {
                    _list.AddEntry(serial);
                }

                return [CertificateRevocationListBuilder.BuildCrlDistributionPointExtension([$"http://127.0.0.1:{ServeList()}/list.crl"])];
            case Wrong.NothingByOcsp or Wrong.RevokedByOcsp:
                return [new X509AuthorityInformationAccessExtension([$"http://127.0.0.1:{StartResponder(serial, how == Wrong.RevokedByOcsp)}/"], [])];
            case Wrong.RevocationUnknown:
                return [new X509AuthorityInformationAccessExtension([$"http://127.0.0.1:{Scenario.FreePort()}/"], [])];
            default:
                return [];
        }
    }

    public void Dispose()
    {
        _listener?.Dispose();
        _responder?.Dispose();
    }

    private int ServeList()
    {
        byte[] list = _list.Build(authority.Root, 1, DateTimeOffset.UtcNow.AddDays(1), HashAlgorithmName.SHA256, thisUpdate: DateTimeOffset.UtcNow.AddMinutes(-1));
        Socket listener = _listener = Scenario.Listen(out int port);
        _ = ServeAsync();
        return port;

        async Task ServeAsync()
        {
            byte[] response = [.. Encoding.ASCII.GetBytes($"HTTP/1.1 200 OK\r\nContent-Length: {list.Length}\r\nConnection: close\r\n\r\n"), .. list];
            while (true)
            {
                try
                {
                    using Socket socket = await listener.AcceptAsync();
                    await socket.ReceiveAsync(new byte[4096]);
                    await socket.SendAsync(response);
                    socket.Shutdown(SocketShutdown.Send);
                    await socket.ReceiveAsync(new byte[1]);
                }
                catch (Exception e) when (e is SocketException or ObjectDisposedException)
                {
                    return;
                }
            }
        }
    }

    // Its index is that of "openssl ca": status, expiry, time of revocation, serial, file, name.
    private int StartResponder(byte[] serial, bool isRevoked)
    {
        string expiry = $"{DateTime.UtcNow.AddDays(2):yyMMddHHmmss}Z";
        string revoked = isRevoked ? $"{DateTime.UtcNow.AddDays(-1):yyMMddHHmmss}Z,keyCompromise" : string.Empty;
        string index = authority.Write("index.txt", $"{(isRevoked ? 'R' : 'V')}\t{expiry}\t{revoked}\t{Convert.ToHexString(serial)}\tunknown\t/CN=somebody\n");
        string key = authority.Write("root.key", authority.Root.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem());
        int port = Scenario.FreePort();
        _responder = PeerProcess.Start(
            "openssl", "ocsp", "-index", index, "-CA", authority.RootFile, "-rsigner", authority.RootFile, "-rkey", key, "-port", $"{port}", "-nmin", "5", "-ignore_err");
        _responder.WaitForPortAsync(port).GetAwaiter().GetResult();
        return port;
    }
}
