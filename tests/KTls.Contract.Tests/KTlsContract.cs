using System.Net.Security;
using System.Security.Authentication;
using System.Security.Authentication.ExtendedProtection;
using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;

namespace KTls.Contract.Tests;

/// <summary>What <see cref="KTlsStream"/> adds, the same whoever seals and opens, except where the difference stands here and in docs/FALLBACK.md.</summary>
public abstract partial class KTlsContract : StreamContract
{
    protected abstract DataPlanePolicy Policy { get; }

    protected abstract DataPlaneKind Kind { get; }

    /// <summary>An application may ask when the peer has gone, and with it the connection: a request of HTTP that is still under way.</summary>
    [Fact]
    public async Task The_planes_are_told_also_after_Dispose()
    {
        await using Pair pair = await ConnectAsync();
        foreach (KTlsStream end in new[] { Client(pair), Server(pair) })
        {
            Assert.Equal((Kind, Kind), (end.Sending.Kind, end.Receiving.Kind));
            await end.DisposeAsync();
            Assert.Equal((Kind, Kind), (end.Sending.Kind, end.Receiving.Kind));
            Assert.False(end.CloseNotifyReceived);
        }
    }

    [Fact]
    public async Task What_the_handshake_agreed_on_is_told()
    {
        SslServerAuthenticationOptions serverOptions = TestPki.Server();
        SslClientAuthenticationOptions clientOptions = TestPki.Client();
        serverOptions.ApplicationProtocols = [SslApplicationProtocol.Http2, SslApplicationProtocol.Http11];
        clientOptions.ApplicationProtocols = [SslApplicationProtocol.Http11];
        await using Pair pair = await ConnectAsync(serverOptions, clientOptions);
        foreach (KTlsStream end in new[] { Client(pair), Server(pair) })
        {
            Assert.Equal(SslProtocols.Tls13, end.SslProtocol);
            Assert.Equal(SslApplicationProtocol.Http11, end.NegotiatedApplicationProtocol);
            Assert.Equal("localhost", end.TargetHostName);
        }

        Assert.Equal(Client(pair).NegotiatedCipherSuite, Server(pair).NegotiatedCipherSuite);
        Assert.Equal(TestPki.Ecdsa.RawData, Client(pair).RemoteCertificate!.RawData);
        Assert.Null(Server(pair).RemoteCertificate);
        Assert.Equal(TestPki.Ecdsa.RawData, Server(pair).LocalCertificate!.RawData);
        Assert.Null(Client(pair).LocalCertificate);
    }

    /// <summary>Byte by byte as SslStream has it, and the same on both ends.</summary>
    [Fact]
    public async Task The_channel_is_bound_to_the_servers_certificate()
    {
        await using Pair pair = await ConnectAsync();
        await using Pair bare = await BareSslStreamTests.ConnectBareAsync(0);
        byte[] expected = Token(((SslStream)bare.Client).TransportContext);
        Assert.Equal(expected, Token(Client(pair).TransportContext));
        Assert.Equal(expected, Token(Server(pair).TransportContext));
    }

    private static byte[] Token(System.Net.TransportContext context)
    {
        using ChannelBinding binding = context.GetChannelBinding(ChannelBindingKind.Endpoint)!;
        byte[] token = new byte[binding.Size];
        System.Runtime.InteropServices.Marshal.Copy(binding.DangerousGetHandle(), token, 0, token.Length);
        return token;
    }

    [Fact]
    public async Task The_certificate_outlives_the_stream()
    {
        await using Pair pair = await ConnectAsync();
        System.Security.Cryptography.X509Certificates.X509Certificate2 certificate = Client(pair).RemoteCertificate!;
        await pair.Client.DisposeAsync();
        Assert.Equal(TestPki.Ecdsa.RawData, certificate.RawData);
    }

    /// <summary>SslStream has no exporter, does not tell the group and cannot change keys.</summary>
    [Fact]
    public async Task Exporters_groups_and_key_updates_are_ours_alone()
    {
        await using Pair pair = await ConnectAsync();
        if (Kind == DataPlaneKind.SslStream)
        {
            Assert.Throws<NotSupportedException>(() => Client(pair).ExportKeyingMaterial("EXPERIMENTAL x", null, 16));
            Assert.Null(Client(pair).NegotiatedGroup);
            await Assert.ThrowsAsync<NotSupportedException>(() => Client(pair).UpdateKeysAsync());
        }
        else
        {
            Assert.Equal(Client(pair).ExportKeyingMaterial("EXPERIMENTAL x", null, 16), Server(pair).ExportKeyingMaterial("EXPERIMENTAL x", null, 16));
            Assert.Equal(Client(pair).NegotiatedGroup, Server(pair).NegotiatedGroup);
        }

        await AssertWorksAsync(pair);
    }

    [Fact]
    public async Task Close_notify_is_told_from_the_end_of_TCP()
    {
        await using Pair pair = await ConnectAsync();
        await ShutdownAsync(pair.Client);
        await ShutdownAsync(pair.Client);
        Assert.Equal(0, await pair.Server.ReadAsync(new byte[1]).AsTask().WaitAsync(Patience));
        Assert.True(Server(pair).CloseNotifyReceived);

        await using Pair other = await ConnectAsync();
        other.EndTcp();
        Assert.Equal(0, await other.Server.ReadAsync(new byte[1]).AsTask().WaitAsync(Patience));
        Assert.False(Server(other).CloseNotifyReceived);
    }

    [Fact]
    public async Task A_file_is_sent_in_part()
    {
        byte[] content = RandomNumberGenerator.GetBytes(300_000);
        using SafeFileHandle file = TempFile(content);
        await using Pair pair = await ConnectAsync();
        Task<long> sending = Server(pair).SendFileAsync(file, 1234, 200_001).AsTask();
        byte[] received = new byte[200_001];
        await pair.Client.ReadExactlyAsync(received).AsTask().WaitAsync(Patience);
        Assert.Equal(200_001, await sending);
        Assert.True(content.AsSpan(1234, 200_001).SequenceEqual(received));

        // More than there is: as much as there is.
        sending = Server(pair).SendFileAsync(file, 299_000, 5_000).AsTask();
        await pair.Client.ReadExactlyAsync(received.AsMemory(0, 1000)).AsTask().WaitAsync(Patience);
        Assert.Equal(1000, await sending);
        Assert.Equal(0, await Server(pair).SendFileAsync(file, 400_000, 5_000));
        Assert.Equal(0, await Server(pair).SendFileAsync(file, 0, 0));
        await AssertWorksAsync(pair);
    }

    [Fact]
    public async Task A_file_is_a_write()
    {
        using SafeFileHandle file = TempFile(new byte[8 << 20]);
        await using Pair pair = await ConnectAsync(bufferSize: 32 * 1024);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await Server(pair).SendFileAsync(file, 0, 1, new CancellationToken(canceled: true)));
        Task<long> sending = Server(pair).SendFileAsync(file, 0, 8 << 20).AsTask();
        await Assert.ThrowsAsync<NotSupportedException>(async () => await pair.Server.WriteAsync(new byte[1]));
        await Assert.ThrowsAsync<NotSupportedException>(async () => await Server(pair).SendFileAsync(file, 0, 1));
        byte[] received = new byte[8 << 20];
        await pair.Client.ReadExactlyAsync(received).AsTask().WaitAsync(Patience);
        Assert.Equal(8 << 20, await sending);
        Assert.False(received.AsSpan().ContainsAnyExcept((byte)0));
        await ShutdownAsync(pair.Server);
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await Server(pair).SendFileAsync(file, 0, 1));
        await pair.Server.DisposeAsync();
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await Server(pair).SendFileAsync(file, 0, 1));
    }

    [Fact]
    public async Task A_file_that_cannot_be_sent_harms_nothing()
    {
        await using Pair pair = await ConnectAsync();
        await Assert.ThrowsAsync<ArgumentNullException>(async () => await Server(pair).SendFileAsync(null!, 0, 1));
        using SafeFileHandle file = TempFile(new byte[10]);
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(async () => await Server(pair).SendFileAsync(file, -1, 1));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(async () => await Server(pair).SendFileAsync(file, 0, -1));
        file.Dispose();
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await Server(pair).SendFileAsync(file, 0, 1));
        await AssertWorksAsync(pair);
    }

    [Fact]
    public async Task A_read_that_is_cancelled_before_takes_nothing()
    {
        await using Pair pair = await ConnectAsync();
        await pair.Client.WriteAsync(new byte[] { 1, 2, 3 });
        Assert.Equal(0, await pair.Server.ReadAsync(Memory<byte>.Empty).AsTask().WaitAsync(Patience));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await pair.Server.ReadAsync(new byte[3], new CancellationToken(canceled: true)));
        byte[] buffer = new byte[3];
        await pair.Server.ReadExactlyAsync(buffer).AsTask().WaitAsync(Patience);
        Assert.Equal([1, 2, 3], buffer);
    }

    /// <summary>Bare SslStream seals a record and then does not send it: the connection is of no use any more.</summary>
    [Fact]
    public async Task A_write_that_is_cancelled_before_sends_nothing()
    {
        await using Pair pair = await ConnectAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await pair.Client.WriteAsync(new byte[1], new CancellationToken(canceled: true)));
        await AssertWorksAsync(pair);
    }

    [Fact]
    public async Task Shutdown_that_is_cancelled_before_does_nothing()
    {
        await using Pair pair = await ConnectAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Client(pair).ShutdownAsync(new CancellationToken(canceled: true)));
        await AssertWorksAsync(pair);
    }

    /// <summary>
    /// After a cancelled write of records that are ours or the kernel's, whole ones are out, and writes go on. Of SslStream's a part may be
    /// out: nothing more can be sent. Bare SslStream sends on, and its peer finds garbage.
    /// </summary>
    [Fact]
    public async Task After_a_cancelled_write()
    {
        await using Pair pair = await ConnectAsync(bufferSize: 32 * 1024);
        using var cancellation = new CancellationTokenSource();
        byte[] ones = new byte[16 << 20];
        ones.AsSpan().Fill(1);
        Task cancelled = pair.Client.WriteAsync(ones, cancellation.Token).AsTask();
        await Task.Delay(100);
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled.WaitAsync(Patience));
        if (Kind != DataPlaneKind.SslStream)
        {
            Task writing = pair.Client.WriteAsync(new byte[] { 2 }).AsTask();
            byte[] buffer = new byte[100_000];
            while (true)
            {
                int read = await pair.Server.ReadAsync(buffer).AsTask().WaitAsync(Patience);
                if (buffer.AsSpan(0, read).IndexOfAnyExcept((byte)1) is >= 0 and int index)
                {
                    Assert.Equal((2, read - 1), (buffer[index], index));
                    break;
                }
            }

            await writing.WaitAsync(Patience);
        }
        else
        {
            await Assert.ThrowsAnyAsync<IOException>(async () => await pair.Client.WriteAsync(new byte[1]).AsTask().WaitAsync(Patience));
        }
    }

    protected override Task<Pair> ConnectAsync(int bufferSize = 0) => ConnectAsync(TestPki.Server(), TestPki.Client(), bufferSize);

    protected override Task ShutdownAsync(Stream stream) => ((KTlsStream)stream).ShutdownAsync();

    private static KTlsStream Client(Pair pair) => (KTlsStream)pair.Client;

    private static KTlsStream Server(Pair pair) => (KTlsStream)pair.Server;

    private static SafeFileHandle TempFile(byte[] content)
    {
        string path = Path.GetTempFileName();
        File.WriteAllBytes(path, content);
        return File.OpenHandle(path, options: FileOptions.DeleteOnClose);
    }

    private async Task<Pair> ConnectAsync(SslServerAuthenticationOptions server, SslClientAuthenticationOptions client, int bufferSize = 0)
    {
        TcpPair tcp = TcpPair.Connect(bufferSize);
        var options = new KTlsOptions { DataPlane = Policy };
        Task<KTlsStream> accepting = KTlsStream.AuthenticateAsServerAsync(tcp.Server, server, options);
        KTlsStream connected = await KTlsStream.AuthenticateAsClientAsync(tcp.Client, client, options);
        return new Pair(tcp, connected, await accepting);
    }
}
