using System.Security.Cryptography;

namespace KTls.Handshake.Crypto;

/// <summary>
/// HKDF-Expand-Label (RFC 8446 §7.1) for several labels of one secret. HMAC takes the key in once instead of for each label,
/// which is half of its work.
/// </summary>
internal sealed class LabelExpander : IDisposable
{
    private readonly IncrementalHash _hmac;

    public LabelExpander(HashAlgorithmName hash, ReadOnlySpan<byte> secret) => _hmac = IncrementalHash.CreateHMAC(hash, secret);

    /// <summary>Expands one label.</summary>
    /// <param name="label">The label without its prefix.</param>
    /// <param name="context">The context.</param>
    /// <param name="output">The result: not longer than the hash, so that HKDF needs one block (RFC 5869 §2.3).</param>
    public void Expand(ReadOnlySpan<byte> label, ReadOnlySpan<byte> context, Span<byte> output)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(output.Length, _hmac.HashLengthInBytes, nameof(output));
        Span<byte> info = stackalloc byte[HkdfLabel.MaxSize + 1];
        int length = HkdfLabel.Write(info, label, context, output.Length);

        // T(1) = HMAC(secret, info + 1)
        info[length++] = 1;
        _hmac.AppendData(info[..length]);
        Span<byte> block = stackalloc byte[_hmac.HashLengthInBytes];
        _hmac.GetHashAndReset(block);
        block[..output.Length].CopyTo(output);
        CryptographicOperations.ZeroMemory(block);
    }

    public void Dispose() => _hmac.Dispose();
}
