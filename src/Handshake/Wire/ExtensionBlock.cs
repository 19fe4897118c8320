using System.Runtime.CompilerServices;

namespace KTls.Handshake.Wire;

/// <summary>Walks the extensions of a message (RFC 8446 §4.2) and refuses duplicates and too many of them.</summary>
internal ref struct ExtensionBlock
{
    /// <summary>More extensions than any known peer sends, few enough to compare each with all before it.</summary>
    public const int MaxExtensions = 100;

    private SeenTypes _seen;
    private WireReader _reader;
    private int _count;

    /// <summary>Starts at the two-byte length of the block, which must be the last thing in the message.</summary>
    public ExtensionBlock(scoped ref WireReader message)
    {
        _reader = new WireReader(message.ReadVector16());
        message.ExpectEnd();
    }

    /// <summary>Starts at the first extension of a block that stands within something else.</summary>
    public ExtensionBlock(ReadOnlySpan<byte> block) => _reader = new WireReader(block);

    public bool TryRead(out ExtensionType type, out ReadOnlySpan<byte> body)
    {
        type = default;
        body = default;
        if (_reader.IsEmpty)
        {
            return false;
        }

        ushort number = _reader.ReadUInt16();
        if (_count == MaxExtensions)
        {
            throw new TlsAlertException(AlertDescription.IllegalParameter, $"More than {MaxExtensions} extensions.");
        }

        Span<ushort> seen = _seen;
        if (seen[.._count].Contains(number))
        {
            throw new TlsAlertException(AlertDescription.IllegalParameter, $"Extension {number} comes twice.");
        }

        seen[_count++] = number;
        type = (ExtensionType)number;
        body = _reader.ReadVector16();
        return true;
    }

    [InlineArray(MaxExtensions)]
    private struct SeenTypes
    {
        private ushort _first;
    }
}
