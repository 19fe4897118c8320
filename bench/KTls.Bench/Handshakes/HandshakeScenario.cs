namespace KTls.Bench.Handshakes;

/// <summary>
/// Handshakes over loopback, ours and SslStream's in turns. The client validates: certificate loading, chain and name are
/// its work. Processor time counts, since the clock on a busy machine says little.
/// </summary>
internal sealed class HandshakeScenario : IScenario
{
    public string Name => "handshake";

    public string Usage =>
        "handshake [--modes full,ticketed,resumed] [--roles both,server,client] [--implementations KTls,SslStream]"
        + " [--repetitions 11] [--handshakes 250] [--concurrency 8] [--plane UserSpace|PreferKernel|RequireKernel]";

    public async Task<Report> RunAsync(CommandLine options)
    {
        HandshakeMode[] modes = [.. options.TakeSome("modes", "full", "ticketed", "resumed").Select(name => Enum.Parse<HandshakeMode>(name, ignoreCase: true))];
        MeasuredRoles[] roles = [.. options.TakeSome("roles", "both", "server", "client").Select(name => Enum.Parse<MeasuredRoles>(name, ignoreCase: true))];
        string[] implementations = options.TakeSome("implementations", "KTls", "SslStream");
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
        foreach (HandshakeMode mode in modes)
        {
            ITlsImplementation[] measured = [.. new ITlsImplementation[] { new KTlsImplementation(mode, plane), new SslStreamImplementation(mode) }
                .Where(implementation => implementations.Contains(implementation.Name))];
            foreach (MeasuredRoles role in roles)
            {
                using var batch = new HandshakeBatch(role, mode, count, concurrency);
                string group = $"{mode}, {(role == MeasuredRoles.Both ? "both roles" : $"{role} alone")}";
                await Comparison.RunAsync(report, group, batch, measured, repetitions, count, withPrimitives: role == MeasuredRoles.Server && mode != HandshakeMode.Resumed);
            }
        }

        return report;
    }
}
