using System.Net.Sockets;

namespace KTls.Kernel.Tests;

/// <summary>A receive that begins with the wait: whatever is there already, and whatever was reported before, must end it.</summary>
public sealed class ReceiveAnswerTests
{
    /// <summary>As in a handshake: the answer comes, and more of it than one receive takes.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_answer_that_is_there_is_received(bool hasWaitedBefore)
    {
        using KernelPair pair = KernelPair.Plain();
        if (hasWaitedBefore)
        {
            await WaitOnceAsync(pair);
        }

        await pair.Client.SendAsync("answer"u8.ToArray(), CancellationToken.None);
        await Task.Delay(50);
        byte[] buffer = new byte[4];
        Assert.Equal(4, await pair.Server.ReceiveAnswerAsync(buffer, CancellationToken.None).Soon());
        Assert.Equal("answ"u8, buffer);
        Assert.Equal(2, await pair.Server.ReceiveAnswerAsync(buffer, CancellationToken.None).Soon());
        Assert.Equal("er"u8, buffer.AsSpan(0, 2));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_answer_that_comes_later_is_received(bool hasWaitedBefore)
    {
        using KernelPair pair = KernelPair.Plain();
        if (hasWaitedBefore)
        {
            await WaitOnceAsync(pair);
        }

        Task<int> receive = pair.Server.ReceiveAnswerAsync(new byte[8], CancellationToken.None).AsTask();
        await Task.Delay(50);
        Assert.False(receive.IsCompleted);
        await pair.Client.SendAsync("x"u8.ToArray(), CancellationToken.None);
        Assert.Equal(1, await receive.Soon());
    }

    /// <summary>The end came together with the data before it, so that nothing more is ever reported.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task The_end_that_came_with_the_data_is_seen(bool hasWaitedBefore)
    {
        using KernelPair pair = KernelPair.Plain();
        if (hasWaitedBefore)
        {
            await WaitOnceAsync(pair);
        }

        await pair.Client.SendAsync("last"u8.ToArray(), CancellationToken.None);
        pair.ClientSocket.Shutdown(SocketShutdown.Send);
        await Task.Delay(50);
        Assert.Equal(4, await pair.Server.ReceiveAsync(new byte[8], CancellationToken.None).Soon());
        Assert.Equal(0, await pair.Server.ReceiveAnswerAsync(new byte[8], CancellationToken.None).Soon());
    }

    /// <summary>The same where one event told of both, to a wait that it has ended: a receive has to look for itself.</summary>
    [Fact]
    public async Task The_end_that_was_reported_with_the_data_is_seen()
    {
        using KernelPair pair = KernelPair.Plain();
        Task<int> receive = await OutsideThePool(() => pair.Server.ReceiveAsync(new byte[8], CancellationToken.None).AsTask());
        await Task.Delay(20);
        Cork(pair.ClientSocket);
        await pair.Client.SendAsync("last"u8.ToArray(), CancellationToken.None);
        pair.ClientSocket.Shutdown(SocketShutdown.Send);
        Assert.Equal(4, await receive.Soon());
        receive = await OutsideThePool(() => pair.Server.ReceiveAnswerAsync(new byte[8], CancellationToken.None).AsTask());
        Assert.Equal(0, await receive.Soon());
    }

    /// <summary>Whatever the event of the data tells of the end, and whenever: a receive that does not look first is woken by it.</summary>
    [Fact]
    public async Task An_end_at_any_moment_is_seen()
    {
        var random = new Random(1);
        for (int i = 0; i < 300; i++)
        {
            using KernelPair pair = KernelPair.Plain();
            Task<int> receive = await OutsideThePool(() => pair.Server.ReceiveAsync(new byte[8], CancellationToken.None).AsTask());
            Task sending = Task.Run(async () =>
            {
                if (i % 3 == 0)
                {
                    Cork(pair.ClientSocket);
                }

                await pair.Client.SendAsync("last"u8.ToArray(), CancellationToken.None);
                Thread.SpinWait(random.Next(3000));
                pair.ClientSocket.Shutdown(SocketShutdown.Send);
            });
            Assert.Equal(4, await receive.Soon());
            receive = await OutsideThePool(() => pair.Server.ReceiveAnswerAsync(new byte[8], CancellationToken.None).AsTask());
            Assert.Equal(0, await receive.Soon());
            await sending;
        }
    }

    /// <summary>More than there was room for is not waited for.</summary>
    [Fact]
    public async Task What_an_earlier_receive_has_left_is_received()
    {
        using KernelPair pair = KernelPair.Plain();
        await WaitOnceAsync(pair);
        await pair.Client.SendAsync("answer"u8.ToArray(), CancellationToken.None);
        Assert.Equal(4, await pair.Server.ReceiveAsync(new byte[4], CancellationToken.None).Soon());
        await Task.Delay(50);
        Assert.Equal(2, await pair.Server.ReceiveAnswerAsync(new byte[4], CancellationToken.None).Soon());
    }

    [Fact]
    public async Task It_is_cancelled_and_closed_like_any_receive()
    {
        using KernelPair pair = KernelPair.Plain();
        await Assert.ThrowsAsync<ArgumentException>(async () => await pair.Server.ReceiveAnswerAsync(default, CancellationToken.None));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await pair.Server.ReceiveAnswerAsync(new byte[1], new CancellationToken(canceled: true)));
        using CancellationTokenSource cancel = new();
        Task<int> receive = pair.Server.ReceiveAnswerAsync(new byte[1], cancel.Token).AsTask();
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => receive.Soon());
        receive = pair.Server.ReceiveAnswerAsync(new byte[1], CancellationToken.None).AsTask();
        pair.Server.Dispose();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => receive.Soon());
    }

    // A thread of the pool would stay and look (BriefWait).
    private static Task<Task<int>> OutsideThePool(Func<Task<int>> start) => Task.Factory.StartNew(start, TaskCreationOptions.LongRunning);

    // The data waits for the end.
    private static void Cork(Socket socket)
    {
        const int TcpCork = 3;
        socket.SetRawSocketOption(6, TcpCork, BitConverter.GetBytes(1));
    }

    private static async Task WaitOnceAsync(KernelPair pair)
    {
        Task<int> receive = pair.Server.ReceiveAsync(new byte[8], CancellationToken.None).AsTask();
        await Task.Delay(20);
        await pair.Client.SendAsync("x"u8.ToArray(), CancellationToken.None);
        Assert.Equal(1, await receive.Soon());
    }
}
