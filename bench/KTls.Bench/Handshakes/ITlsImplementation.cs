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

/// <summary>Ours, with the group that SslStream has first.</summary>
internal sealed class KTlsImplementation : ITlsImplementation
{
    private readonly KTlsOptions _options;
    private readonly SslServerAuthenticationOptions _server = TestPki.Server();
    private readonly SslClientAuthenticationOptions _client = TestPki.Client();

    public KTlsImplementation(HandshakeMode mode, DataPlanePolicy dataPlane)
    {
        _options = new KTlsOptions { DataPlane = dataPlane, Groups = [NamedGroup.X25519], SessionStore = new SessionPile() };
        _server.AllowTlsResume = _client.AllowTlsResume = mode != HandshakeMode.Full;
    }

    public string Name => "KTls";

    public async Task<Stream> AcceptAsync(Socket socket) => await KTlsStream.AuthenticateAsServerAsync(socket, _server, _options);

    public async Task<Stream> ConnectAsync(Socket socket) => await KTlsStream.AuthenticateAsClientAsync(socket, _client, _options);
}

/// <summary>.NET's.</summary>
internal sealed class SslStreamImplementation : ITlsImplementation
{
    private readonly SslServerAuthenticationOptions _server = TestPki.Server();
    private readonly SslClientAuthenticationOptions _client = TestPki.Client();

    public SslStreamImplementation(HandshakeMode mode)
    {
        _server.AllowTlsResume = _client.AllowTlsResume = mode != HandshakeMode.Full;
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
