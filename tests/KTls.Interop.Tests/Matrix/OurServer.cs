using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Text;
using System.Text.RegularExpressions;
using KTls.Handshake;

namespace KTls.Interop.Tests.Matrix;

/// <summary>Our server for one trial: answers every connection, and remembers what each was.</summary>
internal sealed partial class OurServer : IAsyncDisposable
{
    private readonly Trial _trial;
    private readonly Socket _listener;
    private readonly SslServerAuthenticationOptions _options;
    private readonly Lock _lock = new();
    // By the number of their acceptance: the end of one may be noticed after that of the next.
    private readonly SortedList<int, (Told Told, NamedGroup? Group)> _connections = [];
    private readonly List<string> _failures = [];
    private readonly List<Task> _serving = [];
    private readonly Task _accepting;

    public OurServer(Trial trial)
    {
        _trial = trial;
        _listener = Scenario.Listen(out int port);
        Port = port;
        Cell cell = trial.Cell;
        _options = new SslServerAuthenticationOptions
        {
            ServerCertificateContext = SslStreamCertificateContext.Create(Identity.Server(cell).Certificate, [], offline: true),
            EnabledSslProtocols = cell.Version,
            CipherSuitesPolicy = OurEnd.Only(cell),
            AllowTlsResume = cell.Kind == CellKind.Resumed,
            ClientCertificateRequired = cell.Kind == CellKind.Mutual,
            CertificateChainPolicy = TestPki.TrustRoot(),
        };
        _accepting = AcceptAsync();
    }

    public int Port { get; }

    /// <summary>The group of each connection.</summary>
    public IReadOnlyList<NamedGroup?> Groups => Locked(() => _connections.Values.Select(connection => connection.Group).ToArray());

    /// <summary>What differs from what the cell demands; null if nothing does. Call it when the peer is done.</summary>
    public async Task<string?> MismatchAsync()
    {
        await Task.WhenAll(Locked(() => _serving.ToArray())).WaitAsync(OurEnd.Patience);
        Told[] connections = Locked(() => _connections.Values.Select(connection => connection.Told).ToArray());
        if (connections.Length != _trial.Cell.Connections)
        {
            return $"our server completed {connections.Length} of {_trial.Cell.Connections} handshakes: {string.Join("; ", Locked(() => _failures.ToArray()))}";
        }

        // The first connection of a resumed cell only brings the ticket.
        return connections.Length == 2 && connections[0].Resumed != false
            ? $"our server says {connections[0]} of the first connection"
            : connections[^1].Mismatch("our server", _trial.Cell);
    }

    public async ValueTask DisposeAsync()
    {
        _listener.Dispose();
        await _accepting;
        await Task.WhenAll(Locked(() => _serving.ToArray()));
    }

    private async Task AcceptAsync()
    {
        for (int number = 0; ; number++)
        {
            Socket socket;
            try
            {
                socket = await _listener.AcceptAsync();
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                return;
            }

            Task serving = ServeAsync(socket, number);
            Locked(() => _serving.Add(serving));
        }
    }

    // Browsers open connections that they do not use, and end one when they are asked for a certificate, to come again.
    private async Task ServeAsync(Socket socket, int number)
    {
        try
        {
            await using KTlsStream stream = await KTlsStream.AuthenticateAsServerAsync(socket, _options, OurEnd.Options);
            string request = await OurEnd.ReadUntilAsync(stream, _trial.Question);
            if (request.Length != 0)
            {
                await stream.WriteAsync(Encoding.ASCII.GetBytes(_trial.Response(Origin().Match(request) is { Success: true } match ? match.Groups[1].Value : "null")));
                await stream.ShutdownAsync();
            }

            await ReadToEndAsync(stream);

            // Gnutls-cli leaves its first connection, which is for the ticket only, without a word.
            bool isForTicket = request.Length == 0 && _trial.Cell.Kind == CellKind.Resumed;
            Told told = OurEnd.Tell(stream, isServer: true, data: isForTicket || request.EndsWith(_trial.Question, StringComparison.Ordinal));
            Locked(() => _connections.Add(number, (told, stream.NegotiatedGroup)));
        }
        catch (Exception e) when (e is AuthenticationException or IOException or TimeoutException or Xunit.Sdk.XunitException)
        {
            socket.Dispose();
            Locked(() => _failures.Add($"{e.GetType().Name}: {e.Message}"));
        }
    }

    // Where the request came with Finished, the kernel takes over at the next read. Chromium ends a connection with a reset.
    private static async Task ReadToEndAsync(KTlsStream stream)
    {
        try
        {
            Assert.Equal(0, await stream.ReadAsync(new byte[1]).AsTask().WaitAsync(OurEnd.Patience));
        }
        catch (IOException e) when (e.InnerException is SocketException { SocketErrorCode: SocketError.ConnectionReset })
        {
        }
    }

    private void Locked(Action action)
    {
        lock (_lock)
        {
            action();
        }
    }

    private T Locked<T>(Func<T> function)
    {
        lock (_lock)
        {
            return function();
        }
    }

    [GeneratedRegex(@"^Origin: (\S+)", RegexOptions.Multiline)]
    private static partial Regex Origin();
}
