using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace KTls.Handshake.Crypto;

/// <summary>
/// The per-record nonce: the record's number, xored into the write IV (RFC 8446 §5.3; RFC 7905 §2), or after a short
/// write IV (RFC 5288 §3), which is the same as xoring it into one that ends in zeros.
/// </summary>
internal struct RecordNonce
{
    private readonly ulong _ivTail;
    private readonly uint _ivHead;
    private bool _exhausted;

    public RecordNonce(ReadOnlySpan<byte> iv, ulong sequence)
    {
        _ivHead = MemoryMarshal.Read<uint>(iv);
        _ivTail = iv.Length == CipherSuite.NonceLength ? BinaryPrimitives.ReadUInt64BigEndian(iv[4..]) : 0;
        Sequence = sequence;
    }

    /// <summary>The number of the next record.</summary>
    public ulong Sequence { get; private set; }

    public readonly void Write(Span<byte> nonce)
    {
        if (_exhausted)
        {
            throw new InvalidOperationException("The record numbers of these keys are used up (RFC 8446 §5.3).");
        }

        MemoryMarshal.Write(nonce, _ivHead);
        BinaryPrimitives.WriteUInt64BigEndian(nonce[4..], _ivTail ^ Sequence);
    }

    /// <summary>Goes on to the next record.</summary>
    public void Advance()
    {
        // A number must never come twice: the keys end with the last one.
        _exhausted = Sequence == ulong.MaxValue;
        Sequence++;
    }
}
