using System.Net.Security;
using System.Security.Cryptography;
using KTls.Handshake;

namespace KTls.Interop.Tests;

/// <summary>Where one key ends and the next begins, and where user space ends and the kernel begins.</summary>
public sealed class BoundaryTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static readonly byte[] CloseNotify = TlsAlert.Create(AlertDescription.CloseNotify);

    // struct { lifetime; age_add; nonce<0..255>; ticket<1..2^16-1>; extensions<0..2^16-2>; } (RFC 8446 §4.6.1)
    private static readonly byte[] Ticket = [4, 0, 0, 17, 0, 0, 1, 0, 9, 9, 9, 9, 1, 7, 0, 3, 1, 2, 3, 0, 0];

    private static CertificateCredential Credential { get; } =
        CertificateCredential.TryCreate(SslStreamCertificateContext.Create(TestPki.Ecdsa, [], offline: true), out CertificateCredential? credential, out string? reason)
            ? credential
            : throw new InvalidOperationException(reason);

    [Fact]
    public async Task Data_in_the_segment_of_Finished_is_opened_first_and_then_the_kernel_takes_over()
    {
        byte[][] data = [RandomNumberGenerator.GetBytes(3), RandomNumberGenerator.GetBytes(5000), RandomNumberGenerator.GetBytes(1), RandomNumberGenerator.GetBytes(9000)];
        using TcpPair tcp = TcpPair.Connect();
        Task<KTlsStream> accepting = KTlsStream.AuthenticateAsServerAsync(tcp.Server, WithoutTickets(), Scenario.Kernel);
        using RawPeer peer = await RawPeer.ConnectAsync(tcp.Client);

        // Finished, three records and a half in one segment; the other half later.
        byte[][] records = [.. data.Select(d => peer.Seal(ContentType.ApplicationData, d))];
        await peer.SendAsync(peer.LastFlight, records[0], records[1], records[2], records[3][..4000]);
        await using KTlsStream ours = await accepting;
        Assert.Equal(DataPlaneKind.UserSpace, ours.Receiving.Kind);
        byte[] expected = [.. data.SelectMany(d => d)];
        byte[] received = new byte[expected.Length];
        await ours.ReadExactlyAsync(received.AsMemory(0, 5004)).AsTask().WaitAsync(Patience);
        Task rest = ours.ReadExactlyAsync(received.AsMemory(5004)).AsTask();
        await Task.Delay(50);
        Assert.False(rest.IsCompleted);

        // What comes with the other half is beyond the boundary: user space does not touch it.
        byte[] beyond = RandomNumberGenerator.GetBytes(2000);
        await peer.SendAsync(records[3][4000..], peer.Seal(ContentType.ApplicationData, beyond));
        await rest.WaitAsync(Patience);
        Scenario.AssertSame(expected, received);
        await ours.ReadExactlyAsync(received = new byte[beyond.Length]).AsTask().WaitAsync(Patience);
        Scenario.AssertSame(beyond, received);
        Assert.Equal(DataPlaneKind.Kernel, ours.Receiving.Kind);

        // The kernel has gone on with record number 4, and does with all that follow.
        byte[] more = RandomNumberGenerator.GetBytes(100_000);
        Task reading = ours.ReadExactlyAsync(received = new byte[more.Length]).AsTask();
        foreach (byte[] piece in more.Chunk(16_000))
        {
            await peer.SendDataAsync(piece);
        }

        await reading.WaitAsync(Patience);
        Scenario.AssertSame(more, received);
        Assert.Equal(DataPlaneKind.Kernel, ours.Receiving.Kind);

        // What we send is sealed from number 0 on.
        await ours.WriteAsync(new byte[] { 42 });
        Assert.Equal(0ul, peer.ReceiveSequence);
        (ContentType type, byte[] content) = await peer.ReceiveAsync();
        Assert.Equal((ContentType.ApplicationData, (byte)42), (type, content.Single()));
    }

    [Theory]
    [InlineData(DataPlanePolicy.RequireKernel)]
    [InlineData(DataPlanePolicy.UserSpace)]
    public async Task The_stream_may_be_cut_at_every_byte(DataPlanePolicy plane)
    {
        byte[] data = RandomNumberGenerator.GetBytes(60);
        int length = int.MaxValue;
        for (int cut = 0; cut <= length; cut++)
        {
            using TcpPair tcp = TcpPair.Connect();
            Task<KTlsStream> accepting = KTlsStream.AuthenticateAsServerAsync(tcp.Server, WithoutTickets(), new KTlsOptions { DataPlane = plane });
            using RawPeer peer = await RawPeer.ConnectAsync(tcp.Client);
            byte[] stream =
            [
                .. peer.LastFlight,
                .. peer.Seal(ContentType.ApplicationData, data.AsSpan(0, 1)),
                .. peer.Seal(ContentType.ApplicationData, data.AsSpan(1, 20)),
                .. peer.Seal(ContentType.ApplicationData, []),
                .. peer.Seal(ContentType.ApplicationData, data.AsSpan(21)),
                .. peer.Seal(ContentType.Alert, CloseNotify),
            ];
            length = stream.Length;
            Task<byte[]> reading = ReadToEndAsync(accepting);
            await peer.SendAsync(stream[..cut]);
            await Task.Delay(2);
            await peer.SendAsync(stream[cut..]);
            byte[] received = await reading.WaitAsync(Patience);
            Assert.True(data.AsSpan().SequenceEqual(received), $"Cut at {cut} of {length}: {received.Length} bytes arrived.");
            await (await accepting).DisposeAsync();
        }
    }

    [Theory]
    [InlineData(DataPlanePolicy.RequireKernel, 16384)]
    [InlineData(DataPlanePolicy.RequireKernel, 1)]
    [InlineData(DataPlanePolicy.UserSpace, 16384)]
    [InlineData(DataPlanePolicy.UserSpace, 1)]
    public async Task Tickets_and_alerts_between_data_are_not_data(DataPlanePolicy plane, int readSize)
    {
        using TcpPair tcp = TcpPair.Connect();
        Task<RawPeer> accepting = RawPeer.AcceptAsync(tcp.Server, Credential);
        await using KTlsStream ours = await KTlsStream.AuthenticateAsClientAsync(tcp.Client, TestPki.Client(), new KTlsOptions { DataPlane = plane });
        using RawPeer peer = await accepting;
        await peer.SendAsync(
            peer.Seal(ContentType.Handshake, Ticket),
            peer.Seal(ContentType.ApplicationData, [1, 2]),
            peer.Seal(ContentType.Handshake, [.. Ticket, .. Ticket]),
            peer.Seal(ContentType.Handshake, Ticket.AsSpan(0, 5)),
            peer.Seal(ContentType.Handshake, Ticket.AsSpan(5)),
            peer.Seal(ContentType.ApplicationData, [3]),
            peer.Seal(ContentType.Alert, TlsAlert.Create(AlertDescription.UserCanceled)),
            peer.Seal(ContentType.Handshake, Ticket),
            peer.Seal(ContentType.Alert, CloseNotify));
        byte[] received = new byte[3];
        for (int i = 0; i < received.Length;)
        {
            byte[] buffer = new byte[readSize];
            int read = await ours.ReadAsync(buffer).AsTask().WaitAsync(Patience);
            Assert.NotEqual(0, read);
            buffer.AsSpan(0, read).CopyTo(received.AsSpan(i));
            i += read;
        }

        Assert.Equal([1, 2, 3], received);
        Assert.Equal(0, await ours.ReadAsync(new byte[readSize]).AsTask().WaitAsync(Patience));
        Assert.True(ours.CloseNotifyReceived);
    }

    [Theory]
    [InlineData(DataPlanePolicy.RequireKernel)]
    [InlineData(DataPlanePolicy.UserSpace)]
    public async Task Data_inside_a_handshake_message_is_refused(DataPlanePolicy plane)
    {
        using TcpPair tcp = TcpPair.Connect();
        Task<RawPeer> accepting = RawPeer.AcceptAsync(tcp.Server, Credential);
        await using KTlsStream ours = await KTlsStream.AuthenticateAsClientAsync(tcp.Client, TestPki.Client(), new KTlsOptions { DataPlane = plane });
        using RawPeer peer = await accepting;
        await peer.SendAsync(peer.Seal(ContentType.Handshake, Ticket.AsSpan(0, 5)), peer.Seal(ContentType.ApplicationData, [1]));
        IOException e = await Assert.ThrowsAnyAsync<IOException>(async () => await ours.ReadAsync(new byte[10]).AsTask().WaitAsync(Patience));
        Assert.Equal(AlertDescription.UnexpectedMessage, Assert.IsType<TlsAlertException>(e.InnerException).Description);
        (ContentType type, byte[] alert) = await peer.ReceiveAsync();
        Assert.Equal(ContentType.Alert, type);
        Assert.Equal([2, (byte)AlertDescription.UnexpectedMessage], alert);
    }

    [Fact]
    public async Task A_key_update_of_the_peer_changes_the_keys_of_the_kernel()
    {
        // Debian's 6.1 and 6.12 cannot change keys; the lab's newest kernel can.
        bool canRekey = Environment.OSVersion.Version >= new Version(6, 14);
        using TcpPair tcp = TcpPair.Connect();
        Task<KTlsStream> accepting = KTlsStream.AuthenticateAsServerAsync(tcp.Server, WithoutTickets(), Scenario.Kernel);
        using RawPeer peer = await RawPeer.ConnectAsync(tcp.Client);
        await peer.SendAsync(peer.LastFlight);
        await using KTlsStream ours = await accepting;
        Assert.Equal(DataPlaneKind.Kernel, ours.Receiving.Kind);
        await SendKeyUpdateAndDataAsync(peer, requestUpdate: true);
        byte[] received = new byte[4];
        if (!canRekey)
        {
            await ours.ReadExactlyAsync(received.AsMemory(0, 1));
            IOException e = await Assert.ThrowsAsync<KeyUpdateUnavailableException>(async () => await ours.ReadAsync(received).AsTask().WaitAsync(Patience));
            Assert.Equal(16, Assert.IsType<KernelTlsException>(e.InnerException).Errno);
            return;
        }

        await ours.ReadExactlyAsync(received.AsMemory(0, 2)).AsTask().WaitAsync(Patience);
        await AssertOursFollowAsync(ours, peer);
        await SendKeyUpdateAndDataAsync(peer, requestUpdate: false);
        await ours.ReadExactlyAsync(received.AsMemory(2)).AsTask().WaitAsync(Patience);
        Assert.Equal([1, 2, 1, 2], received);
    }

    [Fact]
    public async Task A_key_update_of_the_peer_changes_the_keys_in_user_space()
    {
        using TcpPair tcp = TcpPair.Connect();
        Task<KTlsStream> accepting = KTlsStream.AuthenticateAsServerAsync(tcp.Server, WithoutTickets(), new KTlsOptions { DataPlane = DataPlanePolicy.UserSpace });
        using RawPeer peer = await RawPeer.ConnectAsync(tcp.Client);
        await peer.SendAsync(peer.LastFlight);
        await using KTlsStream ours = await accepting;
        await SendKeyUpdateAndDataAsync(peer, requestUpdate: true);
        byte[] received = new byte[2];
        await ours.ReadExactlyAsync(received).AsTask().WaitAsync(Patience);
        Assert.Equal([1, 2], received);
        await AssertOursFollowAsync(ours, peer);
    }

    /// <summary>A KeyUpdate among the early records: the kernel takes over with the second generation of keys, at its number.</summary>
    [Fact]
    public async Task A_key_update_among_early_records()
    {
        using TcpPair tcp = TcpPair.Connect();
        Task<KTlsStream> accepting = KTlsStream.AuthenticateAsServerAsync(tcp.Server, WithoutTickets(), Scenario.Kernel);
        using RawPeer peer = await RawPeer.ConnectAsync(tcp.Client);
        byte[] first = peer.Seal(ContentType.ApplicationData, [1]);
        byte[] update = peer.Seal(ContentType.Handshake, PostHandshakeReader.CreateKeyUpdate(requestUpdate: false));
        peer.UpdateSendKeys();
        await peer.SendAsync(peer.LastFlight, first, update, peer.Seal(ContentType.ApplicationData, [2]));
        await using KTlsStream ours = await accepting;
        byte[] received = new byte[3];
        await ours.ReadExactlyAsync(received.AsMemory(0, 2)).AsTask().WaitAsync(Patience);
        await peer.SendDataAsync([3]);
        await ours.ReadExactlyAsync(received.AsMemory(2)).AsTask().WaitAsync(Patience);
        Assert.Equal([1, 2, 3], received);
        Assert.Equal(DataPlaneKind.Kernel, ours.Receiving.Kind);
    }

    /// <summary>The server's tickets are sealed in user space with the application keys: the kernel goes on after them.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(8)]
    public async Task The_kernel_goes_on_after_the_tickets(int tickets)
    {
        using TcpPair tcp = TcpPair.Connect();
        Task<KTlsStream> accepting = KTlsStream.AuthenticateAsServerAsync(
            tcp.Server, TestPki.Server(), new KTlsOptions { DataPlane = DataPlanePolicy.RequireKernel, TicketCount = tickets });
        using RawPeer peer = await RawPeer.ConnectAsync(tcp.Client);
        await peer.SendAsync(peer.LastFlight);
        await using KTlsStream ours = await accepting;
        await ours.WriteAsync(new byte[] { 42 });
        if (tickets != 0)
        {
            // All of them in one record.
            Assert.Equal((ContentType.Handshake, (byte)4), await FirstByteAsync(peer));
        }

        Assert.Equal(tickets == 0 ? 0ul : 1, peer.ReceiveSequence);
        Assert.Equal((ContentType.ApplicationData, (byte)42), await FirstByteAsync(peer));
        await peer.SendDataAsync([9]);
        byte[] received = new byte[1];
        await ours.ReadExactlyAsync(received).AsTask().WaitAsync(Patience);
        Assert.Equal(9, received[0]);
        Assert.Equal((DataPlaneKind.Kernel, DataPlaneKind.Kernel), (ours.Sending.Kind, ours.Receiving.Kind));
    }

    /// <summary>TLS 1.2: Finished has the number 0 under the keys, the kernel goes on with 1, in both directions and roles.</summary>
    [Theory]
    [InlineData(TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256)]
    [InlineData(TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384)]
    [InlineData(TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256)]
    [InlineData(TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_128_CCM)]
    public async Task The_kernel_goes_on_after_Finished_in_TLS_12(TlsCipherSuite suite)
    {
        SslServerAuthenticationOptions options = TestPki.Server();
        options.CipherSuitesPolicy = new CipherSuitesPolicy([suite]);
        using TcpPair tcp = TcpPair.Connect();
        Task<KTlsStream> accepting = KTlsStream.AuthenticateAsServerAsync(tcp.Server, options, Scenario.Kernel);
        using RawPeer peer = await RawPeer.ConnectAsync(tcp.Client);
        await using KTlsStream ours = await accepting;
        Assert.Equal(suite, ours.NegotiatedCipherSuite);
        Assert.Equal((1ul, 1ul), (peer.SendSequence, peer.ReceiveSequence));
        byte[] data = RandomNumberGenerator.GetBytes(1000);
        await ours.WriteAsync(data);
        (ContentType type, byte[] content) = await peer.ReceiveAsync();
        Assert.Equal(ContentType.ApplicationData, type);
        Scenario.AssertSame(data, content);
        await peer.SendDataAsync(data);
        byte[] received = new byte[data.Length];
        await ours.ReadExactlyAsync(received).AsTask().WaitAsync(Patience);
        Scenario.AssertSame(data, received);
        Assert.Equal((DataPlaneKind.Kernel, DataPlaneKind.Kernel), (ours.Sending.Kind, ours.Receiving.Kind));
    }

    /// <summary>A peer that wants to renegotiate is told no, and the connection goes on (RFC 5746, RFC 5246 §7.2.2).</summary>
    [Theory]
    [InlineData(DataPlanePolicy.RequireKernel)]
    [InlineData(DataPlanePolicy.UserSpace)]
    public async Task Renegotiation_is_refused_and_the_connection_goes_on(DataPlanePolicy plane)
    {
        SslServerAuthenticationOptions options = TestPki.Server();
        options.EnabledSslProtocols = System.Security.Authentication.SslProtocols.Tls12;
        using TcpPair tcp = TcpPair.Connect();
        Task<KTlsStream> accepting = KTlsStream.AuthenticateAsServerAsync(tcp.Server, options, new KTlsOptions { DataPlane = plane });
        using RawPeer peer = await RawPeer.ConnectAsync(tcp.Client);
        await using KTlsStream ours = await accepting;
        await peer.SendAsync(peer.Seal(ContentType.Handshake, [1, 0, 0, 2, 3, 3]), peer.Seal(ContentType.ApplicationData, [5]));
        byte[] received = new byte[1];
        await ours.ReadExactlyAsync(received).AsTask().WaitAsync(Patience);
        (ContentType type, byte[] content) = await peer.ReceiveAsync();
        Assert.Equal((ContentType.Alert, AlertDescription.NoRenegotiation), (type, (AlertDescription)content[1]));
        Assert.Equal(1, content[0]);
        await ours.WriteAsync(new byte[] { 6 });
        Assert.Equal((ContentType.ApplicationData, (byte)6), await FirstByteAsync(peer));
    }

    private static async Task<(ContentType Type, byte First)> FirstByteAsync(RawPeer peer)
    {
        (ContentType type, byte[] content) = await peer.ReceiveAsync();
        return (type, content[0]);
    }

    private static SslServerAuthenticationOptions WithoutTickets()
    {
        SslServerAuthenticationOptions options = TestPki.Server();
        options.AllowTlsResume = false;
        return options;
    }

    private static async Task SendKeyUpdateAndDataAsync(RawPeer peer, bool requestUpdate)
    {
        byte[] before = peer.Seal(ContentType.ApplicationData, [1]);
        byte[] update = peer.Seal(ContentType.Handshake, PostHandshakeReader.CreateKeyUpdate(requestUpdate));
        peer.UpdateSendKeys();
        await peer.SendAsync(before, update, peer.Seal(ContentType.ApplicationData, [2]));
    }

    // Asked for an update, we send KeyUpdate under the old keys before our next data, which is sealed with the new ones.
    private static async Task AssertOursFollowAsync(KTlsStream ours, RawPeer peer)
    {
        await ours.WriteAsync(new byte[] { 7 });
        (ContentType type, byte[] content) = await peer.ReceiveAsync();
        Assert.Equal(ContentType.Handshake, type);
        Assert.Equal(PostHandshakeReader.CreateKeyUpdate(requestUpdate: false), content);
        peer.UpdateReceiveKeys();
        (type, content) = await peer.ReceiveAsync();
        Assert.Equal((ContentType.ApplicationData, (byte)7), (type, content.Single()));
    }

    private static async Task<byte[]> ReadToEndAsync(Task<KTlsStream> accepting)
    {
        KTlsStream stream = await accepting;
        var all = new MemoryStream();
        byte[] buffer = new byte[100];
        int read;
        while ((read = await stream.ReadAsync(buffer)) != 0)
        {
            all.Write(buffer, 0, read);
        }

        Assert.True(stream.CloseNotifyReceived);
        return all.ToArray();
    }
}
