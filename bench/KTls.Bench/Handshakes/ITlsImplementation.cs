using System.Net.Security;
using System.Net.Sockets;
using KTls.Handshake;
using KTls.Tests;

namespace KTls.Bench.Handshakes;

/// <summary>Whose handshake is measured.</summary>
internal interface ITlsImplementation
{
    string Name { get; }

    /// <summary>Does the handshake; the stream owns the socket.</summary>
    Task<Stream> AcceptAsync(Socket socket);

    /// <inheritdoc cref="AcceptAsync"/>
    Task<Stream> ConnectAsync(Socket socket);
}

/// <summary>Ours.</summary>
internal sealed class KTlsImplementation : ITlsImplementation
{
    private readonly KTlsOptions _options;
    private readonly SslServerAuthenticationOptions _server = TestPki.Server();
    private readonly SslClientAuthenticationOptions _client = TestPki.Client();

    public KTlsImplementation(HandshakeKind kind, DataPlanePolicy dataPlane)
    {
        _options = new KTlsOptions { DataPlane = dataPlane, Groups = [kind.Group], SessionStore = new SessionPile() };
        kind.Apply(_server);
        kind.Apply(_client);
    }

    public string Name => "KTls";

    public async Task<Stream> AcceptAsync(Socket socket) => await KTlsStream.AuthenticateAsServerAsync(socket, _server, _options);

    public async Task<Stream> ConnectAsync(Socket socket) => await KTlsStream.AuthenticateAsClientAsync(socket, _client, _options);
}

/// <summary>.NET's, whose groups are OpenSSL's: the first is X25519, and for a server the client's.</summary>
internal sealed class SslStreamImplementation : ITlsImplementation
{
    private readonly SslServerAuthenticationOptions _server = TestPki.Server();
    private readonly SslClientAuthenticationOptions _client = TestPki.Client();

    public SslStreamImplementation(HandshakeKind kind)
    {
        kind.Apply(_server);
        kind.Apply(_client);
    }

    public string Name => "SslStream";

    public async Task<Stream> AcceptAsync(Socket socket)
    {
        var stream = new SslStream(new NetworkStream(socket, ownsSocket: true));
        await stream.AuthenticateAsServerAsync(_server);
        return stream;
    }

    public async Task<Stream> ConnectAsync(Socket socket)
    {
        var stream = new SslStream(new NetworkStream(socket, ownsSocket: true));
        await stream.AuthenticateAsClientAsync(_client);
        return stream;
    }
}
