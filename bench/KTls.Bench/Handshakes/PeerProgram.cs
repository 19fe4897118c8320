using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using KTls.Bench.Connections;
using KTls.Handshake;

namespace KTls.Bench.Handshakes;

/// <summary>
/// The other end of a role that is measured alone, in a process of its own, the same one for all that is measured.
/// Commands come line by line on standard input, one answer each on standard output.
/// </summary>
internal sealed class PeerProgram
{
    private readonly HandshakeKind _kind;
    private readonly ServerHandshakeOptions? _serverOptions;
    private readonly ClientHandshakeOptions _clientOptions;
    private readonly List<BareConnection> _connections = [];

    // A session is good only for the server that gave it.
    private readonly Dictionary<string, SessionPile> _sessions = [];

    private PeerProgram(string role, HandshakeKind kind)
    {
        _kind = kind;
        _serverOptions = role == "server" ? ReadServerOptions(kind) : null;
        _clientOptions = ClientOptions(kind, session: null);
    }

    public static Task RunAsync(string role, HandshakeKind kind)
    {
        new PeerProgram(role, kind).Run();
        return Task.CompletedTask;
    }

    // A client of one suite has the server choose it; without one it offers all that there are.
    private static ClientHandshakeOptions ClientOptions(HandshakeKind kind, ClientSession? session)
    {
        var options = new ClientHandshakeOptions();
        return new ClientHandshakeOptions
        {
            ServerName = "localhost",
            Groups = [kind.Group],
            CipherSuites = kind.Suite is { } suite ? [suite] : options.CipherSuites,
            Protocols = kind.Suite is null ? options.Protocols : kind.Protocols,
            RequestTickets = kind.Mode != HandshakeMode.Full,
            Session = session,
        };
    }

    private static ServerHandshakeOptions ReadServerOptions(HandshakeKind kind)
    {
        X509Certificate2 certificate = X509CertificateLoader.LoadPkcs12(Convert.FromBase64String(Console.ReadLine()!), password: null);
        SslStreamCertificateContext context = SslStreamCertificateContext.Create(certificate, [], offline: true);
        return CertificateCredential.TryCreate(context, out CertificateCredential? credential, out string? reason)
            ? new ServerHandshakeOptions { Credential = credential, Groups = [kind.Group], Tickets = kind.Mode == HandshakeMode.Full ? null : new TicketKeyRing() }
            : throw new InvalidOperationException(reason);
    }

    private static void Answer(string line)
    {
        Console.Out.WriteLine(line);
        Console.Out.Flush();
    }

    private void Run()
    {
        using Socket listener = Loopback.Listen();
        Answer(Loopback.Port(listener).ToString());
        while (Console.ReadLine()?.Split(' ') is { } command)
        {
            switch (command)
            {
                case ["accept", string count]:
                    Add(int.Parse(count), () => Loopback.Accept(listener));
                    break;
                case ["connect", string count, string port]:
                    Add(int.Parse(count), () => Loopback.Connect(int.Parse(port)));
                    break;
                case ["handshake", string concurrency, string with]:
                    ShakeHands(int.Parse(concurrency), Sessions(with));
                    break;
                case ["exchange", string with]:
                    Exchange(Sessions(with));
                    break;
                case ["close"]:
                    _connections.ForEach(connection => connection.Dispose());
                    _connections.Clear();
                    break;
                default:
                    throw new InvalidOperationException($"What is '{string.Join(' ', command)}'?");
            }

            Answer("done");
        }
    }

    private SessionPile Sessions(string with) => _sessions.TryGetValue(with, out SessionPile? pile) ? pile : _sessions[with] = new SessionPile();

    private void Add(int count, Func<Socket> open)
    {
        for (int i = 0; i < count; i++)
        {
            _connections.Add(new BareConnection(open()));
        }
    }

    // Each thread takes every n-th socket, as the workers of the measured process do.
    private void ShakeHands(int concurrency, SessionPile sessions)
    {
        var threads = new Thread[concurrency];
        for (int i = 0; i < concurrency; i++)
        {
            int first = i;
            threads[i] = new Thread(() =>
            {
                for (int n = first; n < _connections.Count; n += concurrency)
                {
                    ShakeHands(_connections[n], sessions);
                }
            });
            threads[i].Start();
        }

        Array.ForEach(threads, thread => thread.Join());
    }

    private void ShakeHands(BareConnection connection, SessionPile sessions)
    {
        if (_serverOptions is not null)
        {
            connection.Accept(_serverOptions);
            return;
        }

        using ClientSession? session = sessions.Take();
        connection.Connect(session is null ? _clientOptions : ClientOptions(_kind, session));
    }

    private void Exchange(SessionPile sessions)
    {
        foreach (BareConnection connection in _connections)
        {
            if (_serverOptions is not null)
            {
                connection.SendByte();
            }
            else
            {
                connection.ReceiveByte(sessions);
            }
        }
    }
}
