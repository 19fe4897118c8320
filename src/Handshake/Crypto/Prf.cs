using System.Security.Cryptography;

namespace KTls.Handshake.Crypto;

/// <summary>The pseudorandom function of TLS 1.2 (RFC 5246 §5), and what is made with it.</summary>
internal static class Prf
{
    /// <summary>Bytes of the master secret.</summary>
    public const int MasterSecretLength = 48;

    /// <summary>Bytes of Finished's verify_data.</summary>
    public const int VerifyDataLength = 12;

    /// <summary>P_hash(secret, label + seed).</summary>
    /// <param name="suite">Its hash is the PRF's.</param>
    /// <param name="secret">The secret.</param>
    /// <param name="label">The label.</param>
    /// <param name="seed">The seed.</param>
    /// <param name="output">The result, of any length.</param>
    public static void Compute(CipherSuite suite, ReadOnlySpan<byte> secret, ReadOnlySpan<byte> label, ReadOnlySpan<byte> seed, Span<byte> output)
    {
        // A(i) + label + seed, whose hashes are the output; A(i) = HMAC(secret, A(i-1)), A(0) = label + seed.
        int length = suite.HashLength;
        int size = length + label.Length + seed.Length;
        Span<byte> input = size <= 512 ? stackalloc byte[size] : new byte[size];
        label.CopyTo(input[length..]);
        seed.CopyTo(input[(length + label.Length)..]);
        Span<byte> a = input[..length];
        Span<byte> block = stackalloc byte[length];
        using var hmac = new KeyedHmac(suite.Hash, secret);
        hmac.Compute(input[length..], a);
        while (!output.IsEmpty)
        {
            hmac.Compute(input, block);
            int taken = Math.Min(output.Length, length);
            block[..taken].CopyTo(output);
            output = output[taken..];
            hmac.Compute(a, a);
        }

        CryptographicOperations.ZeroMemory(block);
        CryptographicOperations.ZeroMemory(a);
    }

    /// <summary>The verify_data of a Finished message (RFC 5246 §7.4.9).</summary>
    public static void FinishedVerifyData(CipherSuite suite, ReadOnlySpan<byte> masterSecret, bool ofServer, ReadOnlySpan<byte> transcriptHash, Span<byte> verifyData) =>
        Compute(suite, masterSecret, ofServer ? "server finished"u8 : "client finished"u8, transcriptHash, verifyData);

    /// <summary>Keying material for an application (RFC 5705 §4).</summary>
    /// <param name="suite">The suite.</param>
    /// <param name="masterSecret">The master secret.</param>
    /// <param name="randoms">The client's random, then the server's.</param>
    /// <param name="label">The label.</param>
    /// <param name="context">The context, whose length is hashed with it.</param>
    /// <param name="hasContext">Whether there is one: an empty one differs from none.</param>
    /// <param name="output">The result.</param>
    public static void Export(CipherSuite suite, ReadOnlySpan<byte> masterSecret, ReadOnlySpan<byte> randoms, ReadOnlySpan<byte> label, ReadOnlySpan<byte> context, bool hasContext, Span<byte> output)
    {
        byte[] seed = hasContext
            ? [.. randoms, (byte)(context.Length >> 8), (byte)context.Length, .. context]
            : randoms.ToArray();
        Compute(suite, masterSecret, label, seed, output);
    }
}
