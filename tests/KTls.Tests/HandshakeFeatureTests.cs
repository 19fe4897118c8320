using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using KTls.Handshake;

namespace KTls.Tests;

/// <summary>Versions, suites, client certificates and resumption against SslStream, in both roles, records in user space.</summary>
public sealed class HandshakeFeatureTests
{
    private static readonly KTlsOptions UserSpace = new() { DataPlane = DataPlanePolicy.UserSpace };

    public static TheoryData<bool, TlsCipherSuite> RolesAndSuites()
    {
        var data = new TheoryData<bool, TlsCipherSuite>();
        foreach (TlsCipherSuite suite in SupportedParameters.CipherSuites)
        {
            data.Add(true, suite);
            data.Add(false, suite);
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(RolesAndSuites))]
    public async Task Every_suite_both_ways(bool isServer, TlsCipherSuite suite)
    {
        X509Certificate2 certificate = suite.ToString().Contains("RSA_WITH", StringComparison.Ordinal) ? TestPki.Rsa : TestPki.Ecdsa;
        SslServerAuthenticationOptions server = TestPki.Server(certificate);
        SslClientAuthenticationOptions client = TestPki.Client();
        if (isServer)
        {
            client.CipherSuitesPolicy = new CipherSuitesPolicy([suite]);
        }
        else
        {
            server.CipherSuitesPolicy = new CipherSuitesPolicy([suite]);
        }

        await using MixedPair pair = await MixedPair.ConnectAsync(isServer, server, client, UserSpace);
        Assert.Equal(suite, pair.Ours.NegotiatedCipherSuite);
        Assert.Equal(suite, pair.Theirs.NegotiatedCipherSuite);
        Assert.Equal(pair.Theirs.SslProtocol, pair.Ours.SslProtocol);
        Assert.Equal(DataPlaneKind.UserSpace, pair.Ours.Sending.Kind);
        await Transfer.BothWaysAsync(pair.Ours, pair.Theirs, 300_000);
    }

    [Theory]
    [InlineData(true, SslProtocols.Tls12)]
    [InlineData(true, SslProtocols.Tls13)]
    [InlineData(false, SslProtocols.Tls12)]
    [InlineData(false, SslProtocols.Tls13)]
    public async Task Client_certificates_are_shown_and_judged(bool isServer, SslProtocols protocol)
    {
        SslServerAuthenticationOptions server = TestPki.Server();
        server.EnabledSslProtocols = protocol;
        server.ClientCertificateRequired = true;
        server.CertificateChainPolicy = TestPki.TrustRoot();
        SslClientAuthenticationOptions client = TestPki.Client();
        client.ClientCertificates = [TestPki.Rsa];
        await using MixedPair pair = await MixedPair.ConnectAsync(isServer, server, client, UserSpace);
        X509Certificate? seen = isServer ? pair.Ours.RemoteCertificate : pair.Theirs.RemoteCertificate;
        Assert.Equal(TestPki.Rsa.RawData, seen?.GetRawCertData());
        Assert.Equal(protocol, pair.Ours.SslProtocol);
        await Transfer.BothWaysAsync(pair.Ours, pair.Theirs, 100_000);
    }

    [Theory]
    [InlineData(SslProtocols.Tls12, AlertDescription.HandshakeFailure)]
    [InlineData(SslProtocols.Tls13, AlertDescription.CertificateRequired)]
    public async Task A_client_without_a_certificate_is_refused_where_one_is_required(SslProtocols protocol, AlertDescription alert)
    {
        SslServerAuthenticationOptions server = TestPki.Server();
        server.EnabledSslProtocols = protocol;
        server.ClientCertificateRequired = true;
        using TcpPair tcp = TcpPair.Connect();
        Task<KTlsStream> accepting = KTlsStream.AuthenticateAsServerAsync(tcp.Server, server, UserSpace);
        Task<KTlsStream> connecting = KTlsStream.AuthenticateAsClientAsync(tcp.Client, TestPki.Client(), UserSpace);
        AuthenticationException refusal = await Assert.ThrowsAsync<AuthenticationException>(() => accepting);
        Assert.Contains("showed no certificate", refusal.Message, StringComparison.Ordinal);

        // A client of TLS 1.3 is done by then and learns it from its first read.
        TlsAlertException told;
        if (protocol == SslProtocols.Tls12)
        {
            told = Assert.IsType<TlsAlertException>((await Assert.ThrowsAsync<AuthenticationException>(() => connecting)).InnerException);
        }
        else
        {
            await using KTlsStream client = await connecting;
            told = Assert.IsType<TlsAlertException>((await Assert.ThrowsAsync<IOException>(() => client.ReadAsync(new byte[1]).AsTask())).InnerException);
        }

        Assert.Equal((alert, true), (told.Description, told.ReceivedFromPeer));
    }

    [Fact]
    public async Task The_callback_of_a_server_has_the_last_word_without_a_certificate_too()
    {
        SslPolicyErrors? seen = null;
        SslServerAuthenticationOptions server = TestPki.Server();
        server.RemoteCertificateValidationCallback = (_, certificate, _, errors) =>
        {
            Assert.Null(certificate);
            seen = errors;
            return true;
        };
        await using StreamPair pair = await StreamPair.ConnectAsync(UserSpace, server);
        Assert.Equal(SslPolicyErrors.RemoteCertificateNotAvailable, seen);
        Assert.Equal(DataPlaneKind.UserSpace, pair.Server.Sending.Kind);
    }

    [Theory]
    [InlineData(SslProtocols.Tls12)]
    [InlineData(SslProtocols.Tls13)]
    public async Task Our_ends_resume_and_judge_again(SslProtocols protocol)
    {
        var store = new OneKeyStore();
        var options = new KTlsOptions { DataPlane = DataPlanePolicy.UserSpace, SessionStore = store };
        SslServerAuthenticationOptions server = TestPki.Server();
        server.EnabledSslProtocols = protocol;
        int judged = 0;
        for (int i = 0; i < 4; i++)
        {
            SslClientAuthenticationOptions client = TestPki.Client();
            client.RemoteCertificateValidationCallback = (_, certificate, _, errors) =>
            {
                judged++;
                Assert.Equal(TestPki.Ecdsa.RawData, certificate!.GetRawCertData());
                return errors == SslPolicyErrors.None;
            };
            await using StreamPair pair = await StreamPair.ConnectAsync(options, server, client);
            Assert.Equal(i != 0, pair.Client.IsResumed);
            Assert.Equal(i != 0, pair.Server.IsResumed);
            Assert.Equal(TestPki.Ecdsa.RawData, pair.Client.RemoteCertificate?.GetRawCertData());
            await Transfer.BothWaysAsync(pair.Client, pair.Server, 10_000);
        }

        Assert.Equal(4, judged);
    }

    /// <summary>Three servers: two that share their keys (KTlsOptions.TicketKeys), and one that does not.</summary>
    [Fact]
    public async Task A_ticket_is_good_where_its_key_is()
    {
        using TicketKey shared = TicketKey.Create();
        using var copy = new TicketKey(shared.Export());
        var store = new OneKeyStore();
        var client = new KTlsOptions { DataPlane = DataPlanePolicy.UserSpace, SessionStore = store };
        Assert.False(await IsResumedAsync(new TicketKeyRing([shared])));
        Assert.True(await IsResumedAsync(new TicketKeyRing([copy])));
        Assert.False(await IsResumedAsync(new TicketKeyRing()));

        async Task<bool?> IsResumedAsync(TicketKeyRing keys)
        {
            await using StreamPair pair = await StreamPair.ConnectAsync(client, new KTlsOptions { DataPlane = DataPlanePolicy.UserSpace, TicketKeys = keys });
            await Transfer.BothWaysAsync(pair.Client, pair.Server, 1000);
            return pair.Server.IsResumed;
        }
    }

    [Fact]
    [Option(typeof(SslServerAuthenticationOptions), nameof(SslServerAuthenticationOptions.AllowTlsResume))]
    [Option(typeof(SslClientAuthenticationOptions), nameof(SslClientAuthenticationOptions.AllowTlsResume))]
    public async Task Without_AllowTlsResume_nothing_is_resumed()
    {
        var store = new OneKeyStore();
        var options = new KTlsOptions { DataPlane = DataPlanePolicy.UserSpace, SessionStore = store };
        SslServerAuthenticationOptions server = TestPki.Server();
        server.AllowTlsResume = false;
        for (int i = 0; i < 2; i++)
        {
            await using StreamPair pair = await StreamPair.ConnectAsync(options, server);
            Assert.False(pair.Client.IsResumed);
            await Transfer.BothWaysAsync(pair.Client, pair.Server, 1000);
        }

        Assert.Equal(0, store.Added);
        server.AllowTlsResume = true;
        SslClientAuthenticationOptions client = TestPki.Client();
        client.AllowTlsResume = false;
        await using StreamPair last = await StreamPair.ConnectAsync(options, server, client);
        await Transfer.BothWaysAsync(last.Client, last.Server, 1000);
        Assert.Equal(0, store.Added);
    }

    [Theory]
    [InlineData(SslProtocols.Tls12)]
    [InlineData(SslProtocols.Tls13)]
    public async Task A_resumed_client_keeps_its_certificate_and_is_judged_again(SslProtocols protocol)
    {
        var options = new KTlsOptions { DataPlane = DataPlanePolicy.UserSpace, SessionStore = new OneKeyStore() };
        bool isTrusted = true;
        SslServerAuthenticationOptions server = TestPki.Server();
        server.EnabledSslProtocols = protocol;
        server.ClientCertificateRequired = true;
        server.RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate is not null && isTrusted;
        SslClientAuthenticationOptions client = TestPki.Client();
        client.ClientCertificates = [TestPki.Rsa];
        for (int i = 0; i < 2; i++)
        {
            await using StreamPair pair = await StreamPair.ConnectAsync(options, server, client);
            Assert.Equal(i != 0, pair.Server.IsResumed);
            Assert.Equal(TestPki.Rsa.RawData, pair.Server.RemoteCertificate?.GetRawCertData());
            await Transfer.BothWaysAsync(pair.Client, pair.Server, 1000);
        }

        isTrusted = false;
        using TcpPair tcp = TcpPair.Connect();
        Task<KTlsStream> accepting = KTlsStream.AuthenticateAsServerAsync(tcp.Server, server, options);
        Task<KTlsStream> connecting = KTlsStream.AuthenticateAsClientAsync(tcp.Client, client, options);
        await Assert.ThrowsAsync<AuthenticationException>(() => accepting);
        try
        {
            await (await connecting).DisposeAsync();
        }
        catch (AuthenticationException)
        {
            // A client of TLS 1.2 is not done yet.
        }
    }

    [Theory]
    [InlineData(SslProtocols.Tls12)]
    [InlineData(SslProtocols.Tls13)]
    public async Task Both_ends_export_the_same_material(SslProtocols protocol)
    {
        SslServerAuthenticationOptions server = TestPki.Server();
        server.EnabledSslProtocols = protocol;
        await using StreamPair pair = await StreamPair.ConnectAsync(UserSpace, server);
        byte[] material = pair.Client.ExportKeyingMaterial("EXPERIMENTAL ktls", [1, 2], 77);
        Assert.Equal(77, material.Length);
        Assert.Equal(material, pair.Server.ExportKeyingMaterial("EXPERIMENTAL ktls", [1, 2], 77));
        Assert.NotEqual(material, pair.Server.ExportKeyingMaterial("EXPERIMENTAL ktls", [1, 3], 77));
        Assert.NotEqual(material, pair.Server.ExportKeyingMaterial("EXPERIMENTAL other", [1, 2], 77));

        // No context and an empty one: the same in TLS 1.3 (RFC 8446 §7.5), not before (RFC 5705 §4).
        bool same = pair.Server.ExportKeyingMaterial("EXPERIMENTAL ktls", null, 32).AsSpan().SequenceEqual(pair.Client.ExportKeyingMaterial("EXPERIMENTAL ktls", [], 32));
        Assert.Equal(protocol == SslProtocols.Tls13, same);
        Assert.Throws<ArgumentOutOfRangeException>(() => pair.Client.ExportKeyingMaterial(new string('x', 250), null, 32));
        Assert.Throws<ArgumentOutOfRangeException>(() => pair.Client.ExportKeyingMaterial("EXPERIMENTAL ktls", null, 8161));
        Assert.Throws<ArgumentException>("label", () => pair.Client.ExportKeyingMaterial("EXPERIMENTAL bücher", null, 32));
    }

    [Fact]
    public async Task A_limit_of_the_handshake_holds()
    {
        SslServerAuthenticationOptions server = TestPki.Server();
        var options = new KTlsOptions { DataPlane = DataPlanePolicy.UserSpace, HandshakeLimits = new HandshakeLimits { MaxMessageSize = 100 } };
        using TcpPair tcp = TcpPair.Connect();
        Task<KTlsStream> connecting = KTlsStream.AuthenticateAsClientAsync(tcp.Client, TestPki.Client(), UserSpace);
        AuthenticationException e = await Assert.ThrowsAsync<AuthenticationException>(() => KTlsStream.AuthenticateAsServerAsync(tcp.Server, server, options));
        Assert.Contains("over the limit of 100", e.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<AuthenticationException>(() => connecting);
    }

    [Fact]
    public async Task The_key_log_has_what_SslStreams_side_needs()
    {
        var lines = new System.Collections.Concurrent.ConcurrentQueue<string>();
        var options = new KTlsOptions { DataPlane = DataPlanePolicy.UserSpace, KeyLog = lines.Enqueue };
        await using (StreamPair pair = await StreamPair.ConnectAsync(options))
        {
            Assert.Equal(SslProtocols.Tls13, pair.Client.SslProtocol);
        }

        string[] labels = ["CLIENT_HANDSHAKE_TRAFFIC_SECRET", "SERVER_HANDSHAKE_TRAFFIC_SECRET", "CLIENT_TRAFFIC_SECRET_0", "SERVER_TRAFFIC_SECRET_0", "EXPORTER_SECRET"];
        foreach (string label in labels)
        {
            // Both ends write the same line.
            string[] both = [.. lines.Where(line => line.StartsWith(label + " ", StringComparison.Ordinal))];
            Assert.Equal(2, both.Length);
            Assert.Equal(both[0], both[1]);
            Assert.Matches("^[A-Z_0-9]+ [0-9a-f]{64} [0-9a-f]{64}$", both[0]);
        }
    }

    [Theory]
    [InlineData(SslProtocols.Tls12)]
    [InlineData(SslProtocols.Tls13)]
    public async Task A_session_store_that_fails_does_not_break_the_connection(SslProtocols version)
    {
        using var log = new LogLines();
        var options = new KTlsOptions { DataPlane = DataPlanePolicy.UserSpace, SessionStore = new FailingStore(), LoggerFactory = log };
        SslClientAuthenticationOptions client = TestPki.Client();
        client.EnabledSslProtocols = version;
        await using StreamPair pair = await StreamPair.ConnectAsync(options, client: client);
        await Transfer.BothWaysAsync(pair.Client, pair.Server, 1000);
        Assert.Equal(version, pair.Client.SslProtocol);
        Assert.Contains("Warning: The session store has failed; the connection goes its way without it", log.Lines);
    }

    /// <summary>Else a client that keeps a session of a certificate that is not trusted any more could not connect until the session is over.</summary>
    [Theory]
    [InlineData(SslProtocols.Tls12)]
    [InlineData(SslProtocols.Tls13)]
    public async Task A_client_forgets_the_sessions_of_a_server_that_it_failed_with(SslProtocols version)
    {
        var store = new OneKeyStore();
        var options = new KTlsOptions { DataPlane = DataPlanePolicy.UserSpace, SessionStore = store, CertificateVerdictLifetime = TimeSpan.Zero };
        SslClientAuthenticationOptions client = TestPki.Client();
        client.EnabledSslProtocols = version;
        await using (StreamPair first = await StreamPair.ConnectAsync(options, client: client))
        {
            await Transfer.BothWaysAsync(first.Client, first.Server, 1000);
        }

        bool? wasResumed = null;
        client.RemoteCertificateValidationCallback = (_, _, _, _) => false;
        using (TcpPair tcp = TcpPair.Connect())
        {
            Task<KTlsStream> accepting = KTlsStream.AuthenticateAsServerAsync(tcp.Server, TestPki.Server(), options);
            await Assert.ThrowsAsync<AuthenticationException>(() => KTlsStream.AuthenticateAsClientAsync(tcp.Client, client, options));
            await Assert.ThrowsAnyAsync<Exception>(async () =>
            {
                // In TLS 1.3 the server is told after its handshake at the latest.
                await using KTlsStream stream = await accepting;
                wasResumed = stream.IsResumed;
                _ = await stream.ReadAsync(new byte[1]);
            });
        }

        Assert.NotEqual(false, wasResumed);
        client.RemoteCertificateValidationCallback = null;
        await using StreamPair next = await StreamPair.ConnectAsync(options, client: client);
        Assert.False(next.Client.IsResumed);
    }

    private sealed class FailingStore : IClientSessionStore
    {
        public void Add(string key, ClientSession session) => throw new InvalidOperationException("out of order");

        public ClientSession? Take(string key) => throw new InvalidOperationException("out of order");

        public void Remove(string key) => throw new InvalidOperationException("out of order");
    }

    /// <summary>A store for tests, whose servers have a new port each time.</summary>
    private sealed class OneKeyStore : IClientSessionStore
    {
        private readonly ClientSessionCache _cache = new();

        public int Added { get; private set; }

        public void Add(string key, ClientSession session)
        {
            Added++;
            _cache.Add("all", session);
        }

        public ClientSession? Take(string key) => _cache.Take("all");

        public void Remove(string key) => _cache.Remove("all");
    }
}
