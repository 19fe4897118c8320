using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using KTls.Diagnostics;
using KTls.Handshake;
using Microsoft.Extensions.Logging;

namespace KTls.Tests;

/// <summary>Nothing else runs meanwhile: a meter is the whole process'.</summary>
[CollectionDefinition(nameof(DiagnosticsTests), DisableParallelization = true)]
public sealed class NothingElse;

/// <summary>Metrics and tracing where there is no kernel TLS; what the kernel adds is in the data plane's tests.</summary>
[Collection(nameof(DiagnosticsTests))]
public sealed class DiagnosticsTests
{
    private static readonly KTlsOptions UserSpace = new() { DataPlane = DataPlanePolicy.UserSpace };

    [Theory]
    [InlineData(SslProtocols.Tls13, "1.3")]
    [InlineData(SslProtocols.Tls12, "1.2")]
    public async Task Handshakes_and_data_planes_are_counted(SslProtocols protocol, string version)
    {
        SslServerAuthenticationOptions server = TestPki.Server();
        server.EnabledSslProtocols = protocol;
        using var measured = new Measurements("ktls.handshake.duration", "ktls.data_planes", "ktls.fallbacks");
        var options = new KTlsOptions { DataPlane = DataPlanePolicy.UserSpace, SessionStore = new AnyServerStore() };
        for (int i = 0; i < 2; i++)
        {
            await using StreamPair pair = await StreamPair.ConnectAsync(options, server);
            await Transfer.OneWayAsync(pair.Server, pair.Client, 100); // behind the tickets of TLS 1.3
        }

        Assert.Equal(
            [
                ("ktls.data_planes ktls.data_plane=user_space network.io.direction=receive", 4),
                ("ktls.data_planes ktls.data_plane=user_space network.io.direction=transmit", 4),
                ("ktls.fallbacks ktls.fallback.reason=switched_off network.io.direction=receive", 4),
                ("ktls.fallbacks ktls.fallback.reason=switched_off network.io.direction=transmit", 4),
                ($"ktls.handshake.duration ktls.role=client tls.protocol.version={version} tls.resumed=False", 1),
                ($"ktls.handshake.duration ktls.role=client tls.protocol.version={version} tls.resumed=True", 1),
                ($"ktls.handshake.duration ktls.role=server tls.protocol.version={version} tls.resumed=False", 1),
                ($"ktls.handshake.duration ktls.role=server tls.protocol.version={version} tls.resumed=True", 1),
            ],
            measured.Sums.Select(pair => (pair.Key, pair.Value)));
    }

    [Fact]
    public async Task Failures_have_their_kind()
    {
        using var measured = new Measurements("ktls.handshake.duration");
        SslClientAuthenticationOptions mistrustful = TestPki.Client();
        mistrustful.CertificateChainPolicy = null;
        using (TcpPair tcp = TcpPair.Connect())
        {
            Task accepting = KTlsStream.AuthenticateAsServerAsync(tcp.Server, TestPki.Server(), UserSpace);
            await Assert.ThrowsAsync<AuthenticationException>(() => KTlsStream.AuthenticateAsClientAsync(tcp.Client, mistrustful, UserSpace));
            await Assert.ThrowsAsync<AuthenticationException>(() => accepting);
        }

        using (TcpPair tcp = TcpPair.Connect())
        {
            var hasty = new KTlsOptions { DataPlane = DataPlanePolicy.UserSpace, HandshakeTimeout = TimeSpan.FromMilliseconds(10) };
            await Assert.ThrowsAsync<TimeoutException>(() => KTlsStream.AuthenticateAsServerAsync(tcp.Server, TestPki.Server(), hasty));
        }

        using (TcpPair tcp = TcpPair.Connect())
        {
            using var source = new CancellationTokenSource(10);
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => KTlsStream.AuthenticateAsServerAsync(tcp.Server, TestPki.Server(), UserSpace, source.Token));
        }

        Assert.Equal(
            [
                ("ktls.handshake.duration error.type=System.Security.Authentication.AuthenticationException ktls.role=client", 1),
                ("ktls.handshake.duration error.type=cancelled ktls.role=server", 1),
                ("ktls.handshake.duration error.type=timeout ktls.role=server", 1),
                ("ktls.handshake.duration error.type=unknown_ca ktls.role=server", 1),
            ],
            measured.Sums.Select(pair => (pair.Key, pair.Value)));
    }

    [Fact]
    public async Task Fallbacks_have_their_reason()
    {
        using var measured = new Measurements("ktls.fallbacks", "ktls.data_planes");
        await using (await StreamPair.ConnectAsync(new KTlsOptions { DataPlane = DataPlanePolicy.SslStream }))
        {
            Assert.Equal(2, measured["ktls.fallbacks ktls.fallback.reason=switched_off"]);
            Assert.Equal(2, measured["ktls.data_planes ktls.data_plane=ssl_stream network.io.direction=receive"]);
        }

        SslServerAuthenticationOptions server = TestPki.Server();
        server.AllowRsaPssPadding = false;
        await using (await StreamPair.ConnectAsync(UserSpace, server))
        {
            Assert.Equal(1, measured["ktls.fallbacks ktls.fallback.reason=options"]);
        }

        SslClientAuthenticationOptions client = TestPki.Client();
        client.EnabledSslProtocols = SslProtocols.Tls12;
        client.CipherSuitesPolicy = new CipherSuitesPolicy([TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256]);
        await using (await StreamPair.ConnectAsync(UserSpace, client: client))
        {
            Assert.Equal(1, measured["ktls.fallbacks ktls.fallback.reason=cipher_suite"]);
        }

        double expected = KernelTls.Probe().IsAvailable ? 0 : 2;
        await using (await StreamPair.ConnectAsync(new KTlsOptions()))
        {
            Assert.Equal(expected, measured["ktls.fallbacks ktls.fallback.reason=no_kernel_tls"]);
        }
    }

    [Theory]
    [InlineData(DataPlanePolicy.UserSpace)]
    [InlineData(DataPlanePolicy.SslStream)]
    public async Task Active_connections_are_told_to_whoever_asks_later(DataPlanePolicy policy)
    {
        StreamPair pair = await StreamPair.ConnectAsync(new KTlsOptions { DataPlane = policy });
        using var measured = new Measurements("ktls.active_connections");
        SortedDictionary<string, double> before = measured.Observe();
        await pair.DisposeAsync();
        await pair.DisposeAsync();
        SortedDictionary<string, double> after = measured.Observe();
        foreach (string role in (string[])["client", "server"])
        {
            Assert.Equal(before[$"ktls.active_connections ktls.role={role}"] - 1, after[$"ktls.active_connections ktls.role={role}"]);
        }
    }

    /// <summary>The handshake has succeeded, and nobody gets the stream: it is not left open, nor counted.</summary>
    [Theory]
    [InlineData("logger", false)]
    [InlineData("meter", false)]
    [InlineData("activity", false)]
    [InlineData("activity", true)]
    public async Task Who_listens_and_throws_leaves_no_stream_behind(string who, bool leaveSocketOpen)
    {
        using var measured = new Measurements("ktls.active_connections");
        SortedDictionary<string, double> before = measured.Observe();
        using TcpPair tcp = TcpPair.Connect();
        using var peer = new SslStream(new NetworkStream(tcp.Client));
        Task handshake = peer.AuthenticateAsClientAsync(TestPki.Client());
        var options = new KTlsOptions { DataPlane = DataPlanePolicy.UserSpace, LeaveSocketOpen = leaveSocketOpen };
        using var logger = new ThrowingLogger();
        using var meter = new MeterListener();
        meter.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Name == "ktls.handshake.duration")
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        meter.SetMeasurementEventCallback<double>((_, _, _, _) => throw new FormatException());
        using var activities = new ActivityListener
        {
            ShouldListenTo = source => source.Name == "KTls",
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = _ => throw new FormatException(),
        };
        if (who == "logger")
        {
            options.LoggerFactory = logger;
        }
        else if (who == "meter")
        {
            meter.Start();
        }
        else
        {
            ActivitySource.AddActivityListener(activities);
        }

        await Assert.ThrowsAsync<FormatException>(() => KTlsStream.AuthenticateAsServerAsync(tcp.Server, TestPki.Server(), options));
        await handshake;
        SortedDictionary<string, double> after = measured.Observe();
        Assert.Equal(before, after);
        Assert.Equal(!leaveSocketOpen, tcp.Server.SafeHandle.IsClosed);
    }

    [Fact]
    public async Task Handshakes_are_activities()
    {
        var activities = new List<Activity>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == "KTls",
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = activity =>
            {
                lock (activities)
                {
                    activities.Add(activity);
                }
            },
        };
        ActivitySource.AddActivityListener(listener);
        using (Activity parent = new Activity("parent").Start())
        {
            await using StreamPair pair = await StreamPair.ConnectAsync(UserSpace);
            Assert.Same(parent, Activity.Current);
            Assert.All(activities, activity => Assert.Equal(parent.SpanId, activity.ParentSpanId));
        }

        Activity client = Assert.Single(activities, activity => activity.DisplayName == "TLS client handshake");
        Activity server = Assert.Single(activities, activity => activity.DisplayName == "TLS server handshake");
        Assert.Equal(2, activities.Count);
        Dictionary<string, object?> expected = new()
        {
            ["ktls.role"] = "server",
            ["tls.protocol.name"] = "tls",
            ["tls.protocol.version"] = "1.3",
            ["tls.cipher"] = client.GetTagItem("tls.cipher"),
            ["tls.curve"] = client.GetTagItem("tls.curve"),
            ["tls.resumed"] = false,
            ["ktls.data_plane.transmit"] = "user_space",
            ["ktls.data_plane.receive"] = "user_space",
        };
        Assert.StartsWith("TLS_", (string)expected["tls.cipher"]!, StringComparison.Ordinal);
        Assert.Equal(expected, new Dictionary<string, object?>(server.TagObjects));
        expected["ktls.role"] = "client";
        expected["server.address"] = "localhost";
        Assert.Equal(expected, new Dictionary<string, object?>(client.TagObjects));
        Assert.Equal(ActivityStatusCode.Unset, client.Status);

        activities.Clear();
        SslClientAuthenticationOptions mistrustful = TestPki.Client();
        mistrustful.CertificateChainPolicy = null;
        await Assert.ThrowsAsync<AuthenticationException>(() => StreamPair.ConnectAsync(UserSpace, client: mistrustful));
        Activity failed = Assert.Single(activities, activity => activity.DisplayName == "TLS client handshake");
        Assert.Equal(ActivityStatusCode.Error, failed.Status);
        Assert.Equal("System.Security.Authentication.AuthenticationException", failed.GetTagItem("error.type"));
    }

    [Fact]
    public void Costs_no_memory_when_nobody_listens()
    {
        static void Everything()
        {
            Assert.False(HandshakeObservation.IsWanted);
            Instruments.ConnectionBegins(isServer: true);
            Instruments.ConnectionEnds(isServer: true);
            Instruments.Chosen(DataPlaneKind.Kernel, DataPlaneKind.UserSpace);
            Instruments.FallsBack(FallbackReason.CipherSuite);
            Instruments.FallsBack(FallbackReason.NoRekey, KernelDirections.Receive);
            Instruments.KeyUpdateSent();
            Instruments.KeyUpdateReceived();
            Instruments.KernelError("recvmsg", 999);
        }

        Everything();
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 100; i++)
        {
            Everything();
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void The_documentation_lists_every_instrument()
    {
        var published = new List<string>();
        using var listener = new MeterListener { InstrumentPublished = (instrument, _) => published.AddRange(instrument.Meter.Name == "KTls" ? [instrument.Name] : []) };
        listener.Start();
        IEnumerable<string> documented = File.ReadLines(Path.Combine(OptionsTableTests.Root(), "docs", "OPERATIONS.md"))
            .Where(line => line.StartsWith("| `ktls.", StringComparison.Ordinal) && !line.StartsWith("| `ktls.fallback.reason", StringComparison.Ordinal))
            .Select(line => line.Split('`')[1]);
        Assert.Equal(published.Order(StringComparer.Ordinal), documented.Order(StringComparer.Ordinal));
    }

    // Each connection goes to another port, which else counts as another server.
    private sealed class AnyServerStore : IClientSessionStore
    {
        private readonly ClientSessionCache _sessions = new();

        public void Add(string key, ClientSession session) => _sessions.Add("any", session);

        public ClientSession? Take(string key) => _sessions.Take("any");

        public void Remove(string key) => _sessions.Remove("any");
    }

    private sealed class ThrowingLogger : ILoggerFactory, ILogger
    {
        public ILogger CreateLogger(string categoryName) => this;

        public void AddProvider(ILoggerProvider provider)
        {
        }

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (eventId.Name == "HandshakeComplete")
            {
                throw new FormatException();
            }
        }

        public void Dispose()
        {
        }
    }
}
