using System.Security.Cryptography;

namespace KTls.Handshake.Crypto;

/// <summary>
/// Random bytes that everybody gets to see, and that no key hangs on alone: a client's Random and legacy_session_id, and the Random of a
/// server of TLS 1.3, where each handshake has new key shares; and ticket_age_add, which hides an age and nothing else. A machine that is copied while it runs may show some of them twice.
/// </summary>
internal static class PublicRandom
{
    // To draw many bytes takes the generator hardly longer than to draw few: OpenSSL's asks the system each time whether the process was forked.
    private const int PieceLength = 512;

    [ThreadStatic]
    private static byte[]? t_piece;

    [ThreadStatic]
    private static int t_left;

    /// <summary>Fills a buffer with bytes that nobody else gets.</summary>
    public static void Fill(Span<byte> buffer)
    {
        if (buffer.Length > PieceLength)
        {
            RandomNumberGenerator.Fill(buffer);
            return;
        }

        byte[] piece = t_piece ??= new byte[PieceLength];
        if (t_left < buffer.Length)
        {
            RandomNumberGenerator.Fill(piece);
            t_left = PieceLength;
        }

        t_left -= buffer.Length;
        piece.AsSpan(t_left, buffer.Length).CopyTo(buffer);
    }

    /// <summary>As <see cref="Fill"/>, into a new array.</summary>
    public static byte[] GetBytes(int count)
    {
        byte[] bytes = GC.AllocateUninitializedArray<byte>(count);
        Fill(bytes);
        return bytes;
    }
}
