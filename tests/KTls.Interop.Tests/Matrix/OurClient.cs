using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace KTls.Interop.Tests.Matrix;

/// <summary>Our client for one trial.</summary>
internal static class OurClient
{
    /// <summary>Connects, sends the request and reads until <paramref name="answer"/>.</summary>
    public static async Task<Told> ConnectAsync(Trial trial, int port, string answer)
    {
        Cell cell = trial.Cell;
        var options = new SslClientAuthenticationOptions
        {
            TargetHost = trial.ServerName,
            EnabledSslProtocols = cell.Version,
            CipherSuitesPolicy = OurEnd.Only(cell),
            AllowTlsResume = cell.Kind == CellKind.Resumed,
            CertificateChainPolicy = TestPki.TrustRoot(),
        };
        if (cell.Kind == CellKind.Mutual)
        {
            options.ClientCertificateContext = SslStreamCertificateContext.Create(Identity.Client(cell).Certificate, [], offline: true);
        }

        await using KTlsStream stream = await KTlsStream.AuthenticateAsClientAsync(await Scenario.ConnectAsync(port), options, OurEnd.Options);
        await stream.WriteAsync(Encoding.ASCII.GetBytes(trial.Request));
        string received = await OurEnd.ReadUntilAsync(stream, answer);
        await stream.ShutdownAsync();
        return OurEnd.Tell(stream, isServer: false, data: received.EndsWith(answer, StringComparison.Ordinal));
    }
}
