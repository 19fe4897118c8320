using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using KTls.Handshake;

namespace KTls.Tests;

/// <summary>A server refuses what KTls offers, or an attacker says that it does.</summary>
public sealed class RetryTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly Socket _listener = Attacker.Listen();
    private readonly LogLines _log = new();
    private readonly SslServerAuthenticationOptions _server = TestPki.Server();
    private readonly SslClientAuthenticationOptions _client = TestPki.Client();
    private readonly KTlsOptions _options;

    public RetryTests()
    {
        _options = new KTlsOptions { DataPlane = DataPlanePolicy.UserSpace, RetryWithSslStream = true, LoggerFactory = _log };
        _ = ServeAsync();
    }

    public static TheoryData<AlertDescription> Refusals => [AlertDescription.HandshakeFailure, AlertDescription.ProtocolVersion, AlertDescription.InsufficientSecurity];

    public void Dispose()
    {
        _listener.Dispose();
        _log.Dispose();
    }

    [Fact]
    public async Task Without_a_refusal_KTls_serves()
    {
        await using KTlsStream stream = await ConnectAsync();
        Assert.Equal(DataPlaneKind.UserSpace, stream.Sending.Kind);
        await AssertEchoesAsync(stream);
    }

    [Fact]
    public async Task A_server_with_CBC_alone_is_reached_by_the_retry()
    {
        using var measured = new Measurements("ktls.fallbacks");
        _server.EnabledSslProtocols = SslProtocols.Tls12;
        _server.CipherSuitesPolicy = new CipherSuitesPolicy([TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256]);
        await using KTlsStream stream = await ConnectAsync();
        Assert.Equal((SslProtocols.Tls12, TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256), (stream.SslProtocol, stream.NegotiatedCipherSuite));
        AssertServedBySslStream(stream);
        Assert.Contains("the server refused what KTls offers with the alert HandshakeFailure (40)", stream.Sending.Reason, StringComparison.Ordinal);
        Assert.Contains(_log.Lines, line => line.StartsWith("Information: SslStream takes the connection over (ServerRefused): the server refused", StringComparison.Ordinal));
        Assert.Equal(1, measured["ktls.fallbacks ktls.fallback.reason=server_refused"]);
        await AssertEchoesAsync(stream);
    }

    [Fact]
    public async Task Nobody_retries_by_default()
    {
        _options.RetryWithSslStream = new KTlsOptions().RetryWithSslStream;
        using var attacker = new Attacker(_listener.LocalEndPoint!, Attacker.Alert(AlertDescription.HandshakeFailure), Attacker.LeaveAlone);
        Assert.Equal(AlertDescription.HandshakeFailure, await FailAsync(attacker));
        Assert.Equal(1, attacker.Connections);
    }

    [Theory]
    [InlineData(DataPlanePolicy.UserSpace, FallbackPolicy.Forbid)]
    [InlineData(DataPlanePolicy.PreferKernel, FallbackPolicy.Forbid)]
    public async Task Nobody_retries_where_SslStream_is_forbidden(DataPlanePolicy dataPlane, FallbackPolicy fallback)
    {
        (_options.DataPlane, _options.Fallback) = (dataPlane, fallback);
        using var attacker = new Attacker(_listener.LocalEndPoint!, Attacker.Alert(AlertDescription.HandshakeFailure), Attacker.LeaveAlone);
        Assert.Equal(AlertDescription.HandshakeFailure, await FailAsync(attacker));
        Assert.Equal(1, attacker.Connections);
    }

    [Theory]
    [InlineData(AlertDescription.BadCertificate)]
    [InlineData(AlertDescription.InternalError)]
    [InlineData(AlertDescription.UnrecognizedName)]
    [InlineData(AlertDescription.NoApplicationProtocol)]
    public async Task Other_alerts_are_no_refusal_of_the_offer(AlertDescription alert)
    {
        using var attacker = new Attacker(_listener.LocalEndPoint!, Attacker.Alert(alert), Attacker.LeaveAlone);
        Assert.Equal(alert, await FailAsync(attacker));
        Assert.Equal(1, attacker.Connections);
    }

    /// <summary>Both ends have TLS 1.3: that is what they get, whatever an attacker injects.</summary>
    [Theory]
    [MemberData(nameof(Refusals))]
    public async Task An_injected_alert_gains_no_older_version(AlertDescription alert)
    {
        using var attacker = new Attacker(_listener.LocalEndPoint!, Attacker.Alert(alert), Attacker.LeaveAlone);
        await using KTlsStream stream = await ConnectAsync(attacker);
        Assert.Equal(SslProtocols.Tls13, stream.SslProtocol);
        AssertServedBySslStream(stream);
        Assert.Equal(2, attacker.Connections);
        await AssertEchoesAsync(stream);
    }

    /// <summary>The second connection goes where the name led the first one.</summary>
    [Fact]
    public async Task A_name_is_retried_too()
    {
        using var attacker = new Attacker(_listener.LocalEndPoint!, Attacker.Alert(AlertDescription.HandshakeFailure), Attacker.LeaveAlone);
        var endPoint = new DnsEndPoint("localhost", ((IPEndPoint)attacker.EndPoint).Port);
        await using KTlsStream stream = await KTlsStream.ConnectAsync(endPoint, _client, _options).WaitAsync(Patience);
        AssertServedBySslStream(stream);
        Assert.Equal(2, attacker.Connections);
        await AssertEchoesAsync(stream);
    }

    [Theory]
    [MemberData(nameof(Refusals))]
    public async Task Alerts_in_both_connections_are_the_end(AlertDescription alert)
    {
        using var attacker = new Attacker(_listener.LocalEndPoint!, Attacker.Alert(alert));
        await Assert.ThrowsAsync<AuthenticationException>(() => ConnectAsync(attacker));
        Assert.Equal(2, attacker.Connections);
    }

    /// <summary>The server's random tells that it could do better (RFC 8446 §4.1.3).</summary>
    [Fact]
    public async Task The_retry_notices_that_TLS_1_3_was_hidden()
    {
        using var attacker = new Attacker(_listener.LocalEndPoint!, Attacker.Alert(AlertDescription.HandshakeFailure), Attacker.HideTls13);
        AuthenticationException e = await Assert.ThrowsAsync<AuthenticationException>(() => ConnectAsync(attacker));
        Assert.Contains("inappropriate fallback", e.GetBaseException().Message, StringComparison.Ordinal);
        Assert.Equal(2, attacker.Connections);
    }

    [Fact]
    public async Task Our_own_handshake_notices_it_too_and_that_is_no_refusal()
    {
        using var attacker = new Attacker(_listener.LocalEndPoint!, Attacker.HideTls13, Attacker.LeaveAlone);
        Assert.Equal(AlertDescription.IllegalParameter, await FailAsync(attacker));
        Assert.Equal(1, attacker.Connections);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task A_ServerHello_of_an_older_version_is_no_refusal(byte minorVersion)
    {
        byte[] body = [3, minorVersion, .. new byte[32], 0, 0xc0, 0x09, 0];
        byte[] record = [22, 3, minorVersion, 0, (byte)(body.Length + 4), 2, 0, 0, (byte)body.Length, .. body];
        using var attacker = new Attacker(_listener.LocalEndPoint!, Attacker.Answer(record), Attacker.LeaveAlone);
        Assert.Equal(AlertDescription.ProtocolVersion, await FailAsync(attacker));
        Assert.Equal(1, attacker.Connections);
    }

    /// <summary>A server that has chosen from the offer did not refuse it, whatever it says later.</summary>
    [Fact]
    public async Task After_a_ServerHello_nothing_is_a_refusal()
    {
        _server.EnabledSslProtocols = SslProtocols.Tls12;
        using var attacker = new Attacker(_listener.LocalEndPoint!, Attacker.AlertAfterServerHello, Attacker.LeaveAlone);
        Assert.Equal(AlertDescription.HandshakeFailure, await FailAsync(attacker));
        Assert.Equal(1, attacker.Connections);
    }

    /// <summary>The server has TLS 1.2 alone and the client may not: no alert can change that.</summary>
    [Fact]
    public async Task The_retry_goes_not_below_the_enabled_protocols()
    {
        _server.EnabledSslProtocols = SslProtocols.Tls12;
        _client.EnabledSslProtocols = SslProtocols.Tls13;
        using var attacker = new Attacker(_listener.LocalEndPoint!, Attacker.Alert(AlertDescription.HandshakeFailure), Attacker.LeaveAlone);
        await Assert.ThrowsAsync<AuthenticationException>(() => ConnectAsync(attacker));
        Assert.Equal(2, attacker.Connections);
    }

    [Fact]
    public async Task The_connector_owns_its_socket()
    {
        await Assert.ThrowsAsync<ArgumentException>(() => KTlsStream.ConnectAsync(_listener.LocalEndPoint!, _client, new KTlsOptions { LeaveSocketOpen = true }));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => KTlsStream.ConnectAsync(_listener.LocalEndPoint!, _client, _options, new CancellationToken(canceled: true)));
        Socket closed = Attacker.Listen();
        EndPoint nowhere = closed.LocalEndPoint!;
        closed.Dispose();
        await Assert.ThrowsAsync<SocketException>(() => KTlsStream.ConnectAsync(nowhere, _client, _options));
    }

    private static void AssertServedBySslStream(KTlsStream stream) =>
        Assert.Equal((DataPlaneKind.SslStream, FallbackReason.ServerRefused), (stream.Sending.Kind, stream.Sending.Fallback));

    private static async Task AssertEchoesAsync(KTlsStream stream)
    {
        await stream.WriteAsync(new byte[] { 1, 2, 3 });
        byte[] echo = new byte[3];
        await stream.ReadExactlyAsync(echo).AsTask().WaitAsync(Patience);
        Assert.Equal([1, 2, 3], echo);
    }

    private Task<KTlsStream> ConnectAsync(Attacker? attacker = null) =>
        KTlsStream.ConnectAsync(attacker?.EndPoint ?? _listener.LocalEndPoint!, _client, _options).WaitAsync(Patience);

    // The alert of a failure that our own handshake met.
    private async Task<AlertDescription> FailAsync(Attacker attacker)
    {
        AuthenticationException e = await Assert.ThrowsAsync<AuthenticationException>(() => ConnectAsync(attacker));
        return Assert.IsType<TlsAlertException>(e.InnerException).Description;
    }

    private async Task ServeAsync()
    {
        while (true)
        {
            try
            {
                _ = EchoAsync(await _listener.AcceptAsync());
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                return;
            }
        }
    }

    private async Task EchoAsync(Socket socket)
    {
        try
        {
            await using var stream = new SslStream(new NetworkStream(socket, ownsSocket: true));
            await stream.AuthenticateAsServerAsync(_server);
            await stream.CopyToAsync(stream);
        }
        catch (Exception e) when (e is AuthenticationException or IOException)
        {
            // What the client makes of it is what counts.
        }
    }
}
