using System.Net.Security;
using KTls.Handshake;

namespace KTls.Bench.Handshakes;

/// <summary>
/// Handshakes over loopback, ours and SslStream's in turns. The client validates: certificate loading, chain and name are
/// its work. Processor time counts, since the clock on a busy machine says little.
/// </summary>
internal sealed class HandshakeScenario : IScenario
{
    private const string NoSuite = "default";

    private static readonly string[] Suites =
    [
        NoSuite, .. new[]
        {
            TlsCipherSuite.TLS_AES_128_GCM_SHA256, TlsCipherSuite.TLS_AES_256_GCM_SHA384, TlsCipherSuite.TLS_CHACHA20_POLY1305_SHA256,
            TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
            TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
        }.Select(suite => suite.ToString()),
    ];

    private static readonly string[] Groups = [nameof(NamedGroup.X25519), nameof(NamedGroup.Secp256r1), nameof(NamedGroup.Secp384r1), nameof(NamedGroup.Secp521r1), nameof(NamedGroup.X25519MLKem768)];

    public string Name => "handshake";

    public string Usage =>
        "handshake [--modes full,ticketed,resumed] [--roles both,server,client] [--implementations KTls,SslStream]"
        + $" [--suites {NoSuite}|{string.Join(',', Suites)}] [--groups {NamedGroup.X25519}|{string.Join(',', Groups)}]"
        + " [--repetitions 11] [--handshakes 250] [--concurrency 8] [--plane UserSpace|PreferKernel|RequireKernel]";

    public async Task<Report> RunAsync(CommandLine options)
    {
        HandshakeMode[] modes = [.. options.TakeSome("modes", "full", "ticketed", "resumed").Select(name => Enum.Parse<HandshakeMode>(name, ignoreCase: true))];
        MeasuredRoles[] roles = [.. options.TakeSome("roles", "both", "server", "client").Select(name => Enum.Parse<MeasuredRoles>(name, ignoreCase: true))];
        string[] implementations = options.TakeSome("implementations", "KTls", "SslStream");
        TlsCipherSuite?[] suites = [.. options.TakeSome("suites", Suites, otherwise: NoSuite).Select(name => name == NoSuite ? (TlsCipherSuite?)null : Enum.Parse<TlsCipherSuite>(name))];
        NamedGroup[] groups = [.. options.TakeSome("groups", Groups, otherwise: nameof(NamedGroup.X25519)).Select(Enum.Parse<NamedGroup>)];
        if (suites is not [null] && modes.Contains(HandshakeMode.Resumed))
        {
            throw new UsageException("SslStream resumes nothing under a CipherSuitesPolicy: --suites goes with --modes full,ticketed.");
        }

        int repetitions = options.Take("repetitions", 11);
        int count = options.Take("handshakes", 250);
        int concurrency = options.Take("concurrency", 8);
        DataPlanePolicy plane = Enum.TryParse(options.Take("plane") ?? nameof(DataPlanePolicy.UserSpace), out DataPlanePolicy parsed)
            ? parsed
            : throw new UsageException("--plane knows UserSpace, PreferKernel, RequireKernel.");
        options.ExpectEnd();
        if (plane == DataPlanePolicy.RequireKernel)
        {
            MachineFacts.RequireKernelTls(Name);
        }

        var report = new Report(Name);
        report.Set("repetitions", repetitions);
        report.Set("handshakes", $"{count} per repetition, {concurrency} at a time");
        report.Set("data plane", plane);
        HandshakeKind[] kinds = [.. from mode in modes from suite in suites from @group in groups select new HandshakeKind(mode, @group, suite) into kind where kind.Exists select kind];
        foreach (HandshakeKind kind in kinds)
        {
            foreach (MeasuredRoles role in roles)
            {
                ITlsImplementation[] measured = [.. new ITlsImplementation[] { new KTlsImplementation(kind, plane), new SslStreamImplementation(kind) }
                    .Where(implementation => implementations.Contains(implementation.Name) && (implementation is KTlsImplementation || HasInSslStream(kind.Group, role)))];
                if (measured.Length == 0)
                {
                    continue;
                }

                using var batch = new HandshakeBatch(role, kind, count, concurrency);
                string group = $"{kind}, {(role == MeasuredRoles.Both ? "both roles" : $"{role} alone")}";
                bool withPrimitives = role == MeasuredRoles.Server && kind.Mode != HandshakeMode.Resumed && kind == new HandshakeKind(kind.Mode);
                await Comparison.RunAsync(report, group, batch, measured, repetitions, count, withPrimitives);
            }
        }

        return report;
    }

    // SslStream lets nobody choose the groups. Its client begins with X25519, its server takes the client's.
    private static bool HasInSslStream(NamedGroup group, MeasuredRoles role) =>
        group == NamedGroup.X25519 || (role == MeasuredRoles.Server && group is NamedGroup.Secp256r1 or NamedGroup.Secp384r1 or NamedGroup.Secp521r1);
}
