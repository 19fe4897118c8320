using System.Net.Security;
using System.Net.Sockets;

namespace KTls.Contract.Tests;

/// <summary>.NET's own stream: shows that the contract is true of it.</summary>
public sealed class BareSslStreamTests : StreamContract
{
    internal static async Task<Pair> ConnectBareAsync(int bufferSize)
    {
        TcpPair tcp = TcpPair.Connect(bufferSize);
        var server = new SslStream(new NetworkStream(tcp.Server, ownsSocket: true));
        var client = new SslStream(new NetworkStream(tcp.Client, ownsSocket: true));
        await Task.WhenAll(server.AuthenticateAsServerAsync(TestPki.Server()), client.AuthenticateAsClientAsync(TestPki.Client()));
        return new Pair(tcp, client, server);
    }

    protected override Task<Pair> ConnectAsync(int bufferSize = 0) => ConnectBareAsync(bufferSize);

    protected override Task ShutdownAsync(Stream stream) => ((SslStream)stream).ShutdownAsync();
}

/// <summary>SslStream behind our face.</summary>
public sealed class SslStreamTests : KTlsContract
{
    protected override DataPlanePolicy Policy => DataPlanePolicy.SslStream;

    protected override DataPlaneKind Kind => DataPlaneKind.SslStream;
}

/// <summary>Our own record layer.</summary>
public sealed class UserSpaceTests : KTlsContract
{
    protected override DataPlanePolicy Policy => DataPlanePolicy.UserSpace;

    protected override DataPlaneKind Kind => DataPlaneKind.UserSpace;

    /// <summary>Wherever a cancellation strikes, the peer finds whole records, and new keys right where they were announced.</summary>
    [Fact]
    public async Task Writes_and_key_updates_that_are_cancelled_break_no_record()
    {
        await using Pair pair = await ConnectAsync(bufferSize: 32 * 1024);
        var client = (KTlsStream)pair.Client;
        byte[] ones = new byte[200_000];
        ones.AsSpan().Fill(1);
        byte[] buffer = new byte[50_000];
        for (int i = 0; i < 100; i++)
        {
            await CancelSoonAsync(token => client.WriteAsync(ones, token).AsTask());
            await CancelSoonAsync(token => client.UpdateKeysAsync(requestPeerUpdate: false, token));
            int read = await pair.Server.ReadAsync(buffer).AsTask().WaitAsync(Patience);
            Assert.Equal(-1, buffer.AsSpan(0, read).IndexOfAnyExcept((byte)1));
        }

        Task last = client.WriteAsync(new byte[] { 2 }).AsTask();
        int value;
        do
        {
            value = await pair.Server.ReadAsync(buffer.AsMemory(0, 1)).AsTask().WaitAsync(Patience) == 1 ? buffer[0] : -1;
        }
        while (value == 1);
        Assert.Equal(2, value);
        await last.WaitAsync(Patience);
    }

    private static async Task CancelSoonAsync(Func<CancellationToken, Task> operation)
    {
        using var cancellation = new CancellationTokenSource();
        Task running = operation(cancellation.Token);
        await Task.Yield();
        await cancellation.CancelAsync();
        try
        {
            await running.WaitAsync(Patience);
        }
        catch (OperationCanceledException)
        {
        }
    }
}

/// <summary>The kernel in both directions, which only a kernel with TLS can do: elsewhere this fails.</summary>
public sealed class KernelTests : KTlsContract
{
    protected override DataPlanePolicy Policy => DataPlanePolicy.RequireKernel;

    protected override DataPlaneKind Kind => DataPlaneKind.Kernel;
}
