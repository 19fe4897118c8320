using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using KTls.Kernel;

namespace KTls.Tests;

/// <summary>Our handshake and our own record layer against SslStream and against ourselves; needs no kernel TLS.</summary>
public sealed class UserSpaceTests
{
    private static readonly KTlsOptions UserSpace = new() { DataPlane = DataPlanePolicy.UserSpace };

    public static TheoryData<TlsCipherSuite, string> Matrix()
    {
        var data = new TheoryData<TlsCipherSuite, string>();
        foreach (TlsCipherSuite suite in new[] { TlsCipherSuite.TLS_AES_128_GCM_SHA256, TlsCipherSuite.TLS_AES_256_GCM_SHA384, TlsCipherSuite.TLS_CHACHA20_POLY1305_SHA256 })
        {
            data.Add(suite, "ecdsa");
            data.Add(suite, "rsa");
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(Matrix))]
    public async Task Server_against_SslStream(TlsCipherSuite suite, string key)
    {
        using TcpPair tcp = TcpPair.Connect();
        SslServerAuthenticationOptions server = TestPki.Server(key == "rsa" ? TestPki.Rsa : TestPki.Ecdsa);
        SslClientAuthenticationOptions client = TestPki.Client();
        client.CipherSuitesPolicy = new CipherSuitesPolicy([suite]);
        client.ApplicationProtocols = server.ApplicationProtocols = [SslApplicationProtocol.Http11];

        using var peer = new SslStream(new NetworkStream(tcp.Client));
        Task handshake = peer.AuthenticateAsClientAsync(client);
        await using KTlsStream ours = await KTlsStream.AuthenticateAsServerAsync(tcp.Server, server, UserSpace);
        await handshake;

        Assert.Equal(suite, ours.NegotiatedCipherSuite);
        Assert.Equal(suite, peer.NegotiatedCipherSuite);
        Assert.Equal(SslApplicationProtocol.Http11, ours.NegotiatedApplicationProtocol);
        Assert.Equal("localhost", ours.TargetHostName);
        Assert.Equal(DataPlaneKind.UserSpace, ours.Sending.Kind);
        await Transfer.BothWaysAsync(ours, peer, 1 << 20);
    }

    [Theory]
    [MemberData(nameof(Matrix))]
    public async Task Client_against_SslStream(TlsCipherSuite suite, string key)
    {
        using TcpPair tcp = TcpPair.Connect();
        SslServerAuthenticationOptions server = TestPki.Server(key == "rsa" ? TestPki.Rsa : TestPki.Ecdsa);
        server.CipherSuitesPolicy = new CipherSuitesPolicy([suite]);
        using var peer = new SslStream(new NetworkStream(tcp.Server));
        Task handshake = peer.AuthenticateAsServerAsync(server);
        await using KTlsStream ours = await KTlsStream.AuthenticateAsClientAsync(tcp.Client, TestPki.Client(), UserSpace);
        await handshake;

        Assert.Equal(suite, ours.NegotiatedCipherSuite);
        Assert.Equal("CN=localhost", ours.RemoteCertificate!.Subject);
        await Transfer.BothWaysAsync(ours, peer, 1 << 20);
    }

    /// <summary>A record that is sealed has its number: it is sent, whatever its sender is told.</summary>
    [Fact]
    public async Task A_key_update_that_is_cancelled_when_it_is_sealed_counts_as_sent()
    {
        await using StreamPair pair = await StreamPair.ConnectAsync(UserSpace);
        using var cancellation = new CancellationTokenSource();
        try
        {
            CallFaults.Next = (descriptor, call, _) =>
            {
                if (call != "send" || descriptor != pair.ClientSocket.SafeHandle)
                {
                    return 0;
                }

                cancellation.Cancel();
                return ErrorNumber.EAGAIN;
            };
            await pair.Client.UpdateKeysAsync(requestPeerUpdate: false, cancellation.Token);
        }
        finally
        {
            CallFaults.Next = null;
        }

        Assert.True(cancellation.IsCancellationRequested);
        await pair.Client.WriteAsync(new byte[] { 7 });
        byte[] buffer = new byte[2];
        Assert.Equal(1, await pair.Server.ReadAsync(buffer).AsTask().WaitAsync(TimeSpan.FromSeconds(20)));
        Assert.Equal(7, buffer[0]);
    }

    /// <summary>Shut down is a stream whose close_notify is out: a second call after a cancelled one sees to that.</summary>
    [Fact]
    public async Task A_shutdown_that_is_cancelled_when_its_alert_is_sealed_goes_on_with_the_next()
    {
        await using StreamPair pair = await StreamPair.ConnectAsync(UserSpace);
        using var cancellation = new CancellationTokenSource();
        try
        {
            CallFaults.Next = (descriptor, call, _) =>
            {
                if (call != "send" || descriptor != pair.ClientSocket.SafeHandle)
                {
                    return 0;
                }

                cancellation.Cancel();
                return ErrorNumber.EAGAIN;
            };
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => pair.Client.ShutdownAsync(cancellation.Token));
        }
        finally
        {
            CallFaults.Next = null;
        }

        await Assert.ThrowsAsync<InvalidOperationException>(async () => await pair.Client.WriteAsync(new byte[1]));
        await pair.Client.ShutdownAsync();
        await pair.Client.ShutdownAsync();
        Assert.Equal(0, await pair.Server.ReadAsync(new byte[1]).AsTask().WaitAsync(TimeSpan.FromSeconds(20)));
        Assert.True(pair.Server.CloseNotifyReceived);
    }

    /// <summary>TCP has had no room for it yet, and somebody ends all without waiting for some: it goes out all the same.</summary>
    [Fact]
    public async Task A_shutdown_that_is_cancelled_when_its_alert_is_sealed_goes_on_after_Dispose()
    {
        await using StreamPair pair = await StreamPair.ConnectAsync(UserSpace);
        using var cancellation = new CancellationTokenSource();
        try
        {
            // When it is sealed, when it is flushed, and when Dispose tries once more.
            int left = 3;
            CallFaults.Next = (descriptor, call, _) =>
            {
                if (call != "send" || descriptor != pair.ClientSocket.SafeHandle || left-- <= 0)
                {
                    return 0;
                }

                cancellation.Cancel();
                return ErrorNumber.EAGAIN;
            };
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => pair.Client.ShutdownAsync(cancellation.Token));
            await pair.Client.DisposeAsync();
            Assert.True(left <= 0);
        }
        finally
        {
            CallFaults.Next = null;
        }

        Assert.Equal(0, await pair.Server.ReadAsync(new byte[1]).AsTask().WaitAsync(TimeSpan.FromSeconds(20)));
        Assert.True(pair.Server.CloseNotifyReceived);
    }
}
