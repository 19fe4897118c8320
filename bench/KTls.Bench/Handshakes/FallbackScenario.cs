using System.Net.Security;
using System.Net.Sockets;
using KTls.Handshake;
using KTls.Tests;

namespace KTls.Bench.Handshakes;

/// <summary>What it costs that SslStream serves behind our face: the same handshakes by SslStream alone, in turns.</summary>
internal sealed class FallbackScenario : IScenario
{
    private static readonly string[] Decisions = ["server-options", "server-kernel", "server-hello", "server-credentials", "client-options", "client-kernel"];

    public string Name => "fallback";

    public string Usage =>
        $"fallback [--modes full,ticketed] [--decisions {string.Join(',', Decisions)}] [--repetitions 11] [--handshakes 250] [--concurrency 8]";

    public async Task<Report> RunAsync(CommandLine options)
    {
        HandshakeMode[] modes = [.. options.TakeSome("modes", "full", "ticketed").Select(name => Enum.Parse<HandshakeMode>(name, ignoreCase: true))];
        string[] decisions = options.TakeSome("decisions", Decisions);
        int repetitions = options.Take("repetitions", 11);
        int count = options.Take("handshakes", 250);
        int concurrency = options.Take("concurrency", 8);
        options.ExpectEnd();

        var report = new Report(Name);
        report.Set("repetitions", repetitions);
        report.Set("handshakes", $"{count} per repetition, {concurrency} at a time");
        foreach (HandshakeMode mode in modes)
        {
            foreach (string decision in decisions)
            {
                MeasuredRoles role = decision.StartsWith("server", StringComparison.Ordinal) ? MeasuredRoles.Server : MeasuredRoles.Client;
                using var batch = new HandshakeBatch(role, new HandshakeKind(mode), count, concurrency);
                ITlsImplementation[] both = [new FallenBack(mode, decision), new SslStreamImplementation(new HandshakeKind(mode))];
                await Comparison.RunAsync(report, $"{mode}, {decision}", batch, both, repetitions, count, withPrimitives: false);
            }
        }

        return report;
    }

    /// <summary>KTls that leaves each connection to SslStream, for one reason.</summary>
    private sealed class FallenBack : ITlsImplementation
    {
        private readonly KTlsOptions _options;
        private readonly SslServerAuthenticationOptions _server = TestPki.Server();
        private readonly SslClientAuthenticationOptions _client = TestPki.Client();

        public FallenBack(HandshakeMode mode, string decision)
        {
            _server.AllowTlsResume = _client.AllowTlsResume = mode != HandshakeMode.Full;
            bool readsHello = decision is "server-hello" or "server-credentials";
            _options = new KTlsOptions
            {
                DataPlane = readsHello ? DataPlanePolicy.UserSpace
                    : decision.EndsWith("kernel", StringComparison.Ordinal) ? DataPlanePolicy.PreferKernel
                    : DataPlanePolicy.SslStream,

                // The peer has X25519 alone. This is the last obstacle that is looked for.
                Groups = readsHello ? [NamedGroup.Secp256r1] : null,
            };
            if (decision == "server-credentials")
            {
                _options.ServerCredentials = new ServerCredentials(CertificateCredential.FromCertificate(TestPki.Ecdsa));
                _server.ServerCertificateContext = null;
            }
        }

        public string Name => "KTls";

        public async Task<Stream> AcceptAsync(Socket socket) => Checked(await KTlsStream.AuthenticateAsServerAsync(socket, _server, _options));

        public async Task<Stream> ConnectAsync(Socket socket) => Checked(await KTlsStream.AuthenticateAsClientAsync(socket, _client, _options));

        private static KTlsStream Checked(KTlsStream stream) => stream.Sending.Kind == DataPlaneKind.SslStream
            ? stream
            : throw new InvalidOperationException($"SslStream was to serve, and not {stream.Sending}: leave this one out with --decisions.");
    }
}
