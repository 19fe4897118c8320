using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;

namespace KTls.Tests;

/// <summary>What every data plane has in common, on the planes that need no kernel TLS.</summary>
public sealed class StreamContractTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    public static TheoryData<DataPlanePolicy> Planes => [DataPlanePolicy.UserSpace, DataPlanePolicy.SslStream];

    [Theory]
    [MemberData(nameof(Planes))]
    public async Task Data_goes_both_ways_at_once(DataPlanePolicy plane)
    {
        await using StreamPair pair = await StreamPair.ConnectAsync(new KTlsOptions { DataPlane = plane });
        await Task.WhenAll(Transfer.OneWayAsync(pair.Client, pair.Server, 3_000_000), Transfer.OneWayAsync(pair.Server, pair.Client, 3_000_000)).WaitAsync(Patience);
    }

    [Theory]
    [MemberData(nameof(Planes))]
    public async Task A_file_is_sent_in_part(DataPlanePolicy plane)
    {
        byte[] content = RandomNumberGenerator.GetBytes(300_000);
        string path = Path.GetTempFileName();
        try
        {
            await File.WriteAllBytesAsync(path, content);
            await using StreamPair pair = await StreamPair.ConnectAsync(new KTlsOptions { DataPlane = plane });
            using SafeFileHandle file = File.OpenHandle(path);
            Task<long> sending = pair.Server.SendFileAsync(file, 1234, 200_001).AsTask();
            byte[] received = new byte[200_001];
            await pair.Client.ReadExactlyAsync(received).AsTask().WaitAsync(Patience);
            Assert.Equal(200_001, await sending);
            Assert.True(content.AsSpan(1234, 200_001).SequenceEqual(received));

            // More than there is: as much as there is.
            sending = pair.Server.SendFileAsync(file, 299_000, 5_000).AsTask();
            await pair.Client.ReadExactlyAsync(received.AsMemory(0, 1000)).AsTask().WaitAsync(Patience);
            Assert.Equal(1000, await sending);
            Assert.Equal(0, await pair.Server.SendFileAsync(file, 400_000, 5_000));
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Theory]
    [MemberData(nameof(Planes))]
    public async Task An_empty_read_waits_for_data(DataPlanePolicy plane)
    {
        await using StreamPair pair = await StreamPair.ConnectAsync(new KTlsOptions { DataPlane = plane });
        Task<int> waiting = pair.Server.ReadAsync(Memory<byte>.Empty).AsTask();
        await Task.Delay(100);
        Assert.False(waiting.IsCompleted);
        await pair.Client.WriteAsync(new byte[] { 7 });
        Assert.Equal(0, await waiting.WaitAsync(Patience));
        byte[] one = new byte[1];
        Assert.Equal(1, await pair.Server.ReadAsync(one).AsTask().WaitAsync(Patience));
        Assert.Equal(7, one[0]);
    }

    [Theory]
    [MemberData(nameof(Planes))]
    public async Task Nothing_is_written_after_shutdown_but_read(DataPlanePolicy plane)
    {
        await using StreamPair pair = await StreamPair.ConnectAsync(new KTlsOptions { DataPlane = plane });
        await pair.Client.ShutdownAsync();
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await pair.Client.WriteAsync(new byte[1]));
        Assert.Equal(0, await pair.Server.ReadAsync(new byte[1]).AsTask().WaitAsync(Patience));
        await pair.Server.WriteAsync(new byte[] { 1, 2, 3 });
        Assert.Equal(3, await pair.Client.ReadAsync(new byte[10]).AsTask().WaitAsync(Patience));
    }

    [Theory]
    [MemberData(nameof(Planes))]
    public async Task A_second_read_is_refused_while_one_waits(DataPlanePolicy plane)
    {
        await using StreamPair pair = await StreamPair.ConnectAsync(new KTlsOptions { DataPlane = plane });
        Task<int> waiting = pair.Server.ReadAsync(new byte[1]).AsTask();
        await Assert.ThrowsAsync<NotSupportedException>(async () => await pair.Server.ReadAsync(new byte[1]));
        await pair.Client.WriteAsync(new byte[1]);
        Assert.Equal(1, await waiting.WaitAsync(Patience));
    }

    [Theory]
    [MemberData(nameof(Planes))]
    public async Task Dispose_ends_a_read_that_waits(DataPlanePolicy plane)
    {
        await using StreamPair pair = await StreamPair.ConnectAsync(new KTlsOptions { DataPlane = plane });
        Task<int> waiting = pair.Server.ReadAsync(new byte[1]).AsTask();
        await pair.Server.DisposeAsync();
        Exception? e = await Record.ExceptionAsync(() => waiting.WaitAsync(Patience));
        Assert.True(e is null or ObjectDisposedException or IOException or OperationCanceledException, $"{e}");
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await pair.Server.ReadAsync(new byte[1]));
    }

    [Theory]
    [MemberData(nameof(Planes))]
    public async Task The_end_of_TCP_is_the_end_of_the_stream(DataPlanePolicy plane)
    {
        await using StreamPair pair = await StreamPair.ConnectAsync(new KTlsOptions { DataPlane = plane });
        pair.EndTcp();
        Assert.Equal(0, await pair.Server.ReadAsync(new byte[1]).AsTask().WaitAsync(Patience));
        Assert.False(pair.Server.CloseNotifyReceived);
    }

    [Fact]
    public async Task A_cancelled_read_loses_nothing()
    {
        await using StreamPair pair = await StreamPair.ConnectAsync(new KTlsOptions { DataPlane = DataPlanePolicy.UserSpace });
        using var soon = new CancellationTokenSource(50);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await pair.Server.ReadAsync(new byte[1], soon.Token));
        await Transfer.OneWayAsync(pair.Client, pair.Server, 100_000).WaitAsync(Patience);
    }
}
