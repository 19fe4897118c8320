using KTls.Handshake.Crypto;
using KTls.Handshake.Resumption;
using KTls.Handshake.Wire;

namespace KTls.Handshake;

/// <summary>What a TLS 1.3 handshake leaves behind.</summary>
internal sealed class TlsSession13 : TlsSession
{
    private readonly SecretBytes _sendSecret;
    private readonly SecretBytes _receiveSecret;
    private readonly SecretBytes _exporterSecret;

    public TlsSession13(CipherSuite suite, SecretBytes sendSecret, SecretBytes receiveSecret, SecretBytes exporterSecret)
        : base(suite)
    {
        _sendSecret = sendSecret;
        _receiveSecret = receiveSecret;
        _exporterSecret = exporterSecret;
    }

    /// <summary>Records that the handshake itself has sealed with the first keys: the server's tickets.</summary>
    public ulong SendSequence { get; set; }

    /// <summary>A client's, for the tickets to come: known only after its Finished (RFC 8446 §7.1). The session owns it.</summary>
    public SecretBytes? ResumptionSecret { get; set; }

    /// <summary>For SSLKEYLOGFILE.</summary>
    public ReadOnlySpan<byte> ExporterSecret => _exporterSecret.Span;

    /// <summary>For SSLKEYLOGFILE.</summary>
    public ReadOnlySpan<byte> SendSecret => _sendSecret.Span;

    /// <summary>For SSLKEYLOGFILE.</summary>
    public ReadOnlySpan<byte> ReceiveSecret => _receiveSecret.Span;

    public override RecordKeys GetSendKeys() => new(Suite, _sendSecret.Span, SendSequence);

    public override RecordKeys GetReceiveKeys() => new(Suite, _receiveSecret.Span);

    public override void UpdateSendKeys()
    {
        KeySchedule.UpdateTrafficSecret(Suite, _sendSecret);
        SendSequence = 0;
    }

    public override void UpdateReceiveKeys() => KeySchedule.UpdateTrafficSecret(Suite, _receiveSecret);

    protected override void Dispose(bool disposing)
    {
        _sendSecret.Dispose();
        _receiveSecret.Dispose();
        _exporterSecret.Dispose();
        ResumptionSecret?.Dispose();
    }

    internal override ClientSession? CreateSession(in NewSessionTicket ticket)
    {
        // A lifetime of 0: the ticket is to be thrown away (RFC 8446 §4.6.1).
        if (Template is null || ResumptionSecret is null || ticket.Lifetime == 0 || ticket.Ticket.Length > ClientSession.MaxTicketLength)
        {
            return null;
        }

        using var hmac = new KeyedHmac(Suite.Hash, ResumptionSecret.Span);
        SecretBytes key = KeySchedule.ResumptionKey(hmac, ticket.Nonce);
        return new ClientSession(Template.Create(Suite, key, isExtendedMasterSecret: false), ticket.Ticket, ticket.Lifetime, ticket.AgeAdd);
    }

    private protected override void Export(ReadOnlySpan<byte> label, byte[]? context, Span<byte> output) =>
        KeySchedule.Export(Suite, _exporterSecret.Span, label, context, output);
}
