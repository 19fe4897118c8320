using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using KTls.Handshake;

namespace KTls.Tests.Options;

/// <summary>A server's options that are selected by the ClientHello.</summary>
public sealed class SelectedOptionsTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    public static MatrixTheoryData<DataPlanePolicy, SslProtocols> Clients => new(
        [DataPlanePolicy.UserSpace, DataPlanePolicy.SslStream], [SslProtocols.Tls12, SslProtocols.Tls13, SslProtocols.Tls12 | SslProtocols.Tls13]);

    /// <summary>The selection sees what SslStream would show it, and more of the versions; what it returns is served.</summary>
    [Theory]
    [MemberData(nameof(Clients))]
    public async Task The_selection_sees_the_ClientHello(DataPlanePolicy policy, SslProtocols offered)
    {
        SslClientAuthenticationOptions client = TestPki.Client();
        client.EnabledSslProtocols = offered;
        client.ApplicationProtocols = [SslApplicationProtocol.Http11];
        SslClientHelloInfo theirs = default;
        using (TcpPair tcp = TcpPair.Connect())
        {
            await using var bare = new SslStream(new NetworkStream(tcp.Server));
            await using var bareClient = new SslStream(new NetworkStream(tcp.Client));
            await Task.WhenAll(
                bareClient.AuthenticateAsClientAsync(client),
                bare.AuthenticateAsServerAsync((_, hello, _, _) => ValueTask.FromResult(Noting(hello, out theirs)), state: null));
        }

        SslClientHelloInfo ours = default;
        int calls = 0;
        await using Ends ends = await ConnectAsync(client, policy, (hello, _) =>
        {
            calls++;
            return ValueTask.FromResult(Noting(hello, out ours));
        });
        Assert.Equal(theirs.ServerName, ours.ServerName);

        // SslStream tells the versions of the record and of the older field, which say nothing of TLS 1.3.
        Assert.Equal(policy == DataPlanePolicy.SslStream ? theirs.SslProtocols : offered, ours.SslProtocols);
        Assert.Equal(1, calls);
        Assert.Equal(policy == DataPlanePolicy.SslStream ? DataPlaneKind.SslStream : DataPlaneKind.UserSpace, ends.Server.Sending.Kind);
        Assert.Equal(SslApplicationProtocol.Http11, ends.Client.NegotiatedApplicationProtocol);
        await Transfer.BothWaysAsync(ends.Server, ends.Client, 100_000).WaitAsync(Patience);
    }

    /// <summary>SslStream gets the ClientHello that the selection was made by, and the selection is not made again.</summary>
    [Fact]
    public async Task Options_that_only_SslStream_honours_go_to_it()
    {
        int calls = 0;
        await using Ends ends = await ConnectAsync(TestPki.Client(), DataPlanePolicy.UserSpace, (_, _) =>
        {
            calls++;
            SslServerAuthenticationOptions options = TestPki.Server(TestPki.Rsa);
            options.AllowRsaPkcs1Padding = false;
            return ValueTask.FromResult(options);
        });
        Assert.Equal((DataPlaneKind.SslStream, FallbackReason.Options), (ends.Server.Sending.Kind, ends.Server.Sending.Fallback));
        Assert.Equal(1, calls);
        await Transfer.BothWaysAsync(ends.Server, ends.Client, 100_000).WaitAsync(Patience);
    }

    [Theory]
    [InlineData(DataPlanePolicy.UserSpace)]
    [InlineData(DataPlanePolicy.SslStream)]
    public async Task It_may_take_its_time(DataPlanePolicy policy)
    {
        await using Ends ends = await ConnectAsync(TestPki.Client(), policy, async (_, token) =>
        {
            await Task.Delay(50, token);
            return TestPki.Server();
        });
        await Transfer.BothWaysAsync(ends.Server, ends.Client, 1000).WaitAsync(Patience);
    }

    [Fact]
    public async Task What_it_throws_comes_out_and_the_client_is_told()
    {
        var failure = new FileNotFoundException("no such site");
        (Exception server, Exception client) = await FailAsync<FileNotFoundException>((_, _) => throw failure);
        Assert.Same(failure, server);
        Assert.Equal(AlertDescription.InternalError, Assert.IsType<TlsAlertException>(client.InnerException).Description);
    }

    [Fact]
    public async Task No_options_are_an_error()
    {
        (Exception server, Exception client) = await FailAsync<AuthenticationException>((_, _) => ValueTask.FromResult<SslServerAuthenticationOptions>(null!));
        Assert.Contains("returned no options", server.Message, StringComparison.Ordinal);
        Assert.Equal(AlertDescription.InternalError, Assert.IsType<TlsAlertException>(client.InnerException).Description);
    }

    [Fact]
    public async Task Options_without_a_certificate_are_an_error()
    {
        (Exception server, Exception client) = await FailAsync<NotSupportedException>((_, _) => ValueTask.FromResult(new SslServerAuthenticationOptions()));
        Assert.Contains("no server certificate", server.Message, StringComparison.Ordinal);
        Assert.Equal(AlertDescription.InternalError, Assert.IsType<TlsAlertException>(client.InnerException).Description);
    }

    [Fact]
    public async Task The_timeout_is_for_the_selection_too()
    {
        using TcpPair tcp = TcpPair.Connect();
        var options = new KTlsOptions { DataPlane = DataPlanePolicy.UserSpace, HandshakeTimeout = TimeSpan.FromMilliseconds(200) };
        Task<KTlsStream> client = KTlsStream.AuthenticateAsClientAsync(tcp.Client, TestPki.Client(), new KTlsOptions { DataPlane = DataPlanePolicy.UserSpace });
        await Assert.ThrowsAsync<TimeoutException>(() => KTlsStream.AuthenticateAsServerAsync(
            tcp.Server,
            async (_, token) =>
            {
                await Task.Delay(Timeout.Infinite, token);
                return TestPki.Server();
            },
            options).WaitAsync(Patience));
        tcp.Server.Dispose();
        await Assert.ThrowsAnyAsync<IOException>(() => client.WaitAsync(Patience));
    }

    [Theory]
    [InlineData(DataPlanePolicy.UserSpace)]
    [InlineData(DataPlanePolicy.SslStream)]
    public async Task Credentials_stand_beside_it(DataPlanePolicy policy)
    {
        using TcpPair tcp = TcpPair.Connect();
        var options = new KTlsOptions { DataPlane = policy, ServerCredentials = new ServerCredentials(CertificateCredential.FromCertificate(TestPki.Ecdsa)) };
        SslClientAuthenticationOptions client = TestPki.Client();
        client.ApplicationProtocols = [SslApplicationProtocol.Http2, SslApplicationProtocol.Http11];
        Task<KTlsStream> serving = KTlsStream.AuthenticateAsServerAsync(
            tcp.Server, (_, _) => ValueTask.FromResult(new SslServerAuthenticationOptions { ApplicationProtocols = [SslApplicationProtocol.Http11] }), options);
        await using KTlsStream ours = await KTlsStream.AuthenticateAsClientAsync(tcp.Client, client, new KTlsOptions { DataPlane = DataPlanePolicy.UserSpace }).WaitAsync(Patience);
        await using KTlsStream server = await serving.WaitAsync(Patience);
        Assert.Equal(SslApplicationProtocol.Http11, ours.NegotiatedApplicationProtocol);
        Assert.Equal(TestPki.Ecdsa, ours.RemoteCertificate);
    }

    private static SslServerAuthenticationOptions Noting(SslClientHelloInfo hello, out SslClientHelloInfo noted)
    {
        noted = hello;
        SslServerAuthenticationOptions options = TestPki.Server();
        options.ApplicationProtocols = [SslApplicationProtocol.Http11];
        return options;
    }

    private static async Task<Ends> ConnectAsync(
        SslClientAuthenticationOptions client, DataPlanePolicy policy, Func<SslClientHelloInfo, CancellationToken, ValueTask<SslServerAuthenticationOptions>> select)
    {
        TcpPair tcp = TcpPair.Connect();
        Task<KTlsStream> server = KTlsStream.AuthenticateAsServerAsync(tcp.Server, select, new KTlsOptions { DataPlane = policy });
        var theirs = new SslStream(new NetworkStream(tcp.Client));
        await theirs.AuthenticateAsClientAsync(client).WaitAsync(Patience);
        return new Ends(tcp, await server.WaitAsync(Patience), theirs);
    }

    private static async Task<(Exception Server, Exception Client)> FailAsync<TException>(Func<SslClientHelloInfo, CancellationToken, ValueTask<SslServerAuthenticationOptions>> select)
        where TException : Exception
    {
        using TcpPair tcp = TcpPair.Connect();
        var userSpace = new KTlsOptions { DataPlane = DataPlanePolicy.UserSpace };
        Task<KTlsStream> client = KTlsStream.AuthenticateAsClientAsync(tcp.Client, TestPki.Client(), userSpace);
        TException e = await Assert.ThrowsAsync<TException>(() => KTlsStream.AuthenticateAsServerAsync(tcp.Server, select, userSpace).WaitAsync(Patience));
        return (e, await Assert.ThrowsAsync<AuthenticationException>(() => client.WaitAsync(Patience)));
    }

    private sealed record Ends(TcpPair Tcp, KTlsStream Server, SslStream Client) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            await Server.DisposeAsync();
            await Client.DisposeAsync();
            Tcp.Dispose();
        }
    }
}
