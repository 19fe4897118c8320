using System.Net.Security;
using System.Net.Sockets;
using System.Text;

namespace KTls.Interop.Tests.Matrix;

/// <summary>.NET's SslStream as a server.</summary>
internal sealed class SslStreamServer : ServerPeer
{
    public override string Name => "SslStream";

    public override string? WhyNot(Cell cell) => SslStreamClient.WhyNotEither(cell);

    protected override Task<RunningServer> StartAsync(Trial trial)
    {
        Socket listener = Scenario.Listen(out int port);
        return Task.FromResult<RunningServer>(new Running(trial, port, listener));
    }

    private sealed class Running(Trial trial, int port, Socket listener) : RunningServer(trial, port)
    {
        private readonly SslServerAuthenticationOptions _options = new()
        {
            ServerCertificateContext = SslStreamCertificateContext.Create(Identity.Server(trial.Cell).Certificate, [], offline: true),
            EnabledSslProtocols = trial.Cell.Version,

            // With a policy it resumes nothing; then our client alone sees to the suite.
            CipherSuitesPolicy = trial.Cell.Kind == CellKind.Resumed ? null : OurEnd.Only(trial.Cell),
            AllowTlsResume = trial.Cell.Kind == CellKind.Resumed,
            ClientCertificateRequired = trial.Cell.Kind == CellKind.Mutual,
            CertificateChainPolicy = TestPki.TrustRoot(),
        };

        private Task<Told> _serving = null!;

        public override Task AnswerAsync() => _serving = ServeAsync();

        public override Task<Told> TellAsync() => _serving.WaitAsync(OurEnd.Patience);

        public override ValueTask DisposeAsync()
        {
            listener.Dispose();
            return ValueTask.CompletedTask;
        }

        private async Task<Told> ServeAsync()
        {
            using var stream = new SslStream(new NetworkStream(await listener.AcceptAsync(), ownsSocket: true));
            await stream.AuthenticateAsServerAsync(_options).WaitAsync(OurEnd.Patience);
            string request = await OurEnd.ReadUntilAsync(stream, Trial.Question);
            await stream.WriteAsync(Encoding.ASCII.GetBytes(Trial.Answer));
            await stream.ShutdownAsync();
            return new Told(
                stream.NegotiatedCipherSuite,
                SslStreamClient.IsResumed(stream),
                stream.RemoteCertificate?.Subject == $"CN={Identity.ClientName}",
                request.EndsWith(Trial.Question, StringComparison.Ordinal));
        }
    }
}
