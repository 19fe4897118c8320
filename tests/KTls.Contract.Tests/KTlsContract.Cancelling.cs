using System.Net.Security;
using System.Net.Sockets;
using Microsoft.Win32.SafeHandles;

namespace KTls.Contract.Tests;

/// <content>What waits can be cancelled, and what is left of it then.</content>
public abstract partial class KTlsContract
{
    /// <summary>The peer says nothing. The socket stays with the caller.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_handshake_can_be_cancelled(bool isServer)
    {
        using TcpPair tcp = TcpPair.Connect();
        using var cancellation = new CancellationTokenSource();
        Task<KTlsStream> authenticating = AuthenticateAsync(tcp, isServer, new KTlsOptions { DataPlane = Policy }, cancellation.Token);
        await Task.Delay(50);
        Assert.False(authenticating.IsCompleted);
        await cancellation.CancelAsync();
        OperationCanceledException e = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => authenticating.WaitAsync(Patience));
        Assert.Equal(cancellation.Token, e.CancellationToken);
        Assert.True((isServer ? tcp.Server : tcp.Client).Connected);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_handshake_ends_at_its_timeout(bool isServer)
    {
        using TcpPair tcp = TcpPair.Connect();
        var options = new KTlsOptions { DataPlane = Policy, HandshakeTimeout = TimeSpan.FromMilliseconds(100) };
        await Assert.ThrowsAsync<TimeoutException>(() => AuthenticateAsync(tcp, isServer, options, CancellationToken.None).WaitAsync(Patience));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_handshake_that_is_cancelled_before_does_nothing(bool isServer)
    {
        using TcpPair tcp = TcpPair.Connect();
        var cancelled = new CancellationToken(canceled: true);
        OperationCanceledException e = await Assert.ThrowsAnyAsync<OperationCanceledException>(() =>
            AuthenticateAsync(tcp, isServer, new KTlsOptions { DataPlane = Policy }, cancelled).WaitAsync(Patience));
        Assert.Equal(cancelled, e.CancellationToken);
        Assert.Equal(0, (isServer ? tcp.Client : tcp.Server).Available);
    }

    /// <summary>As after a cancelled write.</summary>
    [Fact]
    public async Task After_a_cancelled_file()
    {
        using SafeFileHandle file = TempFile(new byte[2 << 20]);
        await using Pair pair = await ConnectAsync(bufferSize: 32 * 1024);
        using var cancellation = new CancellationTokenSource();
        Task sending = Client(pair).SendFileAsync(file, 0, 2 << 20, cancellation.Token).AsTask();
        await Task.Delay(100);
        Assert.False(sending.IsCompleted);
        await cancellation.CancelAsync();
        OperationCanceledException e = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => sending.WaitAsync(Patience));
        Assert.Equal(cancellation.Token, e.CancellationToken);
        await AssertSendsOnOrFailsAsync(pair);
    }

    /// <summary>A write that is cancelled leaves no room: where anything can still be sent, the end of the stream waits.</summary>
    [Fact]
    public async Task A_shutdown_that_waits_can_be_cancelled()
    {
        await using Pair pair = await ConnectAsync(bufferSize: 32 * 1024);
        Task writing = pair.Client.WriteAsync(new byte[2 << 20]).AsTask();
        await Task.Delay(100);
        using var cancellation = new CancellationTokenSource(100);
        OperationCanceledException e = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Client(pair).ShutdownAsync(cancellation.Token).WaitAsync(Patience));
        Assert.Equal(cancellation.Token, e.CancellationToken);

        // The write goes on, and so does the stream.
        byte[] received = new byte[2 << 20];
        await pair.Server.ReadExactlyAsync(received).AsTask().WaitAsync(Patience);
        await writing.WaitAsync(Patience);
        await AssertWorksAsync(pair);
    }

    [Fact]
    public async Task A_shutdown_comes_after_the_write_that_is_under_way()
    {
        await using Pair pair = await ConnectAsync(bufferSize: 32 * 1024);
        Task writing = pair.Client.WriteAsync(new byte[2 << 20]).AsTask();
        await Task.Delay(50);
        Task ending = Client(pair).ShutdownAsync();
        await Task.Delay(50);
        Assert.False(ending.IsCompleted);
        byte[] received = new byte[2 << 20];
        await pair.Server.ReadExactlyAsync(received).AsTask().WaitAsync(Patience);
        Assert.Equal(0, await pair.Server.ReadAsync(received).AsTask().WaitAsync(Patience));
        Assert.True(Server(pair).CloseNotifyReceived);
        await Task.WhenAll(writing, ending).WaitAsync(Patience);
    }

    /// <summary>Behind SslStream a record may be half out, and close_notify would be the middle of it.</summary>
    [Fact]
    public async Task A_shutdown_after_a_cancelled_write()
    {
        await using Pair pair = await ConnectAsync(bufferSize: 32 * 1024);
        using var soon = new CancellationTokenSource(100);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => pair.Client.WriteAsync(new byte[2 << 20], soon.Token).AsTask().WaitAsync(Patience));
        if (Kind != DataPlaneKind.SslStream)
        {
            Task ending = Client(pair).ShutdownAsync();
            await pair.Server.CopyToAsync(Stream.Null).WaitAsync(Patience);
            Assert.True(Server(pair).CloseNotifyReceived);
            await ending.WaitAsync(Patience);
        }
        else
        {
            await Assert.ThrowsAnyAsync<IOException>(() => Client(pair).ShutdownAsync().WaitAsync(Patience));
        }
    }

    /// <summary>What is sealed goes out whole: the peer finds no record that is cut in half. SslStream has already lost what it had.</summary>
    [Fact]
    public async Task Dispose_after_a_cancelled_write_and_a_cancelled_shutdown()
    {
        await using Pair pair = await ConnectAsync(bufferSize: 32 * 1024);

        // Behind the tickets: TCP resets where it closes before all is read.
        await pair.Server.WriteAsync(new byte[1]);
        await pair.Client.ReadExactlyAsync(new byte[1]).AsTask().WaitAsync(Patience);
        using (var soon = new CancellationTokenSource(100))
        {
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => pair.Client.WriteAsync(new byte[2 << 20], soon.Token).AsTask().WaitAsync(Patience));
        }

        if (Kind == DataPlaneKind.SslStream)
        {
            return;
        }

        // As a rule there is no room for it; but TCP may have made some by now.
        Exception? cancellation;
        using (var soon = new CancellationTokenSource(100))
        {
            cancellation = await Record.ExceptionAsync(() => Client(pair).ShutdownAsync(soon.Token).WaitAsync(Patience));
            Assert.True(cancellation is null or OperationCanceledException, $"{cancellation}");
        }

        await pair.Client.DisposeAsync();
        await pair.Server.CopyToAsync(Stream.Null).WaitAsync(Patience);
        Assert.True(cancellation is not null || Server(pair).CloseNotifyReceived);
    }

    [Fact]
    public async Task Dispose_ends_a_file_and_a_shutdown_that_wait()
    {
        using SafeFileHandle file = TempFile(new byte[2 << 20]);
        await using Pair pair = await ConnectAsync(bufferSize: 32 * 1024);
        Task sending = Client(pair).SendFileAsync(file, 0, 2 << 20).AsTask();
        await Task.Delay(50);
        Task ending = Client(pair).ShutdownAsync();
        await pair.Client.DisposeAsync();
        foreach (Task task in new[] { sending, ending })
        {
            Exception? e = await Record.ExceptionAsync(() => task.WaitAsync(Patience));
            Assert.True(e is ObjectDisposedException or IOException or OperationCanceledException, $"{e}");
        }
    }

    /// <summary>Where keys can change.</summary>
    [Fact]
    public async Task A_key_update_that_waits_can_be_cancelled()
    {
        await using Pair pair = await ConnectAsync(bufferSize: 32 * 1024);
        Task writing = pair.Client.WriteAsync(new byte[2 << 20]).AsTask();
        await Task.Delay(100);
        using var cancellation = new CancellationTokenSource(100);
        Exception? e = await Record.ExceptionAsync(() => Client(pair).UpdateKeysAsync(cancellationToken: cancellation.Token).WaitAsync(Patience));
        Assert.True(e is OperationCanceledException || (e is NotSupportedException && Kind != DataPlaneKind.UserSpace), $"{e}");
        byte[] received = new byte[2 << 20];
        await pair.Server.ReadExactlyAsync(received).AsTask().WaitAsync(Patience);
        await writing.WaitAsync(Patience);
        await AssertWorksAsync(pair);
    }

    private static Task<KTlsStream> AuthenticateAsync(TcpPair tcp, bool isServer, KTlsOptions options, CancellationToken cancellationToken) => isServer
        ? KTlsStream.AuthenticateAsServerAsync(tcp.Server, TestPki.Server(), options, cancellationToken)
        : KTlsStream.AuthenticateAsClientAsync(tcp.Client, TestPki.Client(), options, cancellationToken);

    // Whole records are out or kept, and what comes next is the next record. Behind SslStream nothing more is sent.
    private async Task AssertSendsOnOrFailsAsync(Pair pair)
    {
        if (Kind == DataPlaneKind.SslStream)
        {
            await Assert.ThrowsAnyAsync<IOException>(async () => await pair.Client.WriteAsync(new byte[1]).AsTask().WaitAsync(Patience));
            return;
        }

        Task writing = pair.Client.WriteAsync(new byte[] { 2 }).AsTask();
        byte[] buffer = new byte[100_000];
        int last = 0;
        while (last == 0)
        {
            int read = await pair.Server.ReadAsync(buffer).AsTask().WaitAsync(Patience);
            Assert.NotEqual(0, read);
            last = buffer[read - 1];
            Assert.False(buffer.AsSpan(0, read - 1).ContainsAnyExcept((byte)0));
        }

        Assert.Equal(2, last);
        await writing.WaitAsync(Patience);
    }
}
