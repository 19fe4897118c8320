using Microsoft.Win32.SafeHandles;

namespace KTls.Kernel.Tests;

public class SendFileTests
{
    private const int FileSize = 300_007;

    private static readonly byte[] Content = Transfer.Bytes(FileSize);

    [Theory]
    [InlineData(0, FileSize)]
    [InlineData(0, 1)]
    [InlineData(1, 1)]
    [InlineData(4095, 2)]
    [InlineData(4097, 16384)]
    [InlineData(16383, 16385)]
    [InlineData(12345, 100_001)]
    [InlineData(FileSize - 1, 1)]
    public async Task Any_part_of_a_file_arrives(int offset, int count)
    {
        using KernelPair pair = KernelPair.Secure();
        using TempFile file = new(Content);
        Task<byte[]> receive = Transfer.ReceiveAsync(pair.Server, count);
        Assert.Equal(count, await pair.Client.SendFileAsync(file.Handle, offset, count, CancellationToken.None).Soon());
        Assert.Equal(Content[offset..(offset + count)], await receive.Soon());
    }

    [Theory]
    [InlineData(CryptoInfo.Tls12)]
    [InlineData(CryptoInfo.Tls13)]
    public async Task The_end_of_the_file_ends_it(int version)
    {
        using KernelPair pair = KernelPair.Secure((ushort)version);
        using TempFile file = new(Content);
        const int Offset = 100_000;

        // As with a file that has become shorter. It must arrive without another send behind it.
        Task<byte[]> receive = Transfer.ReceiveAsync(pair.Server, FileSize - Offset);
        Assert.Equal(
            FileSize - Offset, await pair.Client.SendFileAsync(file.Handle, Offset, FileSize, CancellationToken.None).Soon());
        Assert.Equal(Content[Offset..], await receive.Soon());
        Assert.Equal(0, await pair.Client.SendFileAsync(file.Handle, FileSize, 10, CancellationToken.None).Soon());
        Assert.Equal(0, await pair.Client.SendFileAsync(file.Handle, FileSize + 5, 10, CancellationToken.None).Soon());
        Assert.Equal(0, await pair.Client.SendFileAsync(file.Handle, 0, 0, CancellationToken.None).Soon());
    }

    [Fact]
    public async Task The_files_own_position_does_not_move()
    {
        using KernelPair pair = KernelPair.Secure();
        using TempFile file = new(Content);
        using FileStream stream = new(file.Handle, FileAccess.ReadWrite);
        stream.Position = 42;
        await pair.Client.SendFileAsync(file.Handle, 7, 1000, CancellationToken.None).Soon();
        Assert.Equal(42, stream.Position);
        Assert.Equal(Content[42], stream.ReadByte());
    }

    [Fact]
    public async Task Data_control_records_and_files_keep_their_order()
    {
        using KernelPair pair = KernelPair.Secure();
        using TempFile file = new(Content);
        await pair.Client.SendAsync("head"u8.ToArray(), CancellationToken.None);
        await pair.Client.SendFileAsync(file.Handle, 5, 20_000, CancellationToken.None).Soon();
        await pair.Client.SendAsync("tail"u8.ToArray(), CancellationToken.None);
        await pair.Client.SendFileAsync(file.Handle, 9, 11, CancellationToken.None).Soon();
        await pair.Client.SendControlAsync(21, new byte[] { 1, 0 }, CancellationToken.None);
        byte[] expected = [.. "head"u8, .. Content[5..20_005], .. "tail"u8, .. Content[9..20]];
        Assert.Equal(expected, await Transfer.ReceiveAsync(pair.Server, expected.Length).Soon());
        Assert.Equal(new ReceivedRecord(21, 2, false), await pair.Server.ReceiveRecordAsync(new byte[9], CancellationToken.None).Soon());
    }

    [Fact]
    public async Task It_waits_while_the_receiver_stalls()
    {
        using KernelPair pair = KernelPair.Secure(bufferSize: 8192);
        using TempFile file = new(Content);
        Task<long> send = pair.Client.SendFileAsync(file.Handle, 3, FileSize, CancellationToken.None).AsTask();
        await Task.Delay(100);
        Assert.False(send.IsCompleted);
        byte[] received = await Transfer.ReceiveAsync(pair.Server, FileSize - 3).Soon();
        Assert.Equal(FileSize - 3, await send.Soon());
        Assert.Equal(Content[3..], received);
    }

    [Fact]
    public async Task More_than_one_chunk_arrives()
    {
        const int Length = (17 << 20) + 5;
        byte[] content = Transfer.Bytes(Length);
        using KernelPair pair = KernelPair.Secure();
        using TempFile file = new(content);
        Task<byte[]> receive = Task.Run(() => Transfer.ReceiveAsync(pair.Server, Length));
        Assert.Equal(Length, await pair.Client.SendFileAsync(file.Handle, 0, Length, CancellationToken.None).Soon());
        Assert.Equal(content, await receive.Soon());
    }

    [Fact]
    public async Task A_cancelled_file_leaves_the_connection_usable()
    {
        using KernelPair pair = KernelPair.Secure(bufferSize: 8192);
        using TempFile file = new(Content);
        using CancellationTokenSource cancel = new();
        Task<long> send = pair.Client.SendFileAsync(file.Handle, 0, FileSize, cancel.Token).AsTask();
        await Task.Delay(50);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => send.Soon());

        await pair.AssertPrefixArrivedAsync(Content);
    }

    // An odd offset makes the pages of a pipe end inside a record.
    [Fact]
    public async Task A_cancelled_file_holds_nothing_back()
    {
        using KernelPair pair = KernelPair.Secure(bufferSize: 8192);
        using TempFile file = new(Content);
        using CancellationTokenSource cancel = new();
        Task<long> send = pair.Client.SendFileAsync(file.Handle, 4095, FileSize, cancel.Token).AsTask();
        await Task.Delay(50);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => send.Soon());
        long before = await DrainAsync();
        await pair.Client.SendAsync("mark"u8.ToArray(), CancellationToken.None).Soon();
        Assert.Equal(4, await DrainAsync());
        Assert.InRange(before, 1, FileSize);

        async Task<long> DrainAsync()
        {
            byte[] buffer = new byte[65536];
            long all = 0;
            for (int quiet = 0; quiet < 30; quiet++)
            {
                while (pair.Server.TryReceiveRecord(buffer, out ReceivedRecord record))
                {
                    all += record.Length;
                    quiet = 0;
                }

                await Task.Delay(10);
            }

            return all;
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(100_000)]
    [InlineData(200_001)]
    public async Task A_file_truncated_under_way_ends_the_sending_and_holds_nothing_back(int newLength)
    {
        using KernelPair pair = KernelPair.Secure(bufferSize: 8192);
        using TempFile file = new(Content);
        Task<long> send = pair.Client.SendFileAsync(file.Handle, 0, FileSize, CancellationToken.None).AsTask();
        await Task.Delay(50);
        Assert.False(send.IsCompleted);
        RandomAccess.SetLength(file.Handle, newLength);

        // Whatever it says it sent has to arrive, without another send behind it.
        using CancellationTokenSource stop = new();
        using MemoryStream received = new();
        Task receive = ReceiveAsync();
        long sent = await send.Soon();
        Assert.InRange(sent, 1, FileSize - 1);
        for (int i = 0; i < 600 && Interlocked.Read(ref _received) < sent; i++)
        {
            await Task.Delay(100);
        }

        await stop.CancelAsync();
        await receive.Soon();
        Assert.Equal(sent, received.Length);
        int intact = (int)Math.Min(sent, newLength);
        Assert.Equal(Content[..intact], received.ToArray()[..intact]);

        async Task ReceiveAsync()
        {
            byte[] buffer = new byte[65536];
            try
            {
                while (true)
                {
                    ReceivedRecord record = await pair.Server.ReceiveRecordAsync(buffer, stop.Token);
                    Assert.False(record.EndOfStream);
                    received.Write(buffer, 0, record.Length);
                    Interlocked.Add(ref _received, record.Length);
                }
            }
            catch (OperationCanceledException)
            {
            }
        }
    }

    private long _received;

    // What an interrupted sendfile leaves in an open record (MSG_MORE), as kernels without splice_eof do, must not wait for
    // the next send. Here a send leaves it and a file that cannot be read interrupts.
    [Fact]
    public async Task A_file_that_fails_closes_the_open_record()
    {
        using KernelPair pair = KernelPair.Secure();
        using TempFile file = new(Content);
        using SafeFileHandle writeOnly = File.OpenHandle(file.Path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
        byte[] buffer = new byte[16];
        HoldBack(pair.ClientSocket.SafeHandle);
        await Task.Delay(50);
        Assert.False(pair.Server.TryReceiveRecord(buffer, out _));

        FileReadException exception = await Assert.ThrowsAsync<FileReadException>(
            () => pair.Client.SendFileAsync(writeOnly, 0, 10, CancellationToken.None).Soon());
        Assert.Equal(ErrorNumber.EBADF, Assert.IsType<KernelTlsException>(exception.InnerException).Errno);
        Assert.Equal(new ReceivedRecord(23, 4, false), await pair.Server.ReceiveRecordAsync(buffer, CancellationToken.None).Soon());

        static unsafe void HoldBack(System.Runtime.InteropServices.SafeHandle socket)
        {
            const int MsgMore = 0x8000;
            fixed (byte* data = "held"u8)
            {
                Assert.Equal(4, LibC.send(socket, data, 4, LibC.MsgDontWait | MsgMore));
            }
        }
    }

    [Fact]
    public async Task A_file_that_grows_sends_what_was_asked()
    {
        using KernelPair pair = KernelPair.Secure(bufferSize: 8192);
        using TempFile file = new(Content);
        Task<long> send = pair.Client.SendFileAsync(file.Handle, 0, FileSize, CancellationToken.None).AsTask();
        RandomAccess.Write(file.Handle, new byte[1000], FileSize);
        Assert.Equal(Content, await Transfer.ReceiveAsync(pair.Server, FileSize).Soon());
        Assert.Equal(FileSize, await send.Soon());
    }

    [Fact]
    public async Task What_is_no_file_to_send_is_refused()
    {
        using KernelPair pair = KernelPair.Secure();
        using TempFile file = new(Content);
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(async () => await pair.Client.SendFileAsync(file.Handle, -1, 1, default));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(async () => await pair.Client.SendFileAsync(file.Handle, 0, -1, default));
        await Assert.ThrowsAsync<ArgumentNullException>(async () => await pair.Client.SendFileAsync(null!, 0, 1, default));

        using SafeFileHandle closed = File.OpenHandle("/proc/self/exe");
        closed.Dispose();
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await pair.Client.SendFileAsync(closed, 0, 1, default));
    }

    // Linux 6.5 and later close the open record of a file that ended early by a send that blocks; only a truncation during
    // the system call itself leads there, so the test makes the call with a count that is too large.
    [Fact]
    public async Task A_file_that_ends_early_does_not_block_the_thread()
    {
        for (int round = 0; round < 40; round++)
        {
            using KernelPair pair = KernelPair.Secure(bufferSize: 4096);
            using TempFile file = new(new byte[16_000]);
            Assert.Equal(1, await pair.Client.SendFileAsync(file.Handle, 0, 1, CancellationToken.None).Soon());

            // All but full, in many ways: somewhere there the last record does not fit in.
            Task<long> send = Task.Run(() =>
            {
                Fill(pair.ClientSocket.SafeHandle, 300 + (round * 400));
                byte[] buffer = new byte[8192];
                for (int i = 0; i < round % 8; i++)
                {
                    pair.Server.TryReceiveRecord(buffer, out _);
                }

                return SendBeyondTheEnd(pair.ClientSocket.SafeHandle, file.Handle);
            });
            Assert.InRange(await send.WaitAsync(TimeSpan.FromSeconds(5)), -1, 16_000);
        }

        static unsafe void Fill(System.Runtime.InteropServices.SafeHandle socket, int length)
        {
            fixed (byte* data = new byte[length])
            {
                while (LibC.send(socket, data, (nuint)length, LibC.MsgDontWait) > 0)
                {
                }
            }
        }

        static unsafe long SendBeyondTheEnd(System.Runtime.InteropServices.SafeHandle socket, SafeFileHandle file)
        {
            long offset = 0;
            return LibC.sendfile(socket, file, &offset, 1_000_000);
        }
    }

    // The sender of a file to a peer that is gone gets an exception; SIGPIPE would have ended the process.
    [Fact]
    public async Task A_peer_that_is_gone_is_an_exception()
    {
        using KernelPair pair = KernelPair.Secure();
        using TempFile file = new(Content);
        pair.Server.Dispose();
        pair.ServerSocket.Close(0);
        await Assert.ThrowsAnyAsync<IOException>(async () =>
        {
            for (int i = 0; i < 100; i++)
            {
                await pair.Client.SendFileAsync(file.Handle, 0, FileSize, CancellationToken.None).Soon();
            }
        });
        await Assert.ThrowsAnyAsync<IOException>(
            () => pair.Client.SendFileAsync(file.Handle, 0, FileSize, CancellationToken.None).Soon());
    }
}
