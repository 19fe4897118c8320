using System.Security.Cryptography;

namespace KTls.Handshake.Crypto;

/// <summary>
/// HMAC with one key for the length of a method: an <see cref="Hmac"/> of the thread, which goes on to the next key when this
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
    private readonly Hmac _hmac;

    public KeyedHmac(HashAlgorithmName hash, ReadOnlySpan<byte> key)
    {
        _spares = hash == HashAlgorithmName.SHA384 ? t_sha384 ??= new(MaxSpares) : t_sha256 ??= new(MaxSpares);
        _hmac = _spares.TryPop(out Hmac? spare) ? spare : Hmac.Create(hash);
        _hmac.TakeKey(key);
    }

    /// <inheritdoc cref="Hmac.Length"/>
    public int Length => _hmac.Length;

    /// <summary>What computes; for a test, because it belongs to the next one after <see cref="Dispose"/>.</summary>
    internal Hmac Inner => _hmac;

    /// <summary>Computes one HMAC.</summary>
    public static void Compute(HashAlgorithmName hash, ReadOnlySpan<byte> key, ReadOnlySpan<byte> data, Span<byte> output)
    {
        using var hmac = new KeyedHmac(hash, key);
        hmac.Compute(data, output);
    }

    /// <summary>Goes on to another key.</summary>
    public void TakeKey(ReadOnlySpan<byte> key) => _hmac.TakeKey(key);

    /// <summary>Computes one HMAC.</summary>
    public void Compute(ReadOnlySpan<byte> data, Span<byte> output) => _hmac.Compute(data, output);

    /// <summary>Expands a label of the key (<see cref="HkdfLabel"/>).</summary>
    public void Expand(ReadOnlySpan<byte> label, ReadOnlySpan<byte> context, Span<byte> output) => HkdfLabel.Expand(_hmac, label, context, output);

    public void Dispose()
    {
        if (_spares.Count == MaxSpares)
        {
            _hmac.Dispose();
            return;
        }

        _hmac.ForgetKey();
        _spares.Push(_hmac);
    }
}
