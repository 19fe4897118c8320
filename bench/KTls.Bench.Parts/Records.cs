using System.Net.Security;
using System.Security.Cryptography;
using BenchmarkDotNet.Attributes;
using KTls.Handshake;
using KTls.Handshake.Crypto;

namespace KTls.Bench.Parts;

/// <summary>Our own record layer: sealing and opening one record, and setting it up.</summary>
public class Records : IDisposable
{
    private byte[] _content = [];
    private byte[] _record = [];
    private byte[] _sealed = [];
    private RecordKeys? _keys;
    private RecordSealer? _sealer;

    [Params(TlsCipherSuite.TLS_AES_128_GCM_SHA256, TlsCipherSuite.TLS_CHACHA20_POLY1305_SHA256)]
    public TlsCipherSuite Suite { get; set; }

    [Params(64, 16384)]
    public int Size { get; set; }

    [GlobalSetup]
    public void SetUp()
    {
        _keys = new RecordKeys(CipherSuite.Find(Suite)!, RandomNumberGenerator.GetBytes(32));
        _content = RandomNumberGenerator.GetBytes(Size);
        _sealer = new RecordSealer(_keys);
        _record = new byte[Size + _sealer.Overhead];
        _sealed = new byte[_record.Length];
        using var first = new RecordSealer(_keys);
        first.Seal(ContentType.ApplicationData, _content, _sealed);
    }

    [Benchmark]
    public int Seal() => _sealer!.Seal(ContentType.ApplicationData, _content, _record);

    /// <summary>With a new opener, since a record opens once.</summary>
    [Benchmark]
    public int SetUpAndOpen()
    {
        using var opener = new RecordOpener(_keys!);
        _sealed.CopyTo(_record, 0);
        return opener.Open(_record, out _).Length;
    }

    [Benchmark]
    public void SetUpOnly() => new RecordSealer(_keys!).Dispose();

    [GlobalCleanup]
    public void Dispose()
    {
        _sealer?.Dispose();
        _keys?.Dispose();
        GC.SuppressFinalize(this);
    }
}
