using System.Net.Security;
using System.Security.Authentication;
using KTls.Handshake;

namespace KTls.BoGo;

/// <summary>What a handshake agreed on.</summary>
internal sealed record Agreement(SslProtocols Protocol, TlsCipherSuite CipherSuite, NamedGroup Group, SslApplicationProtocol ApplicationProtocol, bool IsResumed);

/// <summary>The connection after the handshake.</summary>
internal abstract class DataPlane : IDisposable
{
    public abstract Agreement Agreement { get; }

    /// <summary>The session of a client's last ticket; whoever takes it disposes it.</summary>
    public ClientSession? Ticket { get; protected set; }

    public bool CloseNotifyReceived { get; protected set; }

    public abstract void Write(ReadOnlySpan<byte> data);

    /// <summary>The next data; empty at the end, by close_notify or without.</summary>
    /// <exception cref="TlsAlertException">The peer did wrong, or says that we did; in the first case the alert was sent.</exception>
    public abstract ReadOnlySpan<byte> Read();

    public abstract void UpdateSendKeys();

    public abstract void SendAlert(AlertDescription description);

    /// <summary>Sends close_notify.</summary>
    public abstract void Shutdown();

    public abstract void Export(ReadOnlySpan<byte> label, byte[]? context, Span<byte> output);

    public abstract void Dispose();
}
