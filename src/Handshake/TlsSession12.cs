using KTls.Handshake.Crypto;
using KTls.Handshake.Wire;

namespace KTls.Handshake;

/// <summary>What a TLS 1.2 handshake leaves behind. Its keys never change.</summary>
internal sealed class TlsSession12 : TlsSession
{
    private readonly SecretBytes _masterSecret;
    private readonly TrafficKeys12 _keys;
    private readonly byte[] _randoms;

    public TlsSession12(CipherSuite suite, SecretBytes masterSecret, TrafficKeys12 keys, byte[] randoms)
        : base(suite)
    {
        _masterSecret = masterSecret;
        _keys = keys;
        _randoms = randoms;
    }

    /// <summary>The number of our first record after the handshake: Finished had the numbers before it.</summary>
    public required ulong SendSequence { get; init; }

    /// <summary>The number of the peer's first record after the handshake.</summary>
    public required ulong ReceiveSequence { get; init; }

    /// <summary>The session with the ticket that the server gave.</summary>
    public ClientSession? Ticket { private get; set; }

    public override RecordKeys GetSendKeys() => _keys.Of(IsServer, SendSequence);

    public override RecordKeys GetReceiveKeys() => _keys.Of(!IsServer, ReceiveSequence);

    public override void UpdateSendKeys() => throw NoUpdate();

    public override void UpdateReceiveKeys() => throw NoUpdate();

    public override ClientSession? TakeTicket()
    {
        ClientSession? ticket = Ticket;
        Ticket = null;
        return ticket;
    }

    protected override void Dispose(bool disposing)
    {
        _masterSecret.Dispose();
        _keys.Dispose();
        Ticket?.Dispose();
    }

    // Tickets of TLS 1.2 come in the handshake only (RFC 5077 §3.3).
    internal override ClientSession? CreateSession(in NewSessionTicket ticket) => null;

    private protected override void Export(ReadOnlySpan<byte> label, byte[]? context, Span<byte> output) =>
        Prf.Export(Suite, _masterSecret.Span, _randoms, label, context, context is not null, output);

    private static InvalidOperationException NoUpdate() => new("TLS 1.2 has no KeyUpdate: its keys never change.");
}
