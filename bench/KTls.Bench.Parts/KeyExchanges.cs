using BenchmarkDotNet.Attributes;
using KTls.Handshake;
using KTls.Handshake.Crypto;

namespace KTls.Bench.Parts;

/// <summary>The key agreement of each group: making a share, and the secret from the peer's.</summary>
public class KeyExchanges : IDisposable
{
    private readonly byte[] _secret = new byte[KeyExchange.MaxSharedSecretLength];
    private byte[] _peerShare = [];
    private KeyExchange? _own;

    public static IEnumerable<NamedGroup> Groups => KeyExchange.Groups;

    [ParamsSource(nameof(Groups))]
    public NamedGroup Group { get; set; }

    [GlobalSetup]
    public void SetUp()
    {
        using KeyExchange peer = KeyExchange.Create(Group);
        _peerShare = peer.PublicShare.ToArray();
        _own = KeyExchange.Create(Group);
    }

    [Benchmark]
    public void Generate() => KeyExchange.Create(Group).Dispose();

    [Benchmark]
    public int Agree() => _own!.Agree(_peerShare, _secret);

    [GlobalCleanup]
    public void Dispose()
    {
        _own?.Dispose();
        GC.SuppressFinalize(this);
    }
}
