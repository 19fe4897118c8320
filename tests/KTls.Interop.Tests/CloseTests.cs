using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;

namespace KTls.Interop.Tests;

/// <summary>What was written arrives, also when the writer leaves at once and the reader is slow.</summary>
public sealed class CloseTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Data_written_before_the_end_arrives(bool withCloseNotify)
    {
        for (int i = 0; i < 20; i++)
        {
            using TcpPair tcp = TcpPair.Connect();
            tcp.Server.SendBufferSize = 16 * 1024;
            using var peer = new SslStream(new NetworkStream(tcp.Client));
            Task handshake = peer.AuthenticateAsClientAsync(TestPki.Client());
            KTlsStream ours = await KTlsStream.AuthenticateAsServerAsync(tcp.Server, TestPki.Server(), Scenario.Kernel);
            await handshake;
            byte[] data = RandomNumberGenerator.GetBytes(700_000 + (i * 1000));
            Task writing = WriteAndLeaveAsync(ours, data, withCloseNotify);
            await Task.Delay(50);
            var received = new MemoryStream();
            await peer.CopyToAsync(received).WaitAsync(TimeSpan.FromSeconds(60));
            await writing;
            Scenario.AssertSame(data, received.ToArray());
        }
    }

    private static async Task WriteAndLeaveAsync(KTlsStream stream, byte[] data, bool withCloseNotify)
    {
        await stream.WriteAsync(data);
        if (withCloseNotify)
        {
            await stream.ShutdownAsync();
        }

        await stream.DisposeAsync();
    }
}
