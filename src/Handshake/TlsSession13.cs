using System.Security.Cryptography;
using KTls.Handshake.Crypto;
using KTls.Handshake.Resumption;
using KTls.Handshake.Wire;

namespace KTls.Handshake;

/// <summary>What a TLS 1.3 handshake leaves behind.</summary>
internal sealed class TlsSession13 : TlsSession
{
    private const int Send = 0;
    private const int Receive = 1;
    private const int Exporter = 2;

    // The three of every session, one behind the other in memory of their own: a server may have very many connections.
    private readonly SecretBytes _secrets;
    private SecretBytes? _resumptionSecret;

    /// <summary>Makes room for the secrets, which whoever does the handshake derives into it.</summary>
    public TlsSession13(CipherSuite suite)
        : base(suite) => _secrets = SecretBytes.Lasting(3 * suite.HashLength);

    /// <summary>Records that the handshake itself has sealed with the first keys: the server's tickets.</summary>
    public ulong SendSequence { get; set; }

    /// <summary>The traffic secret of the records that we send.</summary>
    public Span<byte> SendSecret => Secret(Send);

    /// <summary>The traffic secret of the records that the peer sends.</summary>
    public Span<byte> ReceiveSecret => Secret(Receive);

    /// <summary>The exporter master secret.</summary>
    public Span<byte> ExporterSecret => Secret(Exporter);

    /// <summary>A client's, for the tickets to come: known only after its Finished (RFC 8446 §7.1).</summary>
    public Span<byte> ResumptionSecret => (_resumptionSecret ??= SecretBytes.Lasting(Suite.HashLength)).Span;

    public override RecordKeys GetSendKeys() => new(Suite, SendSecret, SendSequence);

    public override RecordKeys GetReceiveKeys() => new(Suite, ReceiveSecret);

    public override void UpdateSendKeys()
    {
        Update(Send);
        SendSequence = 0;
    }

    public override void UpdateReceiveKeys() => Update(Receive);

    protected override void Dispose(bool disposing)
    {
        _secrets.Dispose();
        _resumptionSecret?.Dispose();
    }

    internal override ClientSession? CreateSession(in NewSessionTicket ticket)
    {
        // A lifetime of 0: the ticket is to be thrown away (RFC 8446 §4.6.1).
        if (Template is null || _resumptionSecret is null || ticket.Lifetime == 0 || ticket.Ticket.Length > ClientSession.MaxTicketLength)
        {
            return null;
        }

        using var hmac = new KeyedHmac(Suite.Hash, _resumptionSecret.Span);
        using SecretBytes key = KeySchedule.ResumptionKey(hmac, ticket.Nonce);
        return new ClientSession(Template.Create(Suite, key.Span, isExtendedMasterSecret: false), ticket.Ticket, ticket.Lifetime, ticket.AgeAdd);
    }

    private protected override void Export(ReadOnlySpan<byte> label, byte[]? context, Span<byte> output) =>
        KeySchedule.Export(Suite, ExporterSecret, label, context, output);

    // Whoever disposes of the session meanwhile has zeroed what is here: nothing is written after that.
    private void Update(int which)
    {
        Span<byte> next = stackalloc byte[Suite.HashLength];
        try
        {
            Secret(which).CopyTo(next);
            KeySchedule.UpdateTrafficSecret(Suite, next);
            next.CopyTo(Secret(which));
        }
        finally
        {
            CryptographicOperations.ZeroMemory(next);
        }
    }

    private Span<byte> Secret(int which) => _secrets.Span.Slice(which * Suite.HashLength, Suite.HashLength);
}
