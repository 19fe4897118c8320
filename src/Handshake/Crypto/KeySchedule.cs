using System.Security.Cryptography;

namespace KTls.Handshake.Crypto;

/// <summary>
/// The key schedule of TLS 1.3 (RFC 8446 §7.1): Early Secret, Handshake Secret, Master Secret, one after the other.
/// </summary>
internal sealed class KeySchedule : IDisposable
{
    private readonly CipherSuite _suite;
    private readonly SecretBytes _current;

    /// <summary>Starts at the Early Secret.</summary>
    /// <param name="suite">The suite.</param>
    /// <param name="preSharedKey">The pre-shared key; empty: there is none, and zeros stand for it.</param>
    public KeySchedule(CipherSuite suite, ReadOnlySpan<byte> preSharedKey = default)
    {
        _suite = suite;
        _current = new SecretBytes(suite.HashLength);
        Span<byte> zeros = stackalloc byte[suite.HashLength];
        zeros.Clear();
        HKDF.Extract(suite.Hash, ikm: preSharedKey.IsEmpty ? zeros : preSharedKey, salt: default, _current.Span);
    }

    /// <summary>The secret that the schedule stands at; for tests against published vectors.</summary>
    internal ReadOnlySpan<byte> Current => _current.Span;

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
        HkdfLabel.Expand(_suite.Hash, _current.Span, label, transcriptHash, derived.Span);
        return derived;
    }

    /// <summary>The binder of a pre-shared key (RFC 8446 §4.2.11.2). The schedule must stand at that key's Early Secret.</summary>
    /// <param name="transcriptHash">The hash up to the binders of the ClientHello.</param>
    /// <param name="binder">The result, of the hash's length.</param>
    public void Binder(ReadOnlySpan<byte> transcriptHash, Span<byte> binder)
    {
        Span<byte> emptyHash = stackalloc byte[_suite.HashLength];
        CryptographicOperations.HashData(_suite.Hash, ReadOnlySpan<byte>.Empty, emptyHash);
        using SecretBytes binderKey = Derive("res binder"u8, emptyHash);
        FinishedVerifyData(_suite, binderKey.Span, transcriptHash, binder);
    }

    /// <summary>The pre-shared key of a ticket (RFC 8446 §4.6.1).</summary>
    public static SecretBytes ResumptionKey(CipherSuite suite, ReadOnlySpan<byte> resumptionSecret, ReadOnlySpan<byte> ticketNonce)
    {
        var key = new SecretBytes(suite.HashLength);
        HkdfLabel.Expand(suite.Hash, resumptionSecret, "resumption"u8, ticketNonce, key.Span);
        return key;
    }

    /// <summary>Keying material for an application (RFC 8446 §7.5).</summary>
    public static void Export(CipherSuite suite, ReadOnlySpan<byte> exporterSecret, ReadOnlySpan<byte> label, ReadOnlySpan<byte> context, Span<byte> output)
    {
        Span<byte> hash = stackalloc byte[suite.HashLength];
        CryptographicOperations.HashData(suite.Hash, ReadOnlySpan<byte>.Empty, hash);
        Span<byte> derived = stackalloc byte[suite.HashLength];
        HkdfLabel.Expand(suite.Hash, exporterSecret, label, hash, derived);
        CryptographicOperations.HashData(suite.Hash, context, hash);
        HkdfLabel.Expand(suite.Hash, derived, "exporter"u8, hash, output);
        CryptographicOperations.ZeroMemory(derived);
    }

    /// <summary>The verify_data of a Finished message (RFC 8446 §4.4.4).</summary>
    /// <param name="suite">The suite.</param>
    /// <param name="baseSecret">The sender's handshake traffic secret.</param>
    /// <param name="transcriptHash">The hash up to the message before Finished.</param>
    /// <param name="verifyData">The result, of the hash's length.</param>
    public static void FinishedVerifyData(CipherSuite suite, ReadOnlySpan<byte> baseSecret, ReadOnlySpan<byte> transcriptHash, Span<byte> verifyData)
    {
        Span<byte> finishedKey = stackalloc byte[suite.HashLength];
        HkdfLabel.Expand(suite.Hash, baseSecret, "finished"u8, default, finishedKey);
        if (suite.Hash == HashAlgorithmName.SHA384)
        {
            HMACSHA384.HashData(finishedKey, transcriptHash, verifyData);
        }
        else
        {
            HMACSHA256.HashData(finishedKey, transcriptHash, verifyData);
        }

        CryptographicOperations.ZeroMemory(finishedKey);
    }

    /// <summary>The traffic secret that follows another one after a KeyUpdate (RFC 8446 §7.2), in its place.</summary>
    public static void UpdateTrafficSecret(CipherSuite suite, SecretBytes secret)
    {
        Span<byte> next = stackalloc byte[suite.HashLength];
        HkdfLabel.Expand(suite.Hash, secret.Span, "traffic upd"u8, default, next);
        next.CopyTo(secret.Span);
        CryptographicOperations.ZeroMemory(next);
    }

    public void Dispose() => _current.Dispose();

    // Derive-Secret(current, "derived", "") is the salt, the new input the keying material.
    private void Enter(ReadOnlySpan<byte> input)
    {
        Span<byte> emptyHash = stackalloc byte[_suite.HashLength];
        CryptographicOperations.HashData(_suite.Hash, ReadOnlySpan<byte>.Empty, emptyHash);
        Span<byte> salt = stackalloc byte[_suite.HashLength];
        HkdfLabel.Expand(_suite.Hash, _current.Span, "derived"u8, emptyHash, salt);
        HKDF.Extract(_suite.Hash, input, salt, _current.Span);
        CryptographicOperations.ZeroMemory(salt);
    }
}
