using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;

namespace KTls.Tests;

/// <summary>Who serves a connection, and why.</summary>
public sealed class DecisionTests
{
    [Fact]
    public async Task The_switch_turns_KTls_off()
    {
        await using StreamPair pair = await StreamPair.ConnectAsync(new KTlsOptions { DataPlane = DataPlanePolicy.SslStream });
        Assert.Equal(DataPlaneKind.SslStream, pair.Server.Sending.Kind);
        Assert.Contains("the options say so", pair.Server.Sending.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_client_without_our_suites_gets_SslStream_and_loses_nothing()
    {
        using TcpPair tcp = TcpPair.Connect();
        SslClientAuthenticationOptions client = TestPki.Client();
        client.EnabledSslProtocols = SslProtocols.Tls12;
        client.CipherSuitesPolicy = CbcOnly;
        using var peer = new SslStream(new NetworkStream(tcp.Client));
        Task handshake = peer.AuthenticateAsClientAsync(client);
        await using KTlsStream ours = await KTlsStream.AuthenticateAsServerAsync(tcp.Server, TestPki.Server(), new KTlsOptions { DataPlane = DataPlanePolicy.UserSpace });
        await handshake;
        Assert.Equal(SslProtocols.Tls12, ours.SslProtocol);
        Assert.Equal(DataPlaneKind.SslStream, ours.Receiving.Kind);
        Assert.Contains("offers no cipher suite", ours.Receiving.Reason, StringComparison.Ordinal);
        await Task.WhenAll(Transfer.OneWayAsync(ours, peer, 500_000), Transfer.OneWayAsync(peer, ours, 500_000)).WaitAsync(TimeSpan.FromSeconds(30));

        // We have read from the descriptor ourselves: synchronous calls must still block as Socket's do.
        Task<int> blocking = Task.Run(() => ours.Read(new byte[1], 0, 1));
        await Task.Delay(50);
        await peer.WriteAsync(new byte[1]);
        Assert.Equal(1, await blocking.WaitAsync(TimeSpan.FromSeconds(10)));
    }

    [Fact]
    public async Task SslStream_can_be_forbidden_for_clients()
    {
        using TcpPair tcp = TcpPair.Connect();
        SslClientAuthenticationOptions client = TestPki.Client();
        (client.EnabledSslProtocols, client.CipherSuitesPolicy) = (SslProtocols.Tls12, CbcOnly);
        using var peer = new SslStream(new NetworkStream(tcp.Client));
        Task handshake = peer.AuthenticateAsClientAsync(client);
        var options = new KTlsOptions { DataPlane = DataPlanePolicy.UserSpace, Fallback = FallbackPolicy.Forbid };
        AuthenticationException e = await Assert.ThrowsAsync<AuthenticationException>(() => KTlsStream.AuthenticateAsServerAsync(tcp.Server, TestPki.Server(), options));
        Assert.Contains("forbid SslStream: the client offers no cipher suite", e.Message, StringComparison.Ordinal);

        // An alert, not a connection that just ends.
        await Assert.ThrowsAsync<AuthenticationException>(() => handshake.WaitAsync(TimeSpan.FromSeconds(20)));
    }

    [Fact]
    public async Task SslStream_can_be_forbidden_for_options()
    {
        using TcpPair tcp = TcpPair.Connect();
        SslClientAuthenticationOptions client = TestPki.Client();
        client.LocalCertificateSelectionCallback = (_, _, _, _, _) => TestPki.Ecdsa;
        AuthenticationException e = await Assert.ThrowsAsync<AuthenticationException>(() =>
            KTlsStream.AuthenticateAsClientAsync(tcp.Client, client, new KTlsOptions { Fallback = FallbackPolicy.Forbid }));
        Assert.Contains("LocalCertificateSelectionCallback is set", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_SslStream_our_own_records_stand_in_for_the_kernel()
    {
        await using StreamPair pair = await StreamPair.ConnectAsync(new KTlsOptions { Fallback = FallbackPolicy.Forbid });
        DataPlaneStatus sending = pair.Server.Sending;
        Assert.True(sending is { Kind: DataPlaneKind.Kernel, Fallback: FallbackReason.None } or { Kind: DataPlaneKind.UserSpace, Fallback: FallbackReason.NoKernelTls }, $"{sending}");
        await Transfer.OneWayAsync(pair.Client, pair.Server, 100_000).WaitAsync(TimeSpan.FromSeconds(30));
    }

    [Theory]
    [InlineData(FallbackPolicy.Allow, "Information")]
    [InlineData(FallbackPolicy.Warn, "Warning")]
    public async Task A_fallback_is_logged(FallbackPolicy policy, string level)
    {
        using var log = new LogLines();
        SslClientAuthenticationOptions client = TestPki.Client();
        client.LocalCertificateSelectionCallback = (_, _, _, _, _) => TestPki.Ecdsa;
        await using StreamPair pair = await StreamPair.ConnectAsync(new KTlsOptions { DataPlane = DataPlanePolicy.UserSpace, Fallback = policy, LoggerFactory = log }, client: client);
        Assert.Equal(FallbackReason.Options, pair.Client.Sending.Fallback);
        Assert.Single(log.Lines, $"{level}: SslStream takes the connection over (Options): LocalCertificateSelectionCallback is set");
    }

    [Theory]
    [MemberData(nameof(ServerOptionsOfSslStream))]
    [Option(typeof(SslServerAuthenticationOptions), nameof(SslServerAuthenticationOptions.AllowRenegotiation))]
    [Option(typeof(SslServerAuthenticationOptions), nameof(SslServerAuthenticationOptions.AllowRsaPssPadding))]
    [Option(typeof(SslServerAuthenticationOptions), nameof(SslServerAuthenticationOptions.AllowRsaPkcs1Padding))]
    [Option(typeof(SslServerAuthenticationOptions), nameof(SslServerAuthenticationOptions.EncryptionPolicy))]
    public async Task Options_that_only_SslStream_honours_on_a_server(string reason, Action<SslServerAuthenticationOptions> change)
    {
        SslServerAuthenticationOptions server = TestPki.Server();
        change(server);
        await using MixedPair pair = await MixedPair.ConnectAsync(isServer: true, server, TestPki.Client(), new KTlsOptions { DataPlane = DataPlanePolicy.UserSpace });
        Assert.Equal(DataPlaneKind.SslStream, pair.Ours.Sending.Kind);
        Assert.Contains(reason, pair.Ours.Sending.Reason, StringComparison.Ordinal);
    }

    public static TheoryData<string, Action<SslServerAuthenticationOptions>> ServerOptionsOfSslStream() => new()
    {
        { "AllowRenegotiation", o => (o.AllowRenegotiation, o.EnabledSslProtocols) = (true, SslProtocols.Tls12) },
        { "AllowRenegotiation", o => (o.AllowRenegotiation, o.CipherSuitesPolicy) = (true, new CipherSuitesPolicy([TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256])) },
        { "AllowRsaPssPadding", o => o.AllowRsaPssPadding = false },
        { "AllowRsaPkcs1Padding", o => o.AllowRsaPkcs1Padding = false },
#pragma warning disable SYSLIB0040, CS0618 // That it is obsolete does not mean that nobody sets it.
        { "EncryptionPolicy", o => o.EncryptionPolicy = EncryptionPolicy.AllowNoEncryption },
#pragma warning restore SYSLIB0040, CS0618
        { "CipherSuitesPolicy", o => (o.CipherSuitesPolicy, o.EnabledSslProtocols) = (CbcOnly, SslProtocols.Tls12) },
        { "names the authorities", o => (o.ClientCertificateRequired, o.RemoteCertificateValidationCallback, o.ServerCertificateContext) = (true, (_, _, _, _) => true, ContextWithTrust()) },
        { "names the authorities", o => (o.ClientCertificateRequired, o.CertificateChainPolicy, o.RemoteCertificateValidationCallback, o.ServerCertificateContext) = (true, TestPki.TrustRoot(), (_, _, _, _) => true, ContextWithTrust()) },
    };

    [Theory]
    [MemberData(nameof(ClientOptionsOfSslStream))]
    [Option(typeof(SslClientAuthenticationOptions), nameof(SslClientAuthenticationOptions.LocalCertificateSelectionCallback))]
    [Option(typeof(SslClientAuthenticationOptions), nameof(SslClientAuthenticationOptions.AllowRsaPssPadding))]
    [Option(typeof(SslClientAuthenticationOptions), nameof(SslClientAuthenticationOptions.AllowRsaPkcs1Padding))]
    [Option(typeof(SslClientAuthenticationOptions), nameof(SslClientAuthenticationOptions.EncryptionPolicy))]
    public async Task Options_that_only_SslStream_honours_on_a_client(string reason, Action<SslClientAuthenticationOptions> change)
    {
        SslClientAuthenticationOptions client = TestPki.Client();
        change(client);
        await using MixedPair pair = await MixedPair.ConnectAsync(isServer: false, TestPki.Server(), client, new KTlsOptions { DataPlane = DataPlanePolicy.UserSpace });
        Assert.Equal(DataPlaneKind.SslStream, pair.Ours.Sending.Kind);
        Assert.Contains(reason, pair.Ours.Sending.Reason, StringComparison.Ordinal);
    }

    public static TheoryData<string, Action<SslClientAuthenticationOptions>> ClientOptionsOfSslStream() => new()
    {
        { "LocalCertificateSelectionCallback", o => o.LocalCertificateSelectionCallback = (_, _, _, _, _) => TestPki.Ecdsa },
        { "AllowRsaPssPadding", o => o.AllowRsaPssPadding = false },
        { "AllowRsaPkcs1Padding", o => o.AllowRsaPkcs1Padding = false },
#pragma warning disable SYSLIB0040, CS0618 // That it is obsolete does not mean that nobody sets it.
        { "EncryptionPolicy", o => o.EncryptionPolicy = EncryptionPolicy.AllowNoEncryption },
#pragma warning restore SYSLIB0040, CS0618
        { "CipherSuitesPolicy", o => (o.CipherSuitesPolicy, o.EnabledSslProtocols) = (CbcOnly, SslProtocols.Tls12) },
#pragma warning disable SYSLIB0039, CA5397 // A client that still speaks TLS 1.1 is what this is about.
        { "EnabledSslProtocols", o => o.EnabledSslProtocols = SslProtocols.Tls11 | SslProtocols.Tls12 },
#pragma warning restore SYSLIB0039, CA5397
    };

    private static CipherSuitesPolicy CbcOnly { get; } = new([TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256]);

    private static SslStreamCertificateContext ContextWithTrust() => SslStreamCertificateContext.Create(
        TestPki.Ecdsa, [], offline: true, SslCertificateTrust.CreateForX509Collection([TestPki.Ecdsa], sendTrustInHandshake: true));

    [Fact]
    public async Task Without_kernel_TLS_SslStream_serves_or_the_error_says_why()
    {
        // On a host that has kernel TLS the kernel tests cover this; here both outcomes are checked for what they claim.
        await using StreamPair pair = await StreamPair.ConnectAsync(new KTlsOptions());
        if (pair.Server.Sending.Kind == DataPlaneKind.Kernel)
        {
            return;
        }

        Assert.Equal(DataPlaneKind.SslStream, pair.Server.Sending.Kind);
        Assert.Contains("TCP_ULP", pair.Server.Sending.Reason, StringComparison.Ordinal);
        using TcpPair tcp = TcpPair.Connect();
        AuthenticationException e = await Assert.ThrowsAsync<AuthenticationException>(() =>
            KTlsStream.AuthenticateAsServerAsync(tcp.Server, TestPki.Server(), new KTlsOptions { DataPlane = DataPlanePolicy.RequireKernel }));
        Assert.Contains("modprobe tls", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Elsewhere_than_on_Linux_SslStream_serves_both_ends()
    {
        using var log = new LogLines();
        await using StreamPair pair = await StreamPair.ConnectAsync(new KTlsOptions { IsLinux = false, DataPlane = DataPlanePolicy.UserSpace, LoggerFactory = log });
        foreach (KTlsStream end in new[] { pair.Client, pair.Server })
        {
            Assert.Equal((DataPlaneKind.SslStream, FallbackReason.NotLinux), (end.Sending.Kind, end.Sending.Fallback));
            Assert.Equal("SslStream serves the connection: this is not Linux.", end.Sending.Reason);
        }

        Assert.Equal(2, log.Lines.Count(line => line == "Information: SslStream takes the connection over (NotLinux): this is not Linux"));
        await Transfer.OneWayAsync(pair.Client, pair.Server, 100_000).WaitAsync(TimeSpan.FromSeconds(30));
    }

    [Theory]
    [InlineData(DataPlanePolicy.PreferKernel, FallbackPolicy.Forbid, "forbid SslStream")]
    [InlineData(DataPlanePolicy.RequireKernel, FallbackPolicy.Allow, "require kernel TLS")]
    public async Task Elsewhere_than_on_Linux_the_error_says_so(DataPlanePolicy dataPlane, FallbackPolicy fallback, string what)
    {
        var options = new KTlsOptions { IsLinux = false, DataPlane = dataPlane, Fallback = fallback };
        using TcpPair tcp = TcpPair.Connect();
        foreach (Task<KTlsStream> end in new[] { KTlsStream.AuthenticateAsServerAsync(tcp.Server, TestPki.Server(), options), KTlsStream.AuthenticateAsClientAsync(tcp.Client, TestPki.Client(), options) })
        {
            AuthenticationException e = await Assert.ThrowsAsync<AuthenticationException>(() => end);
            Assert.Contains(what, e.Message, StringComparison.Ordinal);
            Assert.EndsWith(": this is not Linux.", e.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_server_without_a_certificate_is_told_so()
    {
        using TcpPair tcp = TcpPair.Connect();
        var options = new KTlsOptions { DataPlane = DataPlanePolicy.UserSpace };
        NotSupportedException e = await Assert.ThrowsAsync<NotSupportedException>(() => KTlsStream.AuthenticateAsServerAsync(tcp.Server, new SslServerAuthenticationOptions(), options));
        Assert.Contains("ServerCertificate", e.Message, StringComparison.Ordinal);

        SslServerAuthenticationOptions two = TestPki.Server();
        two.ServerCertificateSelectionCallback = (_, _) => TestPki.Ecdsa;
        await Assert.ThrowsAsync<InvalidOperationException>(() => KTlsStream.AuthenticateAsServerAsync(tcp.Server, two, options));
    }

    [Fact]
    public async Task The_selection_callback_chooses_by_name()
    {
        string? seen = null;
        var server = new SslServerAuthenticationOptions
        {
            ServerCertificateSelectionCallback = (sender, name) =>
            {
                seen = name;
                Assert.IsType<KTlsStream>(sender);
                return TestPki.Ecdsa;
            },
        };
        await using StreamPair pair = await StreamPair.ConnectAsync(new KTlsOptions { DataPlane = DataPlanePolicy.UserSpace }, server);
        Assert.Equal("localhost", seen);
    }

    /// <summary>SslStream, which the ClientHello leads to, has the certificate that was selected before, and does not ask again.</summary>
    [Theory]
    [InlineData("suites")]
    [InlineData("renegotiation")]
    [InlineData("selected options")]
    public async Task The_selection_callback_is_asked_once_and_by_us(string obstacle)
    {
        var senders = new List<object>();
        var server = new SslServerAuthenticationOptions
        {
            AllowRenegotiation = obstacle == "renegotiation",
            AllowRsaPkcs1Padding = obstacle != "selected options",
            ServerCertificateSelectionCallback = (sender, name) =>
            {
                senders.Add(sender);
                Assert.Equal("localhost", name);
                return TestPki.Ecdsa;
            },
        };
        SslClientAuthenticationOptions client = TestPki.Client();
        client.EnabledSslProtocols = SslProtocols.Tls12;
        client.CipherSuitesPolicy = obstacle == "suites" ? CbcOnly : null;
        using TcpPair tcp = TcpPair.Connect();
        using var peer = new SslStream(new NetworkStream(tcp.Client));
        Task handshake = peer.AuthenticateAsClientAsync(client);
        var options = new KTlsOptions { DataPlane = DataPlanePolicy.UserSpace };
        await using KTlsStream ours = obstacle == "selected options"
            ? await KTlsStream.AuthenticateAsServerAsync(tcp.Server, (_, _) => ValueTask.FromResult(server), options)
            : await KTlsStream.AuthenticateAsServerAsync(tcp.Server, server, options);
        await handshake;
        Assert.Equal(DataPlaneKind.SslStream, ours.Sending.Kind);
        Assert.Same(ours, Assert.Single(senders));
        Assert.Equal("localhost", ours.TargetHostName);
        Assert.Equal(TestPki.Ecdsa.RawData, peer.RemoteCertificate!.GetRawCertData());
    }
}
