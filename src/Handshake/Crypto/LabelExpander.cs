using System.Security.Cryptography;

namespace KTls.Handshake.Crypto;

/// <summary>HKDF-Expand-Label (RFC 8446 §7.1) for several labels of one secret, which HMAC takes in once.</summary>
internal readonly ref struct LabelExpander
{
    private readonly HashAlgorithmName _hash;
    private readonly ReadOnlySpan<byte> _secret;
    private readonly ReadOnlySpan<byte> _state;

    /// <summary>Goes on with a secret that was taken in before.</summary>
    /// <param name="hash">The hash.</param>
    /// <param name="secret">The secret.</param>
    /// <param name="state">What <see cref="Start"/> filled.</param>
    public LabelExpander(HashAlgorithmName hash, ReadOnlySpan<byte> secret, ReadOnlySpan<byte> state)
    {
        _hash = hash;
        _secret = secret;
        _state = state;
    }

    /// <summary>Takes in a secret.</summary>
    /// <param name="hash">The hash.</param>
    /// <param name="secret">The secret.</param>
    /// <param name="state"><see cref="Hmac.StateLength"/> bytes, secret from now on, which the caller zeroes.</param>
    public static LabelExpander Start(HashAlgorithmName hash, ReadOnlySpan<byte> secret, Span<byte> state)
    {
        Hmac.TakeKey(hash, secret, state);
        return new LabelExpander(hash, secret, state);
    }

    /// <summary>Expands one label.</summary>
    /// <param name="label">The label without its prefix.</param>
    /// <param name="context">The context.</param>
    /// <param name="output">The result: not longer than the hash, so that HKDF needs one block (RFC 5869 §2.3).</param>
    public void Expand(ReadOnlySpan<byte> label, ReadOnlySpan<byte> context, Span<byte> output)
    {
        int hashLength = _hash == HashAlgorithmName.SHA256 ? SHA256.HashSizeInBytes : SHA384.HashSizeInBytes;
        ArgumentOutOfRangeException.ThrowIfGreaterThan(output.Length, hashLength, nameof(output));
        Span<byte> info = stackalloc byte[HkdfLabel.MaxSize + 1];
        int length = HkdfLabel.Write(info, label, context, output.Length);

        // T(1) = HMAC(secret, info + 1)
        info[length++] = 1;
        Span<byte> block = stackalloc byte[hashLength];
        Hmac.Compute(_hash, _secret, _state, info[..length], block);
        block[..output.Length].CopyTo(output);
        CryptographicOperations.ZeroMemory(block);
    }
}
