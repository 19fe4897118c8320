using System.Security.Cryptography;
using KTls.Handshake.Crypto;
using KTls.Handshake.Wire;

namespace KTls.Handshake;

/// <summary>What both roles of TLS 1.2 have in common: master secret, change of keys, Finished (RFC 5246 §6.3, §7.1, §7.4.9, §8.1).</summary>
internal abstract class Tls12Flow : HandshakeFlow
{
    protected const int RandomLength = 32;

    private readonly bool _isServer;
    private bool _hasReceivedChange;

    protected Tls12Flow(TlsHandshake handshake, bool isServer)
        : base(handshake) => _isServer = isServer;

    public override bool IsTls13 => false;

    protected CipherSuite? Suite { get; set; }

    protected Transcript12? Transcript { get; set; }

    protected SecretBytes? MasterSecret { get; set; }

    /// <summary>The client's random, then the server's.</summary>
    protected byte[] Randoms { get; } = new byte[2 * RandomLength];

    protected bool IsExtendedMasterSecret { get; set; }

    protected TrafficKeys12? Keys { get; set; }

    /// <summary>Whether the peer's Finished is the next that may come, after a change_cipher_spec.</summary>
    protected bool IsFinishedDue { get; set; }

    protected abstract Action<string>? KeyLogSink { get; }

    protected WireWriter Writer { get; } = new(4096);

    public override void ReceiveChangeCipherSpec()
    {
        if (!IsFinishedDue || _hasReceivedChange)
        {
            throw new TlsAlertException(AlertDescription.UnexpectedMessage, "A change_cipher_spec that is out of place (RFC 5246 §7.1).");
        }

        _hasReceivedChange = true;
        using RecordKeys keys = Keys!.Of(!_isServer, sequence: 0);
        Records.ProtectReceiving(keys);
    }

    public override void Dispose()
    {
        Writer.Dispose();
        Transcript?.Dispose();
        MasterSecret?.Dispose();
        Keys?.Dispose();
    }

    /// <summary>Makes the master secret of what was agreed on (RFC 5246 §8.1, RFC 7627 §4), and the keys.</summary>
    protected void DeriveKeys(ReadOnlySpan<byte> premasterSecret)
    {
        MasterSecret = SecretBytes.Lasting(Prf.MasterSecretLength);
        if (IsExtendedMasterSecret)
        {
            Span<byte> hash = stackalloc byte[CipherSuite.MaxHashLength];
            Prf.Compute(Suite!, premasterSecret, "extended master secret"u8, Transcript!.Current(hash), MasterSecret.Span);
        }
        else
        {
            Prf.Compute(Suite!, premasterSecret, "master secret"u8, Randoms, MasterSecret.Span);
        }

        ExpandKeys();
    }

    /// <summary>Makes the keys of the master secret.</summary>
    protected void ExpandKeys()
    {
        Keys = new TrafficKeys12(Suite!, MasterSecret!.Span, Randoms);
        KeyLog.Write(KeyLogSink, "CLIENT_RANDOM", Randoms.AsSpan(0, RandomLength), MasterSecret.Span);
    }

    /// <summary>change_cipher_spec and Finished.</summary>
    protected void SendFinished()
    {
        Records.Send(ContentType.ChangeCipherSpec, [1]);
        using (RecordKeys keys = Keys!.Of(_isServer, sequence: 0))
        {
            Records.ProtectSending(keys);
        }

        Span<byte> hash = stackalloc byte[CipherSuite.MaxHashLength];
        Writer.Clear();
        WireWriter.Vector message = Writer.BeginMessage(HandshakeType.Finished);
        Prf.FinishedVerifyData(Suite!, MasterSecret!.Span, _isServer, Transcript!.Current(hash), Writer.Reserve(Prf.VerifyDataLength));
        Writer.End(message);
        Transcript.Append(Writer.WrittenSpan);
        Records.Send(ContentType.Handshake, Writer.WrittenSpan);
    }

    /// <summary>Checks the peer's Finished.</summary>
    /// <exception cref="TlsAlertException">It is wrong, or was not sealed with the new keys.</exception>
    protected void VerifyFinished(ReadOnlySpan<byte> message)
    {
        if (!_hasReceivedChange)
        {
            throw new TlsAlertException(AlertDescription.UnexpectedMessage, "Finished without a change_cipher_spec before it (RFC 5246 §7.4.9).");
        }

        ReadOnlySpan<byte> verifyData = message[4..];
        if (verifyData.Length != Prf.VerifyDataLength)
        {
            throw new TlsAlertException(AlertDescription.DecodeError, "A Finished message of the wrong length.");
        }

        Span<byte> hash = stackalloc byte[CipherSuite.MaxHashLength];
        Span<byte> expected = stackalloc byte[Prf.VerifyDataLength];
        Prf.FinishedVerifyData(Suite!, MasterSecret!.Span, !_isServer, Transcript!.Current(hash), expected);
        if (!CryptographicOperations.FixedTimeEquals(verifyData, expected))
        {
            throw new TlsAlertException(AlertDescription.DecryptError, "The peer's Finished does not fit the handshake.");
        }

        Handshake.RequireRecordBoundary();
        Transcript.Append(message);
    }

    /// <summary>Writes one message to the transcript and to the output.</summary>
    protected void SendWritten()
    {
        Transcript!.Append(Writer.WrittenSpan);
        Records.Send(ContentType.Handshake, Writer.WrittenSpan);
    }

    /// <summary>Hands master secret and keys over to a session.</summary>
    protected TlsSession12 CreateSession(NamedGroup group, System.Net.Security.SslApplicationProtocol protocol, bool isResumed, Resumption.SessionTemplate? template)
    {
        var session = new TlsSession12(Suite!, MasterSecret!, Keys!, Randoms)
        {
            SendSequence = Records.SendSequence,
            ReceiveSequence = Records.ReceiveSequence,
            Group = group,
            ApplicationProtocol = protocol,
            IsServer = _isServer,
            IsResumed = isResumed,
            MaxSendContent = Records.MaxContent,
            Template = template,
        };
        MasterSecret = null;
        Keys = null;
        return session;
    }
}
