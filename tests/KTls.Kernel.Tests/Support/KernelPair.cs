using System.Net.Sockets;

namespace KTls.Kernel.Tests.Support;

/// <summary>Two ends of one connection, both with kernel TLS and fixed keys, or both plain.</summary>
internal sealed class KernelPair : IDisposable
{
    private readonly TcpPair _tcp;

    private KernelPair(TcpPair tcp)
    {
        _tcp = tcp;
        Client = new KernelSocket(tcp.Client.SafeHandle);
        Server = new KernelSocket(tcp.Server.SafeHandle);
    }

    public KernelSocket Client { get; }

    public KernelSocket Server { get; }

    public Socket ClientSocket => _tcp.Client;

    public Socket ServerSocket => _tcp.Server;

    /// <summary>A pair without TLS.</summary>
    public static KernelPair Plain(int bufferSize = 0) => new(TcpPair.Connect(bufferSize));

    /// <summary>A pair with keys in all four places; fails where the kernel has no TLS.</summary>
    public static KernelPair Secure(
        ushort version = CryptoInfo.Tls13, KernelCipher cipher = KernelCipher.AesGcm128, int bufferSize = 0, ulong sequence = 0)
    {
        KernelPair pair = new(TcpPair.Connect(bufferSize));
        try
        {
            Install(pair.Client, KernelDirection.Send, version, cipher, fromClient: true, sequence);
            Install(pair.Server, KernelDirection.Receive, version, cipher, fromClient: true, sequence);
            Install(pair.Server, KernelDirection.Send, version, cipher, fromClient: false, sequence);
            Install(pair.Client, KernelDirection.Receive, version, cipher, fromClient: false, sequence);
            return pair;
        }
        catch
        {
            pair.Dispose();
            throw;
        }
    }

    /// <summary>Attaches kernel TLS if need be and installs the fixed keys of one direction.</summary>
    public static void Install(
        KernelSocket socket, KernelDirection direction, ushort version, KernelCipher cipher, bool fromClient,
        ulong sequence = 0, byte generation = 0)
    {
        Assert.Equal("0", ErrorNumber.NameOf(socket.AttachUlp()).Replace("errno 0", "0", StringComparison.Ordinal));
        TestKeys keys = TestKeys.For(version, cipher, fromClient, generation);
        int errno = socket.SetKeys(direction, version, cipher, keys.Key, keys.Iv, sequence);
        Assert.True(errno == 0, $"{direction} keys of {cipher} {version:x4}: {ErrorNumber.NameOf(errno)}");
    }

    /// <summary>
    /// After a cancelled send: a further message arrives right behind what was out by then, which is a prefix of the data.
    /// Ends the connection.
    /// </summary>
    public async Task AssertPrefixArrivedAsync(byte[] data)
    {
        byte[] mark = [.. "the next message"u8];
        Task next = SendNextAsync();
        byte[] all = await Transfer.ReceiveToEndAsync(Server).Soon();
        await next.Soon();
        Assert.Equal(mark, all[^mark.Length..]);
        Assert.Equal(data[..(all.Length - mark.Length)], all[..^mark.Length]);
        Assert.InRange(all.Length, mark.Length + 1, data.Length);

        async Task SendNextAsync()
        {
            await Client.SendAsync(mark, CancellationToken.None);
            await Client.FlushAsync(CancellationToken.None);
            Client.Dispose();
            ClientSocket.Dispose();
        }
    }

    public void Dispose()
    {
        Client.Dispose();
        Server.Dispose();
        _tcp.Dispose();
    }
}
