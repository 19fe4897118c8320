using System.Security.Cryptography;

namespace KTls.Handshake.Crypto;

/// <summary>
/// HMAC with one key for the length of a method: an <see cref="Crypto.Hmac"/> of the thread, which goes on to the next key when this
/// one is done with. It cannot leave the method, so no two users ever share one.
/// </summary>
internal readonly ref struct KeyedHmac : IDisposable
{
    // A thread needs one, and another one while it seals a ticket.
    private const int MaxSpares = 2;

    [ThreadStatic]
    private static Stack<Hmac>? t_sha256;

    [ThreadStatic]
    private static Stack<Hmac>? t_sha384;

    private readonly Stack<Hmac> _spares;

    public KeyedHmac(HashAlgorithmName hash, ReadOnlySpan<byte> key)
    {
        _spares = hash == HashAlgorithmName.SHA384 ? t_sha384 ??= new(MaxSpares) : t_sha256 ??= new(MaxSpares);
        Hmac = _spares.TryPop(out Hmac? spare) ? spare : Hmac.Create(hash);
        Hmac.TakeKey(key);
    }

    public Hmac Hmac { get; }

    /// <summary>Computes one HMAC.</summary>
    public static void Compute(HashAlgorithmName hash, ReadOnlySpan<byte> key, ReadOnlySpan<byte> data, Span<byte> output)
    {
        using var hmac = new KeyedHmac(hash, key);
        hmac.Compute(data, output);
    }

    /// <inheritdoc cref="Hmac.Compute"/>
    public void Compute(ReadOnlySpan<byte> data, Span<byte> output) => Hmac.Compute(data, output);

    public void Dispose()
    {
        if (_spares.Count == MaxSpares)
        {
            Hmac.Dispose();
            return;
        }

        Hmac.ForgetKey();
        _spares.Push(Hmac);
    }
}
