using System.Globalization;
using KTls.Bench.Connections;
using KTls.Bench.Files;

namespace KTls.Bench.Latency;

/// <summary>Both ends of one kind, in a process each.</summary>
internal sealed class LatencyPair : IDisposable
{
    private readonly ChildProcess _server;
    private readonly ChildProcess _client;
    private readonly string _port;

    public LatencyPair(StreamKind kind)
    {
        Name = kind switch { StreamKind.Kernel => "KTls", StreamKind.UserSpace => "KTls, user space", StreamKind.Plain => "plain TCP", _ => kind.ToString() };
        _server = new ChildProcess(Role.Measured, LatencyEnds.Command, "server", kind.ToString());
        _client = new ChildProcess(Role.Peer, LatencyEnds.Command, "client", kind.ToString());
        _port = _server.Answer();
    }

    public string Name { get; }

    /// <summary>Asks so often with so many bytes, and a tenth of that before, which does not count.</summary>
    /// <returns>Microseconds of a round by <see cref="LatencyScenario.Percentiles"/>, and the server's processor time.</returns>
    public (double[] Rounds, TimeSpan Server) Run(int size, int count)
    {
        TimeSpan before = ProcessTime.Of(_server.Id);
        _client.Tell(string.Create(CultureInfo.InvariantCulture, $"{_port} {size} {count}"));
        double[] rounds = [.. _client.Answer().Split(' ').Select(text => long.Parse(text, CultureInfo.InvariantCulture) / 1000.0)];
        return (rounds, ProcessTime.Of(_server.Id) - before);
    }

    public void Dispose()
    {
        _client.Dispose();
        _server.Dispose();
    }
}
