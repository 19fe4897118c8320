using System.Net.Sockets;
using KTls.Authentication;
using KTls.DataPlane;
using KTls.Handshake;
using KTls.Kernel;
using Microsoft.Extensions.Logging.Abstractions;

namespace KTls.BoGo;

/// <summary>KTls' own connection, in the kernel or in user space, below the handshake that the flags ask for.</summary>
internal sealed class ConnectionTransport : Transport
{
    private readonly Socket _socket;
    private readonly KernelSocket _transport;
    private readonly HandshakeDriver _driver;
    private readonly DataPlanePolicy _policy;
    private bool _isEstablished;

    public ConnectionTransport(Socket socket, DataPlanePolicy policy)
        : base(socket)
    {
        _socket = socket;
        _policy = policy;
        _transport = Authentication.Transport.TryOpen(socket, policy, out string reason) ?? throw new ShimException(reason);
        _driver = new HandshakeDriver(_transport);
    }

    public override void Run(TlsHandshake handshake) => _driver.RunAsync(handshake, CancellationToken.None).AsTask().GetAwaiter().GetResult();

    public override void Flush(TlsHandshake handshake) => _driver.SendAlertAsync(handshake, CancellationToken.None).AsTask().GetAwaiter().GetResult();

    public override DataPlane Establish(TlsHandshake handshake)
    {
        var store = new LastSession();
        var attempt = new HandshakeAttempt(new KTlsOptions { DataPlane = _policy, LeaveSocketOpen = true }, NullLogger.Instance, CancellationToken.None);
        SplitConnection connection = Establishment.Establish(handshake, _driver, _transport, _socket, string.Empty, new SessionKeeper(store, string.Empty), attempt);
        _isEstablished = true;
        return new ConnectionPlane(connection, store);
    }

    public override void Dispose()
    {
        _driver.Dispose();
        if (!_isEstablished)
        {
            Authentication.Transport.Release(_transport, _socket);
        }

        base.Dispose();
    }

    /// <summary>Keeps the session of a client's last ticket.</summary>
    internal sealed class LastSession : IClientSessionStore
    {
        public ClientSession? Session { get; private set; }

        public void Add(string key, ClientSession session)
        {
            Session?.Dispose();
            Session = session;
        }

        public ClientSession? Take(string key) => null;
    }
}
