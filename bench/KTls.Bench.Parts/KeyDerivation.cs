using System.Net.Security;
using System.Security.Cryptography;
using BenchmarkDotNet.Attributes;
using KTls.Handshake;
using KTls.Handshake.Crypto;

namespace KTls.Bench.Parts;

/// <summary>The derivations of RFC 8446 §7.1 and the transcript.</summary>
public class KeyDerivation : IDisposable
{
    private readonly byte[] _secret = RandomNumberGenerator.GetBytes(48);
    private readonly byte[] _message = RandomNumberGenerator.GetBytes(600);
    private readonly byte[] _output = new byte[48];
    private CipherSuite _suite = CipherSuite.All[0];
    private Transcript? _transcript;

    [Params(TlsCipherSuite.TLS_AES_128_GCM_SHA256, TlsCipherSuite.TLS_AES_256_GCM_SHA384)]
    public TlsCipherSuite Suite { get; set; }

    [GlobalSetup]
    public void SetUp()
    {
        _suite = CipherSuite.Find(Suite)!;
        _transcript = new Transcript(_suite);
        _transcript.Append(_message);
    }

    [Benchmark]
    public void ExpandLabel() =>
        HkdfLabel.Expand(_suite.Hash, _secret.AsSpan(0, _suite.HashLength), "c hs traffic"u8, _message.AsSpan(0, _suite.HashLength), _output.AsSpan(0, _suite.HashLength));

    [Benchmark]
    public void RecordKeys() => new RecordKeys(_suite, _secret.AsSpan(0, _suite.HashLength)).Dispose();

    [Benchmark]
    public void FinishedVerifyData() =>
        KeySchedule.FinishedVerifyData(_suite, _secret.AsSpan(0, _suite.HashLength), _message.AsSpan(0, _suite.HashLength), _output);

    [Benchmark]
    public void WholeSchedule()
    {
        using var schedule = new KeySchedule(_suite);
        schedule.EnterHandshake(_secret.AsSpan(0, 32));
        schedule.EnterMaster();
    }

    [Benchmark]
    public int TranscriptCurrent() => _transcript!.Current(_output).Length;

    [Benchmark]
    public void TranscriptOfOneMessage()
    {
        using var transcript = new Transcript(_suite);
        transcript.Append(_message);
    }

    [GlobalCleanup]
    public void Dispose()
    {
        _transcript?.Dispose();
        GC.SuppressFinalize(this);
    }
}
