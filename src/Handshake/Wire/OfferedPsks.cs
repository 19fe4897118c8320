namespace KTls.Handshake.Wire;

/// <summary>The pre_shared_key extension of a ClientHello (RFC 8446 §4.2.11).</summary>
internal ref struct OfferedPsks
{
    private WireReader _identities;
    private WireReader _binders;

    /// <param name="body">The extension's body, which <see cref="BindersOffset"/> has found well-formed.</param>
    public OfferedPsks(ReadOnlySpan<byte> body)
    {
        var reader = new WireReader(body);
        _identities = new WireReader(reader.ReadVector16());
        _binders = new WireReader(reader.ReadVector16());
    }

    /// <summary>Checks the form; returns where the binders begin, at their length: the binders cover all before it.</summary>
    /// <exception cref="TlsAlertException">The extension is malformed.</exception>
    public static int BindersOffset(ReadOnlySpan<byte> body)
    {
        var reader = new WireReader(body);
        var identities = new WireReader(reader.ReadVector16(minimum: 7));
        int offset = reader.Position;
        var binders = new WireReader(reader.ReadVector16(minimum: 33));
        reader.ExpectEnd();
        int balance = 0;
        for (; !identities.IsEmpty; balance++)
        {
            identities.ReadVector16(minimum: 1);
            identities.ReadUInt32();
        }

        for (; !binders.IsEmpty; balance--)
        {
            binders.ReadVector8(minimum: 32);
        }

        return balance == 0
            ? offset
            : throw new TlsAlertException(AlertDescription.IllegalParameter, "pre_shared_key has another number of binders than of identities.");
    }

    public bool TryRead(out ReadOnlySpan<byte> identity, out ReadOnlySpan<byte> binder)
    {
        identity = default;
        binder = default;
        if (_identities.IsEmpty)
        {
            return false;
        }

        identity = _identities.ReadVector16();
        _identities.ReadUInt32();
        binder = _binders.ReadVector8();
        return true;
    }
}
