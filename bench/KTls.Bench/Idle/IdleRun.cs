using System.Globalization;
using KTls.Bench.Files;

namespace KTls.Bench.Idle;

/// <summary>A server with connections, and their client, each a process of its own; warm when it begins.</summary>
internal sealed class IdleRun : IDisposable
{
    /// <summary>So many connections come and go before anything is measured.</summary>
    public const int WarmUps = 200;

    private readonly ChildProcess _server;
    private readonly ChildProcess _client = new(Role.Peer, IdlePeer.Command);

    public IdleRun(IdleKind kind)
    {
        _server = new ChildProcess(Role.Measured, IdleServer.Command, kind.ToString());
        _client.Tell($"{_server.Answer()} {(kind == IdleKind.Tcp ? "plain" : "tls")}");
        Hold(WarmUps);
    }

    /// <summary>Has so many connections, each of which has been used once, and tells the server's memory.</summary>
    public Memory Hold(int connections)
    {
        string number = connections.ToString(CultureInfo.InvariantCulture);
        Do($"hold {number}");
        _server.Tell(number);
        return Memory.Parse(_server.Answer());
    }

    /// <summary>Sends so many requests, one after the other, each on the next connection.</summary>
    public void Ask(int requests) => Do(string.Create(CultureInfo.InvariantCulture, $"ask {requests}"));

    public TimeSpan ServerCpu() => ProcessTime.Of(_server.Id);

    public void Dispose()
    {
        Do("hold 0");
        _client.Dispose();
        _server.Dispose();
    }

    private void Do(string command)
    {
        _client.Tell(command);
        if (_client.Answer() is var answer && answer != command)
        {
            throw new InvalidOperationException($"The client says '{answer}'.");
        }
    }
}
