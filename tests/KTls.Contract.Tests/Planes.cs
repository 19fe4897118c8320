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
}

/// <summary>The kernel in both directions, which only a kernel with TLS can do: elsewhere this fails.</summary>
public sealed class KernelTests : KTlsContract
{
    protected override DataPlanePolicy Policy => DataPlanePolicy.RequireKernel;

    protected override DataPlaneKind Kind => DataPlaneKind.Kernel;
}
