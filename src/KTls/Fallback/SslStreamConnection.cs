using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Win32.SafeHandles;

namespace KTls.Fallback;

/// <summary>A connection that SslStream serves.</summary>
internal sealed class SslStreamConnection : Connection
{
    private const int CopyBufferSize = 64 * 1024;

    private readonly SslStream _stream;
    private readonly Socket? _ownedSocket;

    private SslStreamConnection(SslStream stream, Socket? ownedSocket, string reason)
    {
        _stream = stream;
        _ownedSocket = ownedSocket;
        Sending = Receiving = new DataPlaneStatus(DataPlaneKind.SslStream, $"SslStream serves the connection: {reason}.");
        Facts = new ConnectionFacts
        {
            Protocol = stream.SslProtocol,
            CipherSuite = stream.NegotiatedCipherSuite,
            ApplicationProtocol = stream.NegotiatedApplicationProtocol,
            RemoteCertificate = stream.RemoteCertificate as X509Certificate2,
            TargetHostName = stream.TargetHostName,
        };
    }

    public override ConnectionFacts Facts { get; }

    public override DataPlaneStatus Sending { get; }

    public override DataPlaneStatus Receiving { get; }

    // SslStream ends the stream alike with and without it.
    public override bool? CloseNotifyReceived => null;

    /// <summary>Authenticates by SslStream.</summary>
    /// <param name="socket">The socket; not disposed when this fails.</param>
    /// <param name="replay">What was read from the socket before.</param>
    /// <param name="authenticate">The role's call.</param>
    /// <param name="reason">Why it is SslStream.</param>
    /// <param name="leaveSocketOpen">Whether the socket outlives the connection.</param>
    public static async Task<Connection> AuthenticateAsync(Socket socket, ReadOnlyMemory<byte> replay, Func<SslStream, Task> authenticate, string reason, bool leaveSocketOpen)
    {
        var transport = new NetworkStream(socket, ownsSocket: false);
        var stream = new SslStream(replay.IsEmpty ? transport : new ReplayStream(transport, replay), leaveInnerStreamOpen: false);
        try
        {
            await authenticate(stream).ConfigureAwait(false);
            return new SslStreamConnection(stream, leaveSocketOpen ? null : socket, reason);
        }
        catch
        {
            await stream.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken) => _stream.ReadAsync(buffer, cancellationToken);

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken) => _stream.WriteAsync(buffer, cancellationToken);

    public override ValueTask<long> SendFileAsync(SafeFileHandle file, long offset, long count, CancellationToken cancellationToken) =>
        FileCopy.RunAsync(file, offset, count, CopyBufferSize, _stream.WriteAsync, cancellationToken);

    public override Task UpdateKeysAsync(bool requestPeerUpdate, CancellationToken cancellationToken) =>
        Task.FromException(new NotSupportedException("SslStream serves this connection, and has no way to change keys."));

    public override Task ShutdownAsync(CancellationToken cancellationToken) => _stream.ShutdownAsync().WaitAsync(cancellationToken);

    public override void Dispose()
    {
        _stream.Dispose();
        _ownedSocket?.Dispose();
    }

    public override async ValueTask DisposeAsync()
    {
        await _stream.DisposeAsync().ConfigureAwait(false);
        _ownedSocket?.Dispose();
    }
}
