using System.Net.Security;
using System.Net.Sockets;
using KTls.Bench.Connections;
using KTls.Tests;

namespace KTls.Bench.Streams;

/// <summary>Streams between this process, a server, and a <see cref="StreamPeer"/>; what this process uses is measured, without the handshake.</summary>
internal sealed class StreamRun : IDisposable
{
    private readonly Socket _listener = Loopback.Listen();
    private readonly ChildProcess _peer;
    private readonly SslServerAuthenticationOptions _server = TestPki.Server();
    private readonly byte[] _message = new byte[1 << 20];

    public StreamRun() => _peer = new ChildProcess(Role.Peer, StreamPeer.Command, Loopback.Port(_listener).ToString());

    public async Task<Usage> RunAsync(Workload workload, KTlsOptions options, Action<KTlsStream>? check = null)
    {
        _peer.Tell($"{workload.Traffic} {workload.Size} {workload.Count}");
        Usage used;
        await using (KTlsStream stream = await KTlsStream.AuthenticateAsServerAsync(Loopback.Accept(_listener), _server, options))
        {
            check?.Invoke(stream);
            GC.Collect();
            Usage before = Usage.Now();
            await PlayAsync(stream, workload);
            used = Usage.Now() - before;
        }

        _peer.Answer();
        return used;
    }

    public void Dispose()
    {
        _peer.Dispose();
        _listener.Dispose();
    }

    private async Task PlayAsync(KTlsStream stream, Workload workload)
    {
        Memory<byte> message = _message.AsMemory(0, workload.Size);
        switch (workload.Traffic)
        {
            case Traffic.Receive:
                await stream.WriteAsync(new byte[1]); // go
                for (long left = workload.Bytes; left != 0;)
                {
                    int read = await stream.ReadAsync(_message.AsMemory(0, workload.Buffer));
                    left -= read != 0 ? read : throw new EndOfStreamException();
                }

                break;
            case Traffic.Send:
                for (int i = 0; i < workload.Count; i++)
                {
                    await stream.WriteAsync(message);
                }

                await stream.ReadExactlyAsync(new byte[1]);
                break;
            default:
                for (int i = 0; i < workload.Count; i++)
                {
                    await stream.WriteAsync(message);
                    await stream.ReadExactlyAsync(message);
                }

                break;
        }
    }
}
