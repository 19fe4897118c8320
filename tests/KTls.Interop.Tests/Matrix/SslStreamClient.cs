using System.Net.Security;
using System.Net.Sockets;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Text;

namespace KTls.Interop.Tests.Matrix;

/// <summary>.NET's SslStream as a client.</summary>
internal sealed partial class SslStreamClient : ClientPeer
{
    public override string Name => "SslStream";

    /// <summary>A policy for the suite is needed for all that it does not offer by itself.</summary>
    public static string? WhyNotEither(Cell cell) => cell.Kind == CellKind.Resumed && (cell.IsCcm || (!cell.IsTls13 && cell.IsChaCha20))
        ? "offers CCM, and ChaCha20 in TLS 1.2, only with a CipherSuitesPolicy, and with one it resumes nothing"
        : null;

    public override string? WhyNot(Cell cell) => WhyNotEither(cell);

    /// <summary>Whether a session was resumed: SslStream does not say so in public, but the OpenSSL beneath it does.</summary>
    public static bool IsResumed(SslStream stream)
    {
        var ssl = (SafeHandle)typeof(SslStream).GetField("_securityContext", BindingFlags.Instance | BindingFlags.NonPublic)!.GetValue(stream)!;
        return SessionReused(ssl) != 0;
    }

    protected override async Task<Told> ConnectAsync(Trial trial, int port)
    {
        Cell cell = trial.Cell;
        var options = new SslClientAuthenticationOptions
        {
            TargetHost = trial.ServerName,
            EnabledSslProtocols = cell.Version,

            // With a policy it resumes nothing; then our server alone sees to the suite.
            CipherSuitesPolicy = cell.Kind == CellKind.Resumed ? null : OurEnd.Only(cell),
            AllowTlsResume = cell.Kind == CellKind.Resumed,
            CertificateChainPolicy = TestPki.TrustRoot(),
        };
        if (cell.Kind == CellKind.Mutual)
        {
            options.ClientCertificateContext = SslStreamCertificateContext.Create(Identity.Client(cell).Certificate, [], offline: true);
        }

        Told told = null!;
        for (int i = 0; i < cell.Connections; i++)
        {
            using var stream = new SslStream(new NetworkStream(await Scenario.ConnectAsync(port), ownsSocket: true));
            await stream.AuthenticateAsClientAsync(options).WaitAsync(OurEnd.Patience);
            await stream.WriteAsync(Encoding.ASCII.GetBytes(trial.Request));
            string response = await OurEnd.ReadUntilAsync(stream, trial.Answer);
            await stream.ShutdownAsync();
            told = new Told(stream.NegotiatedCipherSuite, IsResumed(stream), stream.LocalCertificate is not null, response.EndsWith(trial.Answer, StringComparison.Ordinal));
        }

        return told;
    }

    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory)]
    [LibraryImport("libSystem.Security.Cryptography.Native.OpenSsl", EntryPoint = "CryptoNative_SslSessionReused")]
    private static partial int SessionReused(SafeHandle ssl);
}
