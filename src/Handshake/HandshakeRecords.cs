using KTls.Handshake.Wire;

namespace KTls.Handshake;

/// <summary>
/// The record boundary of a handshake: records from the peer become content, messages become records to send,
/// in the clear or sealed as the handshake goes on.
/// </summary>
internal sealed class HandshakeRecords : IDisposable
{
    // What a record of early data counts at least: whoever sends empty ones would have us do much for little.
    private const int MinSkipped = 256;

    private readonly WireWriter _output = new();
    private RecordSealer? _sealer;
    private RecordOpener? _opener;
    private TlsSession? _nextSender;
    private bool _hasOpened;

    /// <summary>Records to send.</summary>
    public ReadOnlyMemory<byte> Output => _output.WrittenMemory;

    /// <summary>The record version of the first ClientHello is another one, for old servers' sake (RFC 8446 §5.1).</summary>
    public ushort PlaintextVersion { get; set; } = ProtocolVersion.Tls12;

    /// <summary>
    /// Bytes of undecipherable records that are dropped because they may be early data that the client sends on
    /// the assumption that it is accepted (RFC 8446 §4.2.10).
    /// </summary>
    public int EarlyDataToSkip { get; set; }

    /// <summary>
    /// A change_cipher_spec comes before the first record that is sealed, be that an alert: a middlebox that takes the
    /// connection for one of TLS 1.2 lets nothing sealed pass before it (RFC 8446 §D.4).
    /// </summary>
    public bool OwesChangeCipherSpec { get; set; }

    /// <summary>The most bytes of content in a record to send.</summary>
    public int MaxContent { get; set; } = RecordHeader.MaxPlaintext;

    /// <summary>
    /// The most bytes that an encrypted record may hold, as we have told the peer (RFC 8449 §4): in TLS 1.3 the content's type and
    /// the padding among them. Null: no less than the protocol allows.
    /// </summary>
    public ushort? ReceiveLimit { get; set; }

    /// <summary>The number of the next record to send under the present keys.</summary>
    public ulong SendSequence => _sealer?.Sequence ?? 0;

    /// <summary>The number of the next record to receive under the present keys.</summary>
    public ulong ReceiveSequence => _opener?.Sequence ?? 0;

    /// <summary>Whether what the peer sends is encrypted.</summary>
    public bool IsReceivingProtected => _opener is not null;

    public void OutputSent() => _output.Clear();

    public void ProtectSending(RecordKeys keys)
    {
        _sealer?.Dispose();
        _sealer = new RecordSealer(keys);
    }

    public void ProtectReceiving(RecordKeys keys)
    {
        _opener?.Dispose();
        _opener = new RecordOpener(keys);
    }

    /// <summary>
    /// Whatever is sent from now on is sealed with the keys of a session. They are made only when there is something
    /// to send, which between a server's Finished and the client's is an alert.
    /// </summary>
    public void ProtectSendingLater(TlsSession session) => _nextSender = session;

    public void Send(ContentType type, ReadOnlySpan<byte> content)
    {
        if (_nextSender is not null)
        {
            using RecordKeys keys = _nextSender.GetSendKeys();
            _nextSender = null;
            ProtectSending(keys);
        }

        if (_sealer is not null && OwesChangeCipherSpec)
        {
            OwesChangeCipherSpec = false;
            Send(ContentType.ChangeCipherSpec, [1]);
        }

        do
        {
            ReadOnlySpan<byte> fragment = content[..Math.Min(content.Length, MaxContent)];
            content = content[fragment.Length..];
            if (_sealer is null || type == ContentType.ChangeCipherSpec)
            {
                RecordHeader.Write(_output.Reserve(RecordHeader.Size), type, PlaintextVersion, fragment.Length);
                _output.WriteBytes(fragment);
            }
            else
            {
                _sealer.Seal(type, fragment, _output.Reserve(fragment.Length + _sealer.Overhead));
            }
        }
        while (!content.IsEmpty);
    }

    /// <summary>Opens a record; false when it is to be dropped without a word.</summary>
    public bool TryOpen(Span<byte> record, out ContentType type, out ReadOnlySpan<byte> content)
    {
        type = RecordHeader.Read(record).Type;
        content = record[RecordHeader.Size..];
        if (_opener is null)
        {
            // Before its second ClientHello a client that was sent a HelloRetryRequest may still send early data: sealed, so longer
            // than a record in the clear may be.
            if (type == ContentType.ApplicationData && IsSkippedEarlyData(record.Length))
            {
                return false;
            }

            return content.Length <= RecordHeader.MaxPlaintext
                ? true
                : throw new TlsAlertException(AlertDescription.RecordOverflow, $"A record in the clear of {content.Length} bytes.");
        }

        // A change_cipher_spec is never encrypted; a peer that cannot yet encrypt sends its alert in the clear.
        if (_opener.IsTls13 && (type == ContentType.ChangeCipherSpec || (type == ContentType.Alert && !_hasOpened)))
        {
            return true;
        }

        if (!_opener.TryOpen(record, out Span<byte> opened, out type))
        {
            content = default;
            return !_hasOpened && IsSkippedEarlyData(record.Length) ? false : throw RecordOpener.NotOfThisConnection();
        }

        content = opened;
        _hasOpened = true;
        int held = record.Length - _opener.ContentOffset - Crypto.CipherSuite.TagLength;
        if (held > ReceiveLimit)
        {
            throw new TlsAlertException(AlertDescription.RecordOverflow, $"A record holds {held} bytes, and the peer was told that {ReceiveLimit} are the most (RFC 8449 §4).");
        }

        if (type == ContentType.ChangeCipherSpec)
        {
            throw new TlsAlertException(AlertDescription.UnexpectedMessage, "An encrypted change_cipher_spec (RFC 8446 §5), or a second one.");
        }

        return true;
    }

    public void Dispose()
    {
        _sealer?.Dispose();
        _opener?.Dispose();
        _output.Dispose();
    }

    private bool IsSkippedEarlyData(int length)
    {
        int cost = Math.Max(length, MinSkipped);
        if (EarlyDataToSkip < cost)
        {
            return false;
        }

        EarlyDataToSkip -= cost;
        return true;
    }
}
