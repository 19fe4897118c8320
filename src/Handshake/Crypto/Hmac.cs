using System.Security.Cryptography;

namespace KTls.Handshake.Crypto;

/// <summary>
/// HMAC (RFC 2104) of a few bytes. With SHA-256 it is libsodium's, whose state is plain memory: .NET's sets up objects of OpenSSL
/// for each key, which takes longer than the hashing. With SHA-384, which libsodium has not, it is .NET's.
/// </summary>
internal static class Hmac
{
    /// <summary>Bytes of a state that has taken in a key; secret like the key.</summary>
    public const int StateLength = Sodium.HmacSha256StateLength;

    /// <summary>Computes one HMAC.</summary>
    public static void Compute(HashAlgorithmName hash, ReadOnlySpan<byte> key, ReadOnlySpan<byte> data, Span<byte> output)
    {
        if (hash != HashAlgorithmName.SHA256)
        {
            CryptographicOperations.HmacData(hash, key, data, output);
            return;
        }

        Span<byte> state = stackalloc byte[StateLength];
        Sodium.HmacSha256Start(state, key);
        Finish(state, data, output);
    }

    /// <summary>Takes in a key, for several HMACs with it.</summary>
    /// <param name="hash">The hash.</param>
    /// <param name="key">The key.</param>
    /// <param name="state"><see cref="StateLength"/> bytes, which the caller zeroes.</param>
    public static void TakeKey(HashAlgorithmName hash, ReadOnlySpan<byte> key, Span<byte> state)
    {
        if (hash == HashAlgorithmName.SHA256)
        {
            Sodium.HmacSha256Start(state, key);
        }
    }

    /// <summary>Computes one HMAC with a key that was taken in, which is half of the work.</summary>
    public static void Compute(HashAlgorithmName hash, ReadOnlySpan<byte> key, ReadOnlySpan<byte> state, ReadOnlySpan<byte> data, Span<byte> output)
    {
        if (hash != HashAlgorithmName.SHA256)
        {
            CryptographicOperations.HmacData(hash, key, data, output);
            return;
        }

        Span<byte> copy = stackalloc byte[StateLength];
        state.CopyTo(copy);
        Finish(copy, data, output);
    }

    private static void Finish(Span<byte> state, ReadOnlySpan<byte> data, Span<byte> output)
    {
        Sodium.HmacSha256Finish(state, data, output);
        CryptographicOperations.ZeroMemory(state);
    }
}
