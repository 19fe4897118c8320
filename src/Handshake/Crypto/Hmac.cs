using System.Security.Cryptography;

namespace KTls.Handshake.Crypto;

/// <summary>HMAC (RFC 2104) with one key after the other: OpenSSL's own where it can be had (<see cref="OpenSsl"/>), else .NET's.</summary>
internal abstract class Hmac : IDisposable
{
    protected Hmac(HashAlgorithmName hash)
    {
        Length = CipherSuite.LengthOf(hash);
    }

    /// <summary>Bytes of the result.</summary>
    public int Length { get; }

    public static Hmac Create(HashAlgorithmName hash) => OpenSsl.Digest(hash) is var digest and not 0 ? new OpenSslHmac(hash, digest) : new DotNetHmac(hash);

    /// <summary>Takes in a key, which is half of the work of an HMAC, and forgets the one before.</summary>
    public abstract void TakeKey(ReadOnlySpan<byte> key);

    /// <summary>Takes in a key that is no secret.</summary>
    public void ForgetKey() => TakeKey([0]);

    /// <summary>Computes one HMAC with the key that was taken in.</summary>
    /// <param name="data">The data; may overlap the output.</param>
    /// <param name="output">Bytes as the hash has.</param>
    public void Compute(ReadOnlySpan<byte> data, Span<byte> output)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(output.Length, Length, nameof(output));
        ComputeCore(data, output);
    }

    public abstract void Dispose();

    protected abstract void ComputeCore(ReadOnlySpan<byte> data, Span<byte> output);

    internal sealed class OpenSslHmac(HashAlgorithmName hash, nint digest) : Hmac(hash)
    {
        private readonly OpenSsl.HmacContext _context = new();

        // HMAC fills a key up with zeros, so that none and a zero are the same key; but for OpenSSL none is the one before.
        public override void TakeKey(ReadOnlySpan<byte> key) => _context.TakeKey(digest, key.IsEmpty ? [0] : key);

        public override void Dispose() => _context.Dispose();

        protected override void ComputeCore(ReadOnlySpan<byte> data, Span<byte> output) => _context.Compute(data, output);
    }

    internal sealed class DotNetHmac : Hmac
    {
        private readonly HashAlgorithmName _hash;
        private SecretBytes? _key;
        private bool _isDisposed;

        public DotNetHmac(HashAlgorithmName hash)
            : base(hash)
        {
            _hash = hash;
        }

        public override void TakeKey(ReadOnlySpan<byte> key)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            _key?.Dispose();
            _key = new SecretBytes(key);
        }

        public override void Dispose()
        {
            _isDisposed = true;
            _key?.Dispose();
        }

        protected override void ComputeCore(ReadOnlySpan<byte> data, Span<byte> output) =>
            CryptographicOperations.HmacData(_hash, (_key ?? throw new CryptographicException("There is no key.")).Span, data, output);
    }
}
