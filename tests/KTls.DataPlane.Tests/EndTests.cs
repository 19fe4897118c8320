using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using KTls.Handshake;

namespace KTls.DataPlane.Tests;

/// <summary>How connections end: properly, half, cut off, reset; and that the end is remembered.</summary>
public sealed class EndTests
{
    public static TheoryData<DataPlanePolicy, SslProtocols> PlanesAndProtocols => new()
    {
        { DataPlanePolicy.RequireKernel, SslProtocols.Tls13 },
        { DataPlanePolicy.RequireKernel, SslProtocols.Tls12 },
        { DataPlanePolicy.UserSpace, SslProtocols.Tls13 },
        { DataPlanePolicy.UserSpace, SslProtocols.Tls12 },
    };

    [Theory]
    [MemberData(nameof(PlanesAndProtocols))]
    public async Task After_the_peers_close_notify_we_may_write_on(DataPlanePolicy plane, SslProtocols protocol)
    {
        await using Link link = await Link.ServerAsync(new KTlsOptions { DataPlane = plane, RequireCloseNotify = true }, protocol);

        // What comes after close_notify is ignored (RFC 8446 §6.1).
        await link.SendAsync((ContentType.ApplicationData, [1]), (ContentType.Alert, Lab.CloseNotify), (ContentType.ApplicationData, [2]));
        link.Tcp.Client.Shutdown(SocketShutdown.Send);
        await link.AssertReadsAsync(1);
        for (int i = 0; i < 3; i++)
        {
            Assert.Equal(0, await link.Ours.ReadAsync(new byte[10]).AsTask().WaitAsync(Lab.Patience));
            Assert.True(link.Ours.CloseNotifyReceived);
            await link.Ours.WriteAsync(new byte[] { 3 });
            await link.AssertReceivesAsync(ContentType.ApplicationData, 3);
        }

        await link.Ours.ShutdownAsync();
        await link.AssertReceivesAsync(ContentType.Alert, Lab.CloseNotify);
    }

    [Theory]
    [MemberData(nameof(PlanesAndProtocols))]
    public async Task After_our_close_notify_we_may_read_on(DataPlanePolicy plane, SslProtocols protocol)
    {
        await using Link link = await Link.ServerAsync(new KTlsOptions { DataPlane = plane }, protocol);
        await link.Ours.ShutdownAsync();
        await link.Ours.ShutdownAsync();
        await link.AssertReceivesAsync(ContentType.Alert, Lab.CloseNotify);
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await link.Ours.WriteAsync(new byte[1]));
        await link.SendAsync((ContentType.ApplicationData, [1]));
        await link.AssertReadsAsync(1);
        if (protocol == SslProtocols.Tls13 && plane.CanUpdate())
        {
            await link.SendAsync((ContentType.Handshake, Lab.KeyUpdate(requested: true)), (ContentType.ApplicationData, [2]));
            await link.AssertReadsAsync(2);
        }

        await link.SendAsync((ContentType.Alert, Lab.CloseNotify));
        Assert.Equal(0, await link.Ours.ReadAsync(new byte[10]).AsTask().WaitAsync(Lab.Patience));
    }

    public static TheoryData<DataPlanePolicy, SslProtocols, bool> Ends()
    {
        var data = new TheoryData<DataPlanePolicy, SslProtocols, bool>();
        foreach (SslProtocols protocol in new[] { SslProtocols.Tls12, SslProtocols.Tls13 })
        {
            foreach (DataPlanePolicy plane in new[] { DataPlanePolicy.RequireKernel, DataPlanePolicy.UserSpace, DataPlanePolicy.SslStream })
            {
                data.Add(plane, protocol, false);
                data.Add(plane, protocol, true);
            }
        }

        return data;
    }

    /// <summary>TCP's end without close_notify: an end of file, or an error for a reader that wants certainty. With close_notify always an end.</summary>
    [Theory]
    [MemberData(nameof(Ends))]
    public async Task The_end_of_TCP(DataPlanePolicy plane, SslProtocols protocol, bool required)
    {
        foreach (bool withCloseNotify in new[] { true, false })
        {
            SslServerAuthenticationOptions server = TestPki.Server();
            server.EnabledSslProtocols = protocol;
            using TcpPair tcp = TcpPair.Connect();
            using var peer = new SslStream(new NetworkStream(tcp.Client));
            Task handshake = peer.AuthenticateAsClientAsync(TestPki.Client());
            await using KTlsStream ours = await KTlsStream.AuthenticateAsServerAsync(tcp.Server, server, new KTlsOptions { DataPlane = plane, RequireCloseNotify = required });
            await handshake;
            await peer.WriteAsync(new byte[] { 1 });
            if (withCloseNotify)
            {
                await peer.ShutdownAsync();
            }

            tcp.Client.Shutdown(SocketShutdown.Send);
            await ours.ReadExactlyAsync(new byte[1]).AsTask().WaitAsync(Lab.Patience);
            for (int i = 0; i < 3; i++)
            {
                if (required && !withCloseNotify)
                {
                    await Assert.ThrowsAsync<EndOfStreamException>(async () => await ours.ReadAsync(new byte[10]).AsTask().WaitAsync(Lab.Patience));
                }
                else
                {
                    Assert.Equal(0, await ours.ReadAsync(new byte[10]).AsTask().WaitAsync(Lab.Patience));
                }

                Assert.Equal(withCloseNotify, ours.CloseNotifyReceived);
            }
        }
    }

    /// <summary>A reset tells of itself once; we tell of it always.</summary>
    [Theory]
    [MemberData(nameof(Ends))]
    public async Task A_reset_is_remembered(DataPlanePolicy plane, SslProtocols protocol, bool whileReading)
    {
        SslServerAuthenticationOptions server = TestPki.Server();
        server.EnabledSslProtocols = protocol;
        using TcpPair tcp = TcpPair.Connect();
        var peer = new SslStream(new NetworkStream(tcp.Client));
        Task handshake = peer.AuthenticateAsClientAsync(TestPki.Client());
        await using KTlsStream ours = await KTlsStream.AuthenticateAsServerAsync(tcp.Server, server, new KTlsOptions { DataPlane = plane });
        await handshake;
        Task<int>? reading = whileReading ? ours.ReadAsync(new byte[10]).AsTask() : null;
        tcp.Client.Close(0);
        await Task.Delay(20);
        for (int i = 0; i < 4; i++)
        {
            IOException e = await Assert.ThrowsAsync<IOException>(async () =>
                await (reading is not null && i == 0 ? reading : ours.ReadAsync(new byte[10]).AsTask()).WaitAsync(Lab.Patience));
            Assert.Equal(SocketError.ConnectionReset, Assert.IsType<SocketException>(e.InnerException).SocketErrorCode);
        }

        if (plane != DataPlanePolicy.SslStream)
        {
            await Assert.ThrowsAsync<IOException>(async () => await ours.WriteAsync(new byte[1]));
        }
    }

    /// <summary>TCP's failure, and no lack of kernel TLS, for which SslStream would take a connection over that is none.</summary>
    [Theory]
    [InlineData(true, DataPlanePolicy.RequireKernel)]
    [InlineData(true, DataPlanePolicy.PreferKernel)]
    [InlineData(false, DataPlanePolicy.RequireKernel)]
    [InlineData(false, DataPlanePolicy.PreferKernel)]
    public async Task A_reset_before_the_handshake(bool isServer, DataPlanePolicy policy)
    {
        using TcpPair tcp = TcpPair.Connect();
        (isServer ? tcp.Client : tcp.Server).Close(0);
        await Task.Delay(20);
        using var log = new LogLines();
        var options = new KTlsOptions { DataPlane = policy, LoggerFactory = log };
        IOException e = await Assert.ThrowsAsync<IOException>(() => isServer
            ? KTlsStream.AuthenticateAsServerAsync(tcp.Server, TestPki.Server(), options)
            : KTlsStream.AuthenticateAsClientAsync(tcp.Client, TestPki.Client(), options));
        Assert.IsType<SocketException>(e.InnerException);
        Assert.DoesNotContain(log.Lines, line => line.Contains("SslStream", StringComparison.Ordinal));
    }

    /// <summary>A reset at any byte of the stream: what was whole before it may arrive, and nothing else does.</summary>
    [Theory]
    [MemberData(nameof(Planes.Both), MemberType = typeof(Planes))]
    public async Task A_reset_or_an_end_at_any_byte(DataPlanePolicy plane)
    {
        int length = int.MaxValue;
        for (int cut = 0; cut <= length; cut += 3)
        {
            foreach (bool reset in new[] { false, true })
            {
                await using Link link = await Link.ServerAsync(new KTlsOptions { DataPlane = plane, RequireCloseNotify = true });
                RawPeer peer = link.Peer;
                byte[] stream =
                [
                    .. peer.Seal(ContentType.ApplicationData, [1, 2, 3]),
                    .. peer.Seal(ContentType.ApplicationData, [4]),
                    .. peer.Seal(ContentType.Alert, Lab.CloseNotify),
                ];
                length = stream.Length;
                await peer.SendAsync(stream[..cut]);
                if (reset)
                {
                    link.Tcp.Client.Close(0);
                }
                else
                {
                    link.Tcp.Client.Shutdown(SocketShutdown.Send);
                }

                var received = new List<byte>();
                byte[] buffer = new byte[100];
                Exception? failure = null;
                int read = 0;
                try
                {
                    do
                    {
                        read = await link.Ours.ReadAsync(buffer).AsTask().WaitAsync(Lab.Patience);
                        received.AddRange(buffer.AsSpan(0, read));
                    }
                    while (read != 0);
                }
                catch (IOException e)
                {
                    failure = e;
                }

                // Whole records only, all of them unless a reset took them; an end only with close_notify.
                int whole = cut >= length - 24 ? 4 : cut >= 25 ? 3 : 0;
                byte[] all = [1, 2, 3, 4];
                Assert.Equal(all[..received.Count], received);
                Assert.True(reset ? received.Count is 0 or 3 or 4 && received.Count <= whole : received.Count == whole, $"Cut at {cut}: {received.Count} bytes.");
                Assert.True((failure is null) == (cut == length && link.Ours.CloseNotifyReceived), $"Cut at {cut}: {failure}");
                if (failure is not null)
                {
                    Exception again = await Assert.ThrowsAnyAsync<IOException>(async () => await link.Ours.ReadAsync(buffer).AsTask().WaitAsync(Lab.Patience));
                    Assert.Equal((failure.GetType(), failure.Message), (again.GetType(), again.Message));
                }
            }
        }
    }

    /// <summary>TCP ends between two parts of a message, with whole records: no proper end whatever the options say.</summary>
    [Theory]
    [MemberData(nameof(Planes.Both), MemberType = typeof(Planes))]
    public async Task An_end_within_a_message(DataPlanePolicy plane)
    {
        await using Link link = await Link.ClientAsync(new KTlsOptions { DataPlane = plane });
        await link.SendAsync((ContentType.Handshake, Lab.Ticket[..5]));
        link.Tcp.Server.Shutdown(SocketShutdown.Send);
        IOException e = await link.AssertReadFailsAsync<IOException>();
        Assert.Contains("middle of a message", e.Message, StringComparison.Ordinal);
    }

    /// <summary>close_notify comes while we write: what we have written goes out all the same.</summary>
    [Theory]
    [MemberData(nameof(Planes.Both), MemberType = typeof(Planes))]
    public async Task The_peers_close_notify_during_a_write(DataPlanePolicy plane)
    {
        await using Link link = await Link.ServerAsync(new KTlsOptions { DataPlane = plane }, bufferSize: 65536);
        byte[] data = new byte[1 << 20];
        new Random(1).NextBytes(data);
        Task writing = link.Ours.WriteAsync(data).AsTask();
        Task ending = link.Ours.ShutdownAsync();
        await link.SendAsync((ContentType.Alert, Lab.CloseNotify));
        Assert.Equal(0, await link.Ours.ReadAsync(new byte[1]).AsTask().WaitAsync(Lab.Patience));
        Assert.False(ending.IsCompleted);
        var received = new MemoryStream();
        while (await link.ReceiveAsync() is (ContentType.ApplicationData, var content))
        {
            received.Write(content);
        }

        await writing.WaitAsync(Lab.Patience);
        await ending.WaitAsync(Lab.Patience);
        Assert.True(data.AsSpan().SequenceEqual(received.ToArray()));
    }
}
