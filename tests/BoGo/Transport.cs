using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using KTls.Authentication;
using KTls.DataPlane;
using KTls.Fallback;
using KTls.Handshake;
using KTls.Kernel;
using Microsoft.Extensions.Logging.Abstractions;

namespace KTls.BoGo;

/// <summary>The TCP connection to the runner, and what KTls moves over it.</summary>
internal sealed class Transport : IDisposable
{
    private readonly Socket _socket;
    private readonly HandshakeAttempt _attempt;
    private readonly Decision _decision;
    private readonly KernelSocket _transport;
    private readonly HandshakeDriver _driver;
    private bool _isEstablished;

    private Transport(Socket socket, DataPlanePolicy policy)
    {
        _socket = socket;
        _attempt = new HandshakeAttempt(new KTlsOptions { DataPlane = policy, LeaveSocketOpen = true }, NullLogger.Instance, new HandshakeTime(new Deadlines(), Timeout.InfiniteTimeSpan, CancellationToken.None));
        Obstacle? obstacle = null;
        _transport = Authentication.Transport.Open(socket, attach: policy != DataPlanePolicy.UserSpace, ref obstacle);
        _decision = _attempt.Decide(handshake: null, obstacle);
        if (_decision.Choice >= Choice.SslStream)
        {
            throw new ShimException(_decision.Obstacle!.Text);
        }

        _driver = new HandshakeDriver(_transport);
    }

    /// <summary>Connects. KTLS_BOGO_DATA_PLANE names the policy for the kernel; without it there is none of kernel TLS.</summary>
    public static Transport Connect(ShimFlags flags)
    {
        IPAddress address = flags.IsIPv6 ? IPAddress.IPv6Loopback : IPAddress.Loopback;
        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        socket.Connect(new IPEndPoint(address, flags.Port));

        // Says which test this is.
        byte[] id = new byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64LittleEndian(id, flags.ShimId);
        socket.Send(id);
        string policy = Environment.GetEnvironmentVariable("KTLS_BOGO_DATA_PLANE") is { Length: > 0 } name ? name : nameof(DataPlanePolicy.UserSpace);
        return new Transport(socket, Enum.Parse<DataPlanePolicy>(policy));
    }

    /// <summary>Sends and receives until the handshake is complete or asks its caller something.</summary>
    /// <exception cref="TlsAlertException">It failed; the alert was sent.</exception>
    public void Run(TlsHandshake handshake) => _driver.RunAsync(handshake, _attempt.Time).AsTask().GetAwaiter().GetResult();

    /// <summary>Sends what the handshake still has to say.</summary>
    public void Flush(TlsHandshake handshake) => _driver.SendAlertAsync(handshake, CancellationToken.None).AsTask().GetAwaiter().GetResult();

    /// <summary>Goes on from a complete handshake.</summary>
    public RunnerConnection Establish(TlsHandshake handshake)
    {
        var sessions = new LastSession();
        SplitConnection connection = Establishment.Establish(
            handshake, _driver, _transport, _socket, _decision, string.Empty, new SessionKeeper(sessions, string.Empty, NullLogger.Instance), _attempt);
        _isEstablished = true;
        return new RunnerConnection(connection, sessions);
    }

    /// <summary>Ends TCP so that the runner loses nothing of what was sent: with data unread, a close is a reset.</summary>
    public void Dispose()
    {
        _driver.Dispose();
        if (!_isEstablished)
        {
            _transport.Dispose();
        }

        try
        {
            _socket.Shutdown(SocketShutdown.Send);
            byte[] buffer = new byte[1024];
            while (_socket.Receive(buffer) > 0)
            {
            }
        }
        catch (SocketException)
        {
            // The runner was faster, or kernel TLS has no use for what came.
        }

        _socket.Dispose();
    }
}
