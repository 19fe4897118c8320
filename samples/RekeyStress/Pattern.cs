using Microsoft.Win32.SafeHandles;

namespace RekeyStress;

/// <summary>
/// The bytes that everybody sends: a ring in which each place tells where it is, also as a file. A stream begins somewhere on the
/// ring and goes round. So one can say of bytes that are not the expected ones whether some are missing, come again, or are wrong.
/// </summary>
internal sealed class Pattern : IDisposable
{
    /// <summary>Once round.</summary>
    public const int Length = 8 << 20;

    /// <summary>The most that is sent, or compared, in one piece: so much of the ring's beginning stands behind its end again.</summary>
    public const int MaxPiece = 2 << 20;

    /// <summary>A line of text, its end included. Programs that work by lines are sent whole ones.</summary>
    public const int Line = 64;

    // None of these begins a command of a peer: s_client takes Q, R, B, K and k for one, s_server some more, gnutls-cli ^.
    private static ReadOnlySpan<byte> Alphabet => "0123456789adefghijlmnotuvwxyz+-="u8;

    private readonly byte[] _bytes;
    private readonly string _path;

    /// <param name="seed">Another seed, other bytes.</param>
    /// <param name="folder">Where the file is made, and deleted.</param>
    public Pattern(int seed, string folder)
    {
        _bytes = Create(seed);
        _path = Path.Combine(folder, Path.GetRandomFileName());
        using (var file = new FileStream(_path, FileMode.CreateNew))
        {
            file.Write(_bytes);
        }

        File = System.IO.File.OpenHandle(_path);
        Seed = seed;
    }

    /// <summary>The ring as a file, to send by sendfile.</summary>
    public SafeFileHandle File { get; }

    public int Seed { get; }

    /// <summary>Whether nobody has written into the bytes that all are compared with.</summary>
    public bool IsIntact => _bytes.AsSpan().SequenceEqual(Create(Seed));

    /// <summary>Where a place of a stream is on the ring, and in the file.</summary>
    public static int OffsetOf(long position) => (int)(position % Length);

    /// <summary>A piece of a stream.</summary>
    public ReadOnlyMemory<byte> At(long position, int count) => _bytes.AsMemory(OffsetOf(position), count);

    /// <summary>How many of the bytes that came are the expected ones.</summary>
    public int Matching(long position, ReadOnlySpan<byte> received) => At(position, received.Length).Span.CommonPrefixLength(received);

    /// <summary>Says what is the matter with bytes that are not those of a position.</summary>
    /// <param name="position">Where they should be from.</param>
    /// <param name="received">The bytes, from the first wrong one on.</param>
    public string Explain(long position, ReadOnlySpan<byte> received)
    {
        // So many symbols of 5 bits come twice in the ring by chance with a probability of 2^-50.
        const int Telling = 20;
        if (received.Length >= Telling)
        {
            int found = _bytes.AsSpan(0, Length + Telling).IndexOf(received[..Telling]);
            if (found >= 0)
            {
                int ahead = (found % Length) - OffsetOf(position);
                ahead += ahead > Length / 2 ? -Length : ahead < -Length / 2 ? Length : 0;
                return ahead > 0 ? $"{ahead} bytes are missing" : $"the last {-ahead} bytes come again";
            }
        }

        int wrong = 0;
        ReadOnlySpan<byte> expected = At(position, received.Length).Span;
        for (int i = 0; i < received.Length; i++)
        {
            wrong += received[i] == expected[i] ? 0 : 1;
        }

        return $"{wrong} of the next {received.Length} bytes are wrong";
    }

    public void Dispose()
    {
        File.Dispose();
        System.IO.File.Delete(_path);
    }

    private static byte[] Create(int seed)
    {
        byte[] bytes = new byte[Length + MaxPiece];
        new Random(seed).NextBytes(bytes.AsSpan(0, Length));
        for (int i = 0; i < Length; i++)
        {
            bytes[i] = i % Line == Line - 1 ? (byte)'\n' : Alphabet[bytes[i] % Alphabet.Length];
        }

        bytes.AsSpan(0, MaxPiece).CopyTo(bytes.AsSpan(Length));
        return bytes;
    }
}
