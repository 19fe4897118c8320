using System.Security.Cryptography;

namespace KTls.Handshake.Crypto;

/// <summary>
/// The key schedule of TLS 1.3 (RFC 8446 §7.1): Early Secret, Handshake Secret, Master Secret, one after the other.
/// </summary>
internal sealed class KeySchedule : IDisposable
{
    private readonly CipherSuite _suite;
    private readonly Constants _constants;

    // The current secret, and HMAC, which has taken it in as its key once that was needed.
    private readonly SecretBytes _secret;
    private readonly Hmac _hmac;
    private bool _isKeyTaken;
    private bool _isAtConstant;

    /// <summary>Starts at the Early Secret.</summary>
    /// <param name="suite">The suite.</param>
    /// <param name="preSharedKey">The pre-shared key; empty: there is none, and zeros stand for it.</param>
    public KeySchedule(CipherSuite suite, ReadOnlySpan<byte> preSharedKey = default)
    {
        _suite = suite;
        _constants = Constants.Of(suite.Hash);
        _secret = new SecretBytes(suite.HashLength);
        _hmac = Hmac.Create(suite.Hash);
        _isAtConstant = preSharedKey.IsEmpty;
        if (_isAtConstant)
        {
            _constants.EarlySecret.CopyTo(_secret.Span);
        }
        else
        {
            Extract(salt: default, preSharedKey);
        }
    }

    /// <summary>The secret that the schedule stands at; for tests against published vectors.</summary>
    internal ReadOnlySpan<byte> Current => _secret.Span;

    /// <summary>Goes on to the Handshake Secret.</summary>
    public void EnterHandshake(ReadOnlySpan<byte> sharedSecret) => Enter(sharedSecret);

    /// <summary>Goes on to the Master Secret.</summary>
    public void EnterMaster()
    {
        Span<byte> zeros = stackalloc byte[_suite.HashLength];
        zeros.Clear();
        Enter(zeros);
    }

    /// <summary>Derive-Secret of the current secret.</summary>
    public SecretBytes Derive(ReadOnlySpan<byte> label, ReadOnlySpan<byte> transcriptHash)
    {
        var derived = new SecretBytes(_suite.HashLength);
        Derive(label, transcriptHash, derived.Span);
        return derived;
    }

    /// <inheritdoc cref="Derive(ReadOnlySpan{byte}, ReadOnlySpan{byte})"/>
    public void Derive(ReadOnlySpan<byte> label, ReadOnlySpan<byte> transcriptHash, Span<byte> derived) => Expand(label, transcriptHash, derived);

    /// <summary>The binder of a pre-shared key (RFC 8446 §4.2.11.2). The schedule must stand at that key's Early Secret.</summary>
    /// <param name="transcriptHash">The hash up to the binders of the ClientHello.</param>
    /// <param name="binder">The result, of the hash's length.</param>
    public void Binder(ReadOnlySpan<byte> transcriptHash, Span<byte> binder)
    {
        using SecretBytes binderKey = Derive("res binder"u8, _constants.EmptyHash);
        FinishedVerifyData(_suite, binderKey.Span, transcriptHash, binder);
    }

    /// <summary>The pre-shared key of a ticket (RFC 8446 §4.6.1).</summary>
    /// <param name="resumptionSecret">HMAC with the resumption master secret as its key.</param>
    /// <param name="ticketNonce">The ticket's nonce.</param>
    public static SecretBytes ResumptionKey(KeyedHmac resumptionSecret, ReadOnlySpan<byte> ticketNonce)
    {
        var key = new SecretBytes(resumptionSecret.Length);
        resumptionSecret.Expand("resumption"u8, ticketNonce, key.Span);
        return key;
    }

    /// <summary>Keying material for an application (RFC 8446 §7.5).</summary>
    public static void Export(CipherSuite suite, ReadOnlySpan<byte> exporterSecret, ReadOnlySpan<byte> label, ReadOnlySpan<byte> context, Span<byte> output)
    {
        Span<byte> derived = stackalloc byte[suite.HashLength];
        try
        {
            HkdfLabel.Expand(suite.Hash, exporterSecret, label, Constants.Of(suite.Hash).EmptyHash, derived);
            Span<byte> hash = stackalloc byte[suite.HashLength];
            CryptographicOperations.HashData(suite.Hash, context, hash);
            HkdfLabel.Expand(suite.Hash, derived, "exporter"u8, hash, output);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(derived);
        }
    }

    /// <summary>The verify_data of a Finished message (RFC 8446 §4.4.4).</summary>
    /// <param name="suite">The suite.</param>
    /// <param name="baseSecret">The sender's handshake traffic secret.</param>
    /// <param name="transcriptHash">The hash up to the message before Finished.</param>
    /// <param name="verifyData">The result, of the hash's length.</param>
    public static void FinishedVerifyData(CipherSuite suite, ReadOnlySpan<byte> baseSecret, ReadOnlySpan<byte> transcriptHash, Span<byte> verifyData)
    {
        Span<byte> finishedKey = stackalloc byte[suite.HashLength];
        using var hmac = new KeyedHmac(suite.Hash, baseSecret);
        hmac.Expand("finished"u8, default, finishedKey);
        hmac.TakeKey(finishedKey);
        hmac.Compute(transcriptHash, verifyData);
        CryptographicOperations.ZeroMemory(finishedKey);
    }

    /// <summary>The traffic secret that follows another one after a KeyUpdate (RFC 8446 §7.2), in its place.</summary>
    public static void UpdateTrafficSecret(CipherSuite suite, Span<byte> secret)
    {
        using var hmac = new KeyedHmac(suite.Hash, secret);
        hmac.Expand("traffic upd"u8, default, secret);
    }

    public void Dispose()
    {
        _secret.Dispose();
        _hmac.Dispose();
    }

    private void Expand(ReadOnlySpan<byte> label, ReadOnlySpan<byte> context, Span<byte> output)
    {
        if (!_isKeyTaken)
        {
            _hmac.TakeKey(_secret.Span);
            _isKeyTaken = true;
        }

        HkdfLabel.Expand(_hmac, label, context, output);
    }

    // Derive-Secret(current, "derived", "") is the salt, the new input the keying material.
    private void Enter(ReadOnlySpan<byte> input)
    {
        if (_isAtConstant)
        {
            Extract(_constants.HandshakeSalt, input);
            _isAtConstant = false;
        }
        else
        {
            Span<byte> salt = stackalloc byte[_suite.HashLength];
            Expand("derived"u8, _constants.EmptyHash, salt);
            Extract(salt, input);
            CryptographicOperations.ZeroMemory(salt);
        }
    }

    // HKDF-Extract is HMAC (RFC 5869 §2.2).
    private void Extract(ReadOnlySpan<byte> salt, ReadOnlySpan<byte> input)
    {
        _hmac.TakeKey(salt);
        _hmac.Compute(input, _secret.Span);
        _isKeyTaken = false;
    }

    // The same in every handshake with a hash and without a pre-shared key.
    private sealed class Constants
    {
        private static readonly Constants Sha256 = new(HashAlgorithmName.SHA256);
        private static readonly Constants Sha384 = new(HashAlgorithmName.SHA384);

        private Constants(HashAlgorithmName hash)
        {
            EmptyHash = CryptographicOperations.HashData(hash, []);
            EarlySecret = new byte[EmptyHash.Length];
            HandshakeSalt = new byte[EmptyHash.Length];
            HKDF.Extract(hash, ikm: new byte[EmptyHash.Length], salt: default, EarlySecret);
            HkdfLabel.Expand(hash, EarlySecret, "derived"u8, EmptyHash, HandshakeSalt);
        }

        public byte[] EmptyHash { get; }

        public byte[] EarlySecret { get; }

        public byte[] HandshakeSalt { get; }

        public static Constants Of(HashAlgorithmName hash) => hash == HashAlgorithmName.SHA384 ? Sha384 : Sha256;
    }
}
