using System.Security.Cryptography;

namespace KTls.Handshake.Crypto;

/// <summary>A hash that goes on: OpenSSL's own where it can be had (<see cref="OpenSsl"/>), else .NET's.</summary>
internal abstract class Digest : IDisposable
{
    protected Digest(HashAlgorithmName hash)
    {
        Length = CipherSuite.LengthOf(hash);
    }

    /// <summary>Bytes of the hash.</summary>
    public int Length { get; }

    public static Digest Create(HashAlgorithmName hash) => OpenSsl.Digest(hash) is var digest and not 0 ? new OpenSslDigest(hash, digest) : new DotNetDigest(hash);

    public abstract void Append(ReadOnlySpan<byte> data);

    /// <summary>The hash so far; what follows goes on from there.</summary>
    /// <param name="destination">At least <see cref="CipherSuite.MaxHashLength"/> bytes.</param>
    /// <returns>The filled part.</returns>
    public ReadOnlySpan<byte> Current(Span<byte> destination)
    {
        Span<byte> hash = destination[..Length];
        CurrentCore(hash);
        return hash;
    }

    /// <summary>The hash so far; what follows begins a new one.</summary>
    /// <inheritdoc cref="Current"/>
    public ReadOnlySpan<byte> Finish(Span<byte> destination)
    {
        Span<byte> hash = destination[..Length];
        FinishCore(hash);
        return hash;
    }

    public abstract void Dispose();

    protected abstract void CurrentCore(Span<byte> hash);

    protected abstract void FinishCore(Span<byte> hash);

    internal sealed class OpenSslDigest : Digest
    {
        private readonly nint _digest;
        private readonly OpenSsl.DigestContext _context = new();

        // A hash can be ended only once: what is ended is a copy.
        private readonly OpenSsl.DigestContext _copy = new();

        public OpenSslDigest(HashAlgorithmName hash, nint digest)
            : base(hash)
        {
            _digest = digest;
            _context.Start(digest);
        }

        public override void Append(ReadOnlySpan<byte> data) => _context.Append(data);

        public override void Dispose()
        {
            _context.Dispose();
            _copy.Dispose();
        }

        protected override void CurrentCore(Span<byte> hash)
        {
            _context.CopyTo(_copy);
            _copy.Finish(hash);
        }

        protected override void FinishCore(Span<byte> hash)
        {
            _context.Finish(hash);
            _context.Start(_digest);
        }
    }

    internal sealed class DotNetDigest(HashAlgorithmName hash) : Digest(hash)
    {
        private readonly IncrementalHash _hash = IncrementalHash.CreateHash(hash);

        public override void Append(ReadOnlySpan<byte> data) => _hash.AppendData(data);

        public override void Dispose() => _hash.Dispose();

        protected override void CurrentCore(Span<byte> hash) => _hash.GetCurrentHash(hash);

        protected override void FinishCore(Span<byte> hash) => _hash.GetHashAndReset(hash);
    }
}
