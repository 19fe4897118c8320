using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using KTls.Handshake;

namespace KTls.Tests;

/// <summary>Handshakes that must fail, with the right exception here and the right alert there.</summary>
public sealed class FailureTests
{
    private static readonly KTlsOptions UserSpace = new() { DataPlane = DataPlanePolicy.UserSpace };

    public static TheoryData<string, AlertDescription> BadServers => new()
    {
        { "wrong name", AlertDescription.BadCertificate },
        { "unknown root", AlertDescription.UnknownCa },
        { "expired", AlertDescription.CertificateExpired },
        { "for clients only", AlertDescription.UnsupportedCertificate },
        { "callback says no", AlertDescription.BadCertificate },
    };

    [Theory]
    [MemberData(nameof(BadServers))]
    public async Task A_bad_server_is_refused_with_the_alert_that_says_why(string how, AlertDescription expected)
    {
        X509Certificate2 certificate = how switch
        {
            "expired" => TestPki.Issue(ECDsa.Create(ECCurve.NamedCurves.nistP256), notAfter: DateTimeOffset.UtcNow.AddDays(-1)),
            "for clients only" => TestPki.Issue(ECDsa.Create(ECCurve.NamedCurves.nistP256), extendedKeyUsage: "1.3.6.1.5.5.7.3.2"),
            "wrong name" => TestPki.Issue(ECDsa.Create(ECCurve.NamedCurves.nistP256), host: "elsewhere.example"),
            _ => TestPki.Ecdsa,
        };
        SslClientAuthenticationOptions client = TestPki.Client();
        if (how == "unknown root")
        {
            client.CertificateChainPolicy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        }
        else if (how == "callback says no")
        {
            client.RemoteCertificateValidationCallback = (_, _, _, _) => false;
        }

        using TcpPair tcp = TcpPair.Connect();
        Task<KTlsStream> server = KTlsStream.AuthenticateAsServerAsync(tcp.Server, TestPki.Server(certificate), UserSpace);
        await Assert.ThrowsAsync<AuthenticationException>(() => KTlsStream.AuthenticateAsClientAsync(tcp.Client, client, UserSpace));
        AuthenticationException e = await Assert.ThrowsAsync<AuthenticationException>(() => server);
        TlsAlertException alert = Assert.IsType<TlsAlertException>(e.InnerException);
        Assert.True(alert.ReceivedFromPeer);
        Assert.Equal(expected, alert.Description);
    }

    [Fact]
    public async Task The_callback_has_the_last_word()
    {
        SslPolicyErrors seen = default;
        SslClientAuthenticationOptions client = TestPki.Client();
        client.TargetHost = "wrong.example";
        client.RemoteCertificateValidationCallback = (sender, certificate, chain, errors) =>
        {
            Assert.IsType<KTlsStream>(sender);
            Assert.NotNull(certificate);
            Assert.NotEmpty(chain!.ChainElements);
            seen = errors;
            return true;
        };
        await using StreamPair pair = await StreamPair.ConnectAsync(UserSpace, client: client);
        Assert.Equal(SslPolicyErrors.RemoteCertificateNameMismatch, seen);
    }

    [Theory]
    [InlineData("474554202f20485454502f312e310d0a0d0a", AlertDescription.UnexpectedMessage)]
    [InlineData("160301ffff", AlertDescription.RecordOverflow)]
    [InlineData("16040100056162636465", AlertDescription.ProtocolVersion)]
    [InlineData("170303000161", AlertDescription.UnexpectedMessage)]
    [InlineData("140303000101", AlertDescription.UnexpectedMessage)]
    [InlineData("160301000401ffffff", AlertDescription.IllegalParameter)]
    public async Task Garbage_instead_of_a_ClientHello_is_answered_by_an_alert(string garbage, AlertDescription expected)
    {
        using TcpPair tcp = TcpPair.Connect();
        Task<KTlsStream> server = KTlsStream.AuthenticateAsServerAsync(tcp.Server, TestPki.Server(), UserSpace);
        await tcp.Client.SendAsync(Convert.FromHexString(garbage));
        AuthenticationException e = await Assert.ThrowsAsync<AuthenticationException>(() => server);
        Assert.Equal(expected, Assert.IsType<TlsAlertException>(e.InnerException).Description);
        byte[] alert = new byte[7];
        Assert.Equal(7, await tcp.Client.ReceiveAsync(alert));
        Assert.Equal([21, 3, 3, 0, 2, 2, (byte)expected], alert);
    }

    /// <summary>Each record is kept, for SslStream: beyond twice the message that there may be, it is enough.</summary>
    [Fact]
    public async Task A_long_ClientHello_in_records_of_one_byte_is_too_much()
    {
        byte[] message = new byte[60_000];
        (message[0], message[2], message[3]) = (1, (byte)((message.Length - 4) >> 8), (byte)((message.Length - 4) & 0xff));
        using TcpPair tcp = TcpPair.Connect();
        Task<KTlsStream> server = KTlsStream.AuthenticateAsServerAsync(tcp.Server, TestPki.Server(), UserSpace);
        Task sending = tcp.Client.SendAsync(InRecordsOfOneByte(message));
        AuthenticationException e = await Assert.ThrowsAsync<AuthenticationException>(() => server);
        Assert.Contains("131072", e.Message, StringComparison.Ordinal);
        byte[] alert = new byte[7];
        Assert.Equal(7, await tcp.Client.ReceiveAsync(alert));
        Assert.Equal([21, 3, 3, 0, 2, 2, (byte)AlertDescription.UnexpectedMessage], alert);
        tcp.Server.Dispose();
        await Record.ExceptionAsync(() => sending);
    }

    [Fact]
    public async Task A_usual_ClientHello_in_records_of_one_byte_is_answered()
    {
        using var client = new ClientHandshake(new ClientHandshakeOptions { ServerName = "localhost" });
        using TcpPair tcp = TcpPair.Connect();
        Task<KTlsStream> server = KTlsStream.AuthenticateAsServerAsync(tcp.Server, TestPki.Server(), UserSpace);
        await tcp.Client.SendAsync(InRecordsOfOneByte(client.Output.Span[RecordHeader.Size..]));
        byte[] answer = new byte[1];
        Assert.Equal(1, await tcp.Client.ReceiveAsync(answer));
        Assert.Equal((byte)ContentType.Handshake, answer[0]);
        tcp.Client.Dispose();
        await Assert.ThrowsAsync<IOException>(() => server);
    }

    private static byte[] InRecordsOfOneByte(ReadOnlySpan<byte> message)
    {
        byte[] records = new byte[6 * message.Length];
        for (int i = 0; i < message.Length; i++)
        {
            new byte[] { 22, 3, 1, 0, 1, message[i] }.CopyTo(records, 6 * i);
        }

        return records;
    }

    [Fact]
    public async Task A_ClientHello_cut_off_at_any_byte_is_an_IOException_and_nothing_else()
    {
        using var client = new ClientHandshake(new ClientHandshakeOptions { ServerName = "localhost" });
        byte[] hello = client.Output.ToArray();
        for (int length = 0; length < hello.Length; length++)
        {
            using TcpPair tcp = TcpPair.Connect();
            Task<KTlsStream> server = KTlsStream.AuthenticateAsServerAsync(tcp.Server, TestPki.Server(), UserSpace);
            await tcp.Client.SendAsync(hello.AsMemory(0, length));
            tcp.Client.Shutdown(SocketShutdown.Send);
            IOException e = await Assert.ThrowsAsync<IOException>(() => server.WaitAsync(TimeSpan.FromSeconds(10)));
            Assert.Contains("during the handshake", e.Message, StringComparison.Ordinal);
        }
    }

    /// <summary>Whatever a byte of the ClientHello becomes: a handshake that ends in an alert or goes on, never anything else.</summary>
    [Fact]
    public async Task A_ClientHello_with_any_byte_changed_ends_in_an_alert_or_goes_on()
    {
        using var client = new ClientHandshake(new ClientHandshakeOptions { ServerName = "localhost", ApplicationProtocols = [SslApplicationProtocol.Http11] });
        byte[] hello = client.Output.ToArray();
        for (int i = 0; i < hello.Length; i++)
        {
            byte[] changed = [.. hello];
            changed[i] ^= 0xff;
            using TcpPair tcp = TcpPair.Connect();
            Task<KTlsStream> server = KTlsStream.AuthenticateAsServerAsync(tcp.Server, TestPki.Server(), UserSpace);
            await tcp.Client.SendAsync(changed);
            tcp.Client.Shutdown(SocketShutdown.Send);
            Exception? e = await Record.ExceptionAsync(() => server.WaitAsync(TimeSpan.FromSeconds(10)));
            Assert.True(e is AuthenticationException or IOException, $"Byte {i}: {e}");
        }
    }

    [Fact]
    public async Task A_client_that_goes_away_is_an_IOException()
    {
        using TcpPair tcp = TcpPair.Connect();
        Task<KTlsStream> server = KTlsStream.AuthenticateAsServerAsync(tcp.Server, TestPki.Server(), UserSpace);
        await tcp.Client.SendAsync(new byte[] { 22, 3, 1 });
        tcp.Client.Dispose();
        await Assert.ThrowsAsync<IOException>(() => server);
    }

    [Fact]
    public async Task A_silent_client_runs_out_of_time()
    {
        using TcpPair tcp = TcpPair.Connect();
        await Assert.ThrowsAsync<TimeoutException>(() => KTlsStream.AuthenticateAsServerAsync(
            tcp.Server, TestPki.Server(), new KTlsOptions { DataPlane = DataPlanePolicy.UserSpace, HandshakeTimeout = TimeSpan.FromMilliseconds(100) }));
    }

    /// <summary>Closing a descriptor ends no wait in epoll.</summary>
    [Fact]
    public async Task A_socket_that_its_owner_closes_ends_the_handshake()
    {
        using TcpPair tcp = TcpPair.Connect();
        var patient = new KTlsOptions { DataPlane = DataPlanePolicy.UserSpace, HandshakeTimeout = Timeout.InfiniteTimeSpan };
        Task<KTlsStream> server = KTlsStream.AuthenticateAsServerAsync(tcp.Server, TestPki.Server(), patient);
        await Task.Delay(50);
        tcp.Server.Dispose();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => server.WaitAsync(TimeSpan.FromSeconds(30)));
    }

    [Fact]
    public async Task The_caller_can_cancel_and_still_owns_the_socket()
    {
        using TcpPair tcp = TcpPair.Connect();
        using var soon = new CancellationTokenSource(50);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => KTlsStream.AuthenticateAsServerAsync(tcp.Server, TestPki.Server(), UserSpace, soon.Token));
        await tcp.Server.SendAsync(new byte[] { 1 });
        Assert.Equal(1, await tcp.Client.ReceiveAsync(new byte[1]));
    }

    /// <summary>What is told is why it failed, and not that nobody could be told any more.</summary>
    [Fact]
    public async Task A_callback_that_refuses_and_closes_the_socket()
    {
        using TcpPair tcp = TcpPair.Connect();
        SslClientAuthenticationOptions client = TestPki.Client();
        client.RemoteCertificateValidationCallback = (_, _, _, _) =>
        {
            tcp.Client.Dispose();
            return false;
        };
        Task<KTlsStream> accepting = KTlsStream.AuthenticateAsServerAsync(tcp.Server, TestPki.Server(), UserSpace);
        AuthenticationException e = await Assert.ThrowsAsync<AuthenticationException>(() => KTlsStream.AuthenticateAsClientAsync(tcp.Client, client, UserSpace));
        Assert.Contains("RemoteCertificateValidationCallback refused", e.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<IOException>(() => accepting);
    }

    /// <summary>A record of the peer with a flipped bit ends the connection with bad_record_mac on both sides.</summary>
    [Fact]
    public async Task A_forged_record_is_refused()
    {
        await using StreamPair pair = await StreamPair.ConnectAsync(new KTlsOptions { DataPlane = DataPlanePolicy.UserSpace, LeaveSocketOpen = true });
        using TcpPair tcp = TcpPair.Connect();
        var options = new KTlsOptions { DataPlane = DataPlanePolicy.UserSpace, LeaveSocketOpen = true };
        Task<KTlsStream> accepting = KTlsStream.AuthenticateAsServerAsync(tcp.Server, TestPki.Server(), options);
        await using KTlsStream client = await KTlsStream.AuthenticateAsClientAsync(tcp.Client, TestPki.Client(), options);
        await using KTlsStream server = await accepting;

        byte[] forged = new byte[5 + 40];
        RandomNumberGenerator.Fill(forged);
        RecordHeader.Write(forged, ContentType.ApplicationData, 40);
        await tcp.Client.SendAsync(forged);
        IOException e = await Assert.ThrowsAsync<IOException>(async () => await server.ReadAsync(new byte[10]));
        Assert.Equal(AlertDescription.BadRecordMac, Assert.IsType<TlsAlertException>(e.InnerException).Description);
        e = await Assert.ThrowsAsync<IOException>(async () => await client.ReadAsync(new byte[10]));
        TlsAlertException alert = Assert.IsType<TlsAlertException>(e.InnerException);
        Assert.True(alert.ReceivedFromPeer);
        Assert.Equal(AlertDescription.BadRecordMac, alert.Description);
        await Assert.ThrowsAsync<IOException>(async () => await server.ReadAsync(new byte[10]));

        // After the alert nothing is written either, on neither side (RFC 8446 §6.2).
        await Assert.ThrowsAsync<IOException>(async () => await server.WriteAsync(new byte[10]));
        await Assert.ThrowsAsync<IOException>(async () => await client.WriteAsync(new byte[10]));
    }

    [Theory]
    [InlineData(3)]
    [InlineData(5)]
    [InlineData(20)]
    public async Task The_end_of_TCP_inside_a_record_is_an_error(int length)
    {
        using TcpPair tcp = TcpPair.Connect();
        var options = new KTlsOptions { DataPlane = DataPlanePolicy.UserSpace, LeaveSocketOpen = true };
        Task<KTlsStream> accepting = KTlsStream.AuthenticateAsServerAsync(tcp.Server, TestPki.Server(), options);
        await using KTlsStream client = await KTlsStream.AuthenticateAsClientAsync(tcp.Client, TestPki.Client(), options);
        await using KTlsStream server = await accepting;
        byte[] record = new byte[RecordHeader.Size + 40];
        RecordHeader.Write(record, ContentType.ApplicationData, 40);
        await tcp.Client.SendAsync(record.AsMemory(0, length));
        tcp.Client.Shutdown(SocketShutdown.Send);
        await Assert.ThrowsAsync<IOException>(async () => await server.ReadAsync(new byte[10]).AsTask().WaitAsync(TimeSpan.FromSeconds(10)));
    }

    [Fact]
    public async Task An_empty_record_without_a_tag_is_bad_record_mac()
    {
        using TcpPair tcp = TcpPair.Connect();
        var options = new KTlsOptions { DataPlane = DataPlanePolicy.UserSpace, LeaveSocketOpen = true };
        Task<KTlsStream> accepting = KTlsStream.AuthenticateAsServerAsync(tcp.Server, TestPki.Server(), options);
        await using KTlsStream client = await KTlsStream.AuthenticateAsClientAsync(tcp.Client, TestPki.Client(), options);
        await using KTlsStream server = await accepting;
        await tcp.Client.SendAsync(new byte[] { 23, 3, 3, 0, 0 });
        IOException e = await Assert.ThrowsAsync<IOException>(async () => await server.ReadAsync(new byte[10]).AsTask().WaitAsync(TimeSpan.FromSeconds(10)));
        Assert.Equal(AlertDescription.BadRecordMac, Assert.IsType<TlsAlertException>(e.InnerException).Description);
    }

    /// <summary>Whoever refuses a peer does not keep its certificate.</summary>
    [Theory]
    [InlineData(true, SslProtocols.Tls12)]
    [InlineData(true, SslProtocols.Tls13)]
    [InlineData(false, SslProtocols.Tls12)]
    [InlineData(false, SslProtocols.Tls13)]
    public async Task The_certificate_of_a_refused_peer_is_disposed(bool byServer, SslProtocols protocol)
    {
        X509Certificate? seen = null;
        bool Refuse(object sender, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors)
        {
            seen = certificate;
            Assert.NotEqual(IntPtr.Zero, certificate!.Handle);
            return false;
        }

        SslServerAuthenticationOptions server = TestPki.Server();
        server.EnabledSslProtocols = protocol;
        SslClientAuthenticationOptions client = TestPki.Client();
        client.ClientCertificates = [TestPki.Rsa];
        if (byServer)
        {
            server.ClientCertificateRequired = true;
            server.RemoteCertificateValidationCallback = Refuse;
        }
        else
        {
            client.RemoteCertificateValidationCallback = Refuse;
        }

        using TcpPair tcp = TcpPair.Connect();
        Task<KTlsStream> accepting = KTlsStream.AuthenticateAsServerAsync(tcp.Server, server, UserSpace);
        Task<KTlsStream> connecting = KTlsStream.AuthenticateAsClientAsync(tcp.Client, client, UserSpace);
        await Assert.ThrowsAsync<AuthenticationException>(() => byServer ? accepting : connecting);
        Assert.Equal(IntPtr.Zero, seen!.Handle);
        try
        {
            await (await (byServer ? connecting : accepting)).DisposeAsync();
        }
        catch (AuthenticationException)
        {
            // A client of TLS 1.3 is done before it is refused; all others hear of it in the handshake.
        }
    }

    /// <summary>What is wrong with the options comes out before the socket is touched: it can be used for something else.</summary>
    [Fact]
    public async Task Options_that_nothing_can_be_offered_with_leave_the_socket_as_it_was()
    {
        using TcpPair tcp = TcpPair.Connect();
        tcp.Client.Blocking = true;
        var options = new KTlsOptions { DataPlane = DataPlanePolicy.UserSpace, Groups = [NamedGroup.X448] };
        await Assert.ThrowsAsync<ArgumentException>(() => KTlsStream.AuthenticateAsClientAsync(tcp.Client, TestPki.Client(), options));
        Task<KTlsStream> accepting = KTlsStream.AuthenticateAsServerAsync(tcp.Server, TestPki.Server(), UserSpace);
        await using KTlsStream client = await KTlsStream.AuthenticateAsClientAsync(tcp.Client, TestPki.Client(), UserSpace);
        await using KTlsStream server = await accepting;
        Assert.Equal(client.NegotiatedGroup, server.NegotiatedGroup);
    }
}
