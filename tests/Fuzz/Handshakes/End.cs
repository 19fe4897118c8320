using KTls.Handshake;
using KTls.Handshake.Crypto;
using KTls.Handshake.Wire;

namespace KTls.Fuzz.Handshakes;

/// <summary>One end: its handshake, what it has sent and received so far, and its keys as its key log tells them.</summary>
internal sealed class End : IDisposable
{
    private const int MaxAllocation = 512 * 1024;
    private const int MaxAllocationPerByte = 64;

    private readonly Dictionary<string, byte[]> _secrets = [];
    private long _allocated;
    private long _received;

    public End(bool isServer) => IsServer = isServer;

    public bool IsServer { get; }

    public TlsHandshake Handshake { get; set; } = null!;

    /// <summary>The handshake messages that it has sent.</summary>
    public HandshakeStream Sent { get; } = new();

    /// <summary>The messages that it has sent after the handshake.</summary>
    public HandshakeStream SentAfter { get; } = new();

    /// <summary>The handshake messages that it has received.</summary>
    public HandshakeStream Received { get; } = new();

    /// <summary>Whether it is at the keys of TLS 1.2.</summary>
    public bool HasTls12Keys => _secrets.ContainsKey("CLIENT_RANDOM");

    /// <summary>How the handshake failed, or the connection after it; null: it has not.</summary>
    public TlsAlertException? Failure { get; set; }

    /// <summary>What comes after the handshake, once it is complete.</summary>
    public AfterHandshake? After { get; set; }

    public bool IsComplete => After is not null;

    public void Log(string line)
    {
        string[] words = line.Split(' ');
        _secrets[words[0]] = Convert.FromHexString(words[2]);
    }

    /// <summary>The keys of an epoch; null when the end has none yet.</summary>
    public RecordKeys? Keys(bool isSending, Epoch epoch)
    {
        bool isServers = isSending == IsServer;
        HandshakeStream client = IsServer ? Received : Sent;
        HandshakeStream server = IsServer ? Sent : Received;
        if (server.Suite() is not { } suite)
        {
            return null;
        }

        if (_secrets.TryGetValue("CLIENT_RANDOM", out byte[]? master))
        {
            using var keys = new TrafficKeys12(suite, master, [.. client.Random(HandshakeType.ClientHello)!, .. server.Random(HandshakeType.ServerHello)!]);
            return keys.Of(isServers, sequence: 0);
        }

        string label = $"{(isServers ? "SERVER" : "CLIENT")}{(epoch == Epoch.Handshake ? "_HANDSHAKE" : string.Empty)}_TRAFFIC_SECRET{(epoch == Epoch.Application ? "_0" : string.Empty)}";
        return _secrets.TryGetValue(label, out byte[]? secret) ? new RecordKeys(suite, secret) : null;
    }

    /// <summary>Gives the handshake a record.</summary>
    /// <exception cref="TlsAlertException">The handshake has failed.</exception>
    public void Take(byte[] record)
    {
        _received += record.Length;
        Do(() => Handshake.ReceiveRecord(record));
    }

    /// <summary>Does something with the handshake, and counts what it allocates.</summary>
    public void Do(Action step)
    {
        long before = GC.GetAllocatedBytesForCurrentThread();
        try
        {
            step();
        }
        finally
        {
            _allocated += GC.GetAllocatedBytesForCurrentThread() - before;
        }
    }

    /// <summary>What a peer can make an end allocate is bounded by what it sends.</summary>
    public void CheckAllocation() => BrokenPromiseException.ThrowUnless(
        _allocated <= MaxAllocation + (MaxAllocationPerByte * _received), $"an end that has received {_received} bytes allocates no more than their multiple, not {_allocated}");

    public override string ToString() => IsServer ? "server" : "client";

    public void Dispose()
    {
        Handshake.PeerCertificate?.Dispose();
        Handshake.Dispose();
        After?.Dispose();
    }
}
